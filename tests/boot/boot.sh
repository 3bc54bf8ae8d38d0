#!/usr/bin/env bash
# Boot a Debian in a container and put the system unit through its paces there, then print what the
# journal has. Needs root, debootstrap and systemd-nspawn; takes some minutes the first time.
#
#   tests/boot/boot.sh SITE_PACKAGES WORK [MIRROR]
#
# SITE_PACKAGES  of a Python 3.11 environment that has imgsort's libraries (read-only)
# WORK           a folder for the container (kept: the second time is quicker) and the results
# MIRROR         of Debian; default: the first one that apt knows
set -euo pipefail
site=$(realpath -- "$1")
work=$(realpath -m -- "$2")
mirror=${3:-$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | tr -d ' ' | head -n 1 || true)}
[ -n "$mirror" ] || { echo "apt knows no Debian mirror; name one as the third argument" >&2; exit 2; }
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tree=$work/tree
python=${PYTHON:-python3}

if ! [ -e "$work/.tree" ]; then
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,python3-venv,libgomp1,procps \
        bookworm "$tree" "$mirror"
    touch "$work/.tree"
fi
rm -rf -- "$work/share" "$tree/srv/photos" "$tree/etc/systemd/system/"{,multi-user.target.wants/,timers.target.wants/}{imgsort,carla}* \
    "$tree/etc/"{sysusers,tmpfiles}.d/imgsort.conf "$tree/home/carla/.config" "$tree/home/carla/my photos 100%" \
    "$tree/var/log/journal"
mkdir -p "$work/share/wheel" "$tree/var/log/journal" "$tree/opt/site"
rm -rf -- "$work/source"
mkdir "$work/source"
tar -C "$here/../.." --exclude=./.git --exclude=./.venv --exclude=./build -cf - . | tar -C "$work/source" -xf -
"$python" -m pip wheel -qq --disable-pip-version-check --no-deps --wheel-dir "$work/share/wheel" "$work/source"
cp -- "$here/inside.sh" "$here/pictures.py" "$work/share/"

cat >"$tree/etc/systemd/system/boot-check.service" <<'UNIT'
[Unit]
After=dbus.service systemd-logind.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/bash /share/inside.sh
StandardOutput=append:/share/report
StandardError=append:/share/report
TimeoutStartSec=20min
UNIT
ln -sfn /lib/systemd/system/multi-user.target "$tree/etc/systemd/system/default.target"
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
ln -sfn ../boot-check.service "$tree/etc/systemd/system/multi-user.target.wants/boot-check.service"

SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 1300 systemd-nspawn --quiet --boot --directory="$tree" \
    --register=no --keep-unit --private-network --console=pipe \
    --bind="$work/share:/share" --bind-ro="$site:/opt/site" </dev/null >"$work/console" 2>&1 || true
cat -- "$work/share/report"
grep -qx 'boot check: all seen' "$work/share/report"
