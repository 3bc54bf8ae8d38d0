# Run inside the container by boot.sh: install as a user would, then start, drop, correct, hang, reload
# and stop. Each step says what was seen; the last line is "boot check: all seen" or there is none.
set -euo pipefail
export PATH=/opt/imgsort/bin:/usr/sbin:/usr/bin
workspace=/srv/photos

seen() { echo "seen: $*"; }
missing() {
    echo "MISSING: $*"
    systemctl status --no-pager --full imgsort.service || true
    journalctl --no-pager -b -u imgsort.service | tail -n 60
    exit 1
}
wait_for() { # SECONDS WHAT COMMAND…
    local left=$1 what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        sleep 1
        left=$((left - 1))
        [ "$left" -gt 0 ] || missing "$what"
    done
    seen "$what"
}
query() { # SQL
    runuser -u imgsort -- python -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' "$workspace/state/imgsort.db" "$1"
}
inbox_is_empty() { [ -z "$(find "$workspace/inbox" -type f)" ]; }
has_ping() { systemctl show -p WatchdogTimestampMonotonic --value imgsort | grep -qvx "$1"; }
pid() { systemctl show -p MainPID --value imgsort; }
logs() { journalctl --no-pager -b -u imgsort -o cat; }
has_logged() { logs | grep -qF -- "$1"; }
restarted() { [ "$(pid)" != "$1" ] && [ "$(systemctl is-active imgsort)" = active ]; }
files() { find "$workspace"/{inbox,sorted,unsure,rejected} -type f | wc -l; }

echo "== install: $(systemctl --version | head -n 1), kernel $(uname -r), $(stat -fc %T /sys/fs/cgroup)"
[ -x /opt/imgsort/bin/imgsort ] || {
    python3 -m venv /opt/imgsort
    echo /opt/site >/opt/imgsort/lib/python3.11/site-packages/libraries.pth
}
pip install -q --no-index --no-deps --force-reinstall --no-warn-script-location /share/wheel/*.whl
imgsort -C $workspace init --classes cat,dog,snake --backbone efficientnet-lite0
imgsort -C $workspace service install --shared --if-new-labels 1 | tee /tmp/commands
# What it says to type, but for the user's name and the journal.
sed '1,/^Now type:/d' /tmp/commands | grep -v 'journalctl\|usermod\|enable' | bash -euxo pipefail
for member in anna ben; do
    id $member >/dev/null 2>&1 || useradd --create-home $member
    usermod -aG imgsort $member
done
systemd-analyze verify imgsort.service imgsort-retrain.timer 2>&1 | tee /tmp/verify
[ ! -s /tmp/verify ] && seen "verify has nothing to say"
systemd-analyze security --no-pager imgsort.service | tail -n 1
python -c "import os; print('default ACL of sorted/:', len(os.getxattr('$workspace/sorted', 'system.posix_acl_default')), 'bytes')"

echo "== start"
mkdir -p /run/systemd/system/imgsort.service.d
printf '[Service]\nWatchdogSec=8\nRestartSec=1\n' >/run/systemd/system/imgsort.service.d/short.conf
systemctl daemon-reload
systemctl enable --now imgsort.service imgsort-retrain.timer
[ "$(systemctl is-active imgsort)" = active ] || missing "READY"
seen "READY: $(systemctl show -p StatusText --value imgsort)"
systemctl list-timers --no-pager --all imgsort-retrain.timer | sed -n 2p
grep -E '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$(pid)/status" | tr '\t\n' '  '; echo
nsenter -n -t "$(pid)" ip -br addr 2>/dev/null || nsenter -n -t "$(pid)" cat /proc/net/dev | sed 's/^/  /'

echo "== anna drops pictures"
umask 022
mkdir -p /tmp/new && python /share/pictures.py /tmp/new first 12
chown -R anna: /tmp/new
runuser -u anna -- cp -r /tmp/new/. $workspace/inbox/
wait_for 60 "12 pictures left the inbox" inbox_is_empty
[ "$(query 'SELECT count(*) FROM prediction_log')" = 12 ] || missing "12 rows"
seen "rows: $(query 'SELECT count(*) FROM prediction_log'), files: $(files)"
imgsort_status() { runuser -u imgsort -- imgsort -C $workspace status; }
imgsort_status | head -n 4

echo "== ben, of the same group, moves one of anna's pictures: a label"
one=$(find $workspace/unsure $workspace/sorted -name 'first*.png' -type f | head -n 1)
runuser -u ben -- mkdir $workspace/sorted/bird
stat -c '%A %U:%G %n' $workspace/sorted/bird
runuser -u ben -- mv "$one" $workspace/sorted/bird/
is_labelled() { [ "$(query "SELECT count(*) FROM labels WHERE source = 'move'")" = 1 ]; }
wait_for 60 "the move is a label" is_labelled
query "SELECT class || ' by ' || source FROM labels" 2>/dev/null ||
    query "SELECT human_label FROM prediction_log WHERE human_label IS NOT NULL"

echo "== the watchdog: the daemon is stopped (SIGSTOP) in the middle of work"
python /share/pictures.py /tmp/new second 200
chown -R anna: /tmp/new
runuser -u anna -- bash -c "cp /tmp/new/second* $workspace/inbox/"
before=$(pid)
until [ "$(find $workspace/inbox -type f | wc -l)" -lt 195 ]; do sleep 0.02; done
kill -STOP "$before"
seen "stopped pid $before, $(find $workspace/inbox -type f | wc -l) of 200 still in the inbox"
wait_for 90 "killed by the watchdog and started again" restarted "$before"
journalctl --no-pager -b -o cat _PID=1 UNIT=imgsort.service | grep -iE 'watchdog|abrt|restart' | head -n 5
wait_for 90 "all of them were filed then" inbox_is_empty
[ "$(files)" = 212 ] || missing "212 files (there are $(files))"
[ "$(query 'SELECT count(*) FROM prediction_log')" = 212 ] || missing "212 rows"
seen "rows: $(query 'SELECT count(*) FROM prediction_log'), files: $(files), lost: 0"

echo "== reload"
echo 'nonsense = 1' >>$workspace/config.toml
systemctl reload imgsort
wait_for 20 "a broken config.toml is refused" has_logged "config.toml was not taken over"
sed -i '/^nonsense/d' $workspace/config.toml
systemctl reload imgsort
wait_for 20 "a sound one is taken" has_logged "config.toml was read again"
[ "$(systemctl is-active imgsort)" = active ] || missing "active after the reload"

echo "== a second daemon is refused (73) and not tried again"
code=0
runuser -u imgsort -- imgsort -C $workspace run || code=$?
[ $code = 73 ] && seen "exit $code"

echo "== retrain by the timer's unit: too few labels is an answer"
systemctl start imgsort-retrain.service || missing "retrain"
journalctl --no-pager -b -u imgsort-retrain -o cat | head -n 6
seen "retrain: $(systemctl show -p Result,ExecMainStatus --value imgsort-retrain | tr '\n' ' ')"

echo "== the same with enough labels: it really trains, inside the sandbox"
for colour in red green; do
    mkdir -p "/tmp/known/$colour"
    python /share/pictures.py "/tmp/known/$colour" "$colour" 120 "$colour"
done
chmod -R a+rX /tmp/known
runuser -u imgsort -- imgsort -C $workspace import --new-class /tmp/known 2>&1 | tail -n 1
systemctl start imgsort-retrain.service || {
    journalctl --no-pager -b -u imgsort-retrain -o cat | tail -n 40
    missing "a training"
}
journalctl --no-pager -b -u imgsort-retrain -o cat | grep -iE 'promoted|serves|macro|report|v2' | head -n 5
query "SELECT count(*) FROM models"
seen "retrain: $(systemctl show -p Result,ExecMainStatus --value imgsort-retrain | tr '\n' ' ')"

echo "== stop"
systemctl stop imgsort
seen "stopped: $(systemctl show -p Result,ExecMainStatus --value imgsort | tr '\n' ' ')"
[ "$(systemctl show -p Result --value imgsort)" = success ] || missing "a clean stop"

echo "== must fail: MemoryDenyWriteExecute, which the unit leaves off for a reason"
printf '[Service]\nMemoryDenyWriteExecute=yes\nRestart=no\n' >/run/systemd/system/imgsort.service.d/mdwe.conf
systemctl daemon-reload
if systemctl start imgsort; then
    missing "a failure with MemoryDenyWriteExecute"
fi
seen "it fails with it: $(logs | grep -vE '^(Start|Stop|Failed|imgsort.service)' | tail -n 1 | cut -c 1-160)"
systemctl reset-failed imgsort
rm /run/systemd/system/imgsort.service.d/mdwe.conf

echo "== uninstall"
imgsort -C $workspace service uninstall || seen "it wants the units switched off first"
systemctl disable --now imgsort.service imgsort-retrain.timer
imgsort -C $workspace service uninstall
systemctl daemon-reload

echo "== the unit of an owner, whose workspace lies in a home"
id carla >/dev/null 2>&1 || useradd --create-home carla
runuser -u carla -- imgsort -C "/home/carla/my photos 100%" init --classes cat --backbone efficientnet-lite0 >/dev/null
imgsort -C "/home/carla/my photos 100%" service install --name carla >/dev/null
systemctl daemon-reload
systemctl start carla || { journalctl --no-pager -b -u carla | tail -n 30; missing "READY of carla"; }
runuser -u carla -- python /share/pictures.py "/home/carla/my photos 100%/inbox" third 5
five() { [ "$(find "/home/carla/my photos 100%/unsure" -type f -user carla | wc -l)" = 5 ]; }
wait_for 60 "5 pictures filed as carla's own" five
grep -E '^ProtectHome|^User' /etc/systemd/system/carla.service | tr '\n' ' '; echo
systemctl stop carla

echo "== the same with metrics by HTTP: loopback and nothing else"
port=9464
scrape() { # ADDRESS
    python -c 'import sys, urllib.request as web
print(web.urlopen(f"http://{sys.argv[1]}/metrics", timeout=5).read().decode())' "$1"
}
grep -q '^\[metrics\]' "/home/carla/my photos 100%/config.toml" || echo '[metrics]' >>"/home/carla/my photos 100%/config.toml"
sed -i '/^port *=/d; s/^\[metrics\]$/&\nport = '$port'/' "/home/carla/my photos 100%/config.toml"
imgsort -C "/home/carla/my photos 100%" service install --name carla >/dev/null
systemctl daemon-reload
grep -E '^(IPAddress|RestrictAddressFamilies|PrivateNetwork)' /etc/systemd/system/carla.service | tr '\n' ' '; echo
systemctl start carla || { journalctl --no-pager -b -u carla | tail -n 30; missing "READY of carla with a port"; }
is_scraped() { scrape "127.0.0.1:$port" | grep -q '^imgsort_images_total'; }
wait_for 30 "metrics on 127.0.0.1:$port" is_scraped
scrape "127.0.0.1:$port" | grep '^imgsort_images_total' | head -n 3
listening() { awk 'NR > 1 && $4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6; }
[ "$(listening)" = "0100007F:$(printf %04X $port)" ] || missing "one listener, on 127.0.0.1 (there is: $(listening))"
seen "the only listener: $(listening)"
systemctl stop carla
sed -i '/^port *=/d' "/home/carla/my photos 100%/config.toml"
imgsort -C "/home/carla/my photos 100%" service uninstall --name carla >/dev/null
systemctl daemon-reload

echo "== a user's own service (--user)"
loginctl enable-linger carla
systemctl start "user@$(id -u carla).service"
as_carla() {
    runuser -u carla -- env "XDG_RUNTIME_DIR=/run/user/$(id -u carla)" "PATH=$PATH" HOME=/home/carla "$@"
}
as_carla imgsort -C "/home/carla/my photos 100%" service install --user
as_carla systemctl --user daemon-reload
as_carla systemctl --user enable --now imgsort.service imgsort-retrain.timer || {
    journalctl --no-pager -b _UID="$(id -u carla)" | tail -n 30
    missing "READY of the user's service"
}
seen "READY: $(as_carla systemctl --user show -p StatusText --value imgsort)"
runuser -u carla -- python /share/pictures.py "/home/carla/my photos 100%/inbox" fourth 5
ten() { [ "$(find "/home/carla/my photos 100%/unsure" -type f -user carla | wc -l)" = 10 ]; }
wait_for 60 "5 more filed by carla's own service" ten
as_carla systemctl --user start imgsort-retrain.service || {
    journalctl --no-pager -b _UID="$(id -u carla)" | tail -n 30
    missing "retrain of the user's own"
}
seen "the user's retrain: $(as_carla systemctl --user show -p Result,ExecMainStatus --value imgsort-retrain | tr '\n' ' ')"
as_carla systemctl --user disable --now imgsort.service imgsort-retrain.timer
as_carla imgsort -C "/home/carla/my photos 100%" service uninstall --user

echo "== the journal of imgsort"
journalctl --no-pager -b -u imgsort -o short-monotonic | cut -c 1-180
echo "boot check: all seen"
