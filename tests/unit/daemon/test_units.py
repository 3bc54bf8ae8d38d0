"""systemd units: what they say for a workspace, how paths are written, and whose files are kept."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.daemon.units import (
    Account,
    PlacedUnit,
    UnitPlan,
    folders_of,
    install,
    rendered,
    uninstall,
)
from imgsort.daemon.units.escape import plain, quoted, quoted_optional
from imgsort.daemon.units.sealed import seal_of, sealed
from imgsort.errors import NothingToDo, UnitProblem

ROOT = Path("/srv/photos")
PLAN = UnitPlan(
    name="imgsort",
    scope="system",
    workspace=ROOT,
    picture_folders=tuple(ROOT / name for name in ("inbox", "sorted", "unsure", "rejected")),
    program=Path("/opt/imgsort/bin/imgsort"),
    account=Account("anna", "users"),
)
SERVICE = Path("system/imgsort.service")
RETRAIN = Path("system/imgsort-retrain.service")


def settings(text: str) -> list[tuple[str, str]]:
    """Each ``Key=value``, in order, without comments."""
    lines = [line for line in text.splitlines() if line and line[0] not in "#["]
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def values(plan: UnitPlan, file: Path, key: str) -> list[str]:
    return [value for name, value in settings(rendered(plan)[file]) if name == key]


def read_word(word: str) -> str:
    """As systemd reads one quoted word: unquote, drop the escaping backslash, then specifiers."""
    assert (word[0], word[-1]) == ('"', '"')
    return re.sub(r"\\(.)", r"\1", word[1:-1]).replace("%%", "%")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1))
def test_any_path_comes_back_as_it_was(name: str) -> None:
    """Blanks, quotes, backslashes, percent and dollar signs survive systemd's reading."""
    path = Path("/srv") / name
    assert read_word(quoted(path)) == str(path)
    assert not re.search(r'(?<!\\)(\\\\)*"', quoted(path)[1:-1])
    said = plain(path)
    assert Path(said.replace("%%", "%")) == path
    assert not said.endswith("\\"), "systemd would take the next line along"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/srv/my photos", '"/srv/my photos"'),
        ("/srv/100% mine", '"/srv/100%% mine"'),
        ('/srv/"a"\\b', '"/srv/\\"a\\"\\\\b"'),
        ("/srv/$HOME", '"/srv/$HOME"'),
        ("/srv/Bücher", '"/srv/Bücher"'),
    ],
)
def test_paths_are_written_so(path: str, written: str) -> None:
    """As systemd.syntax(7) has it; a colon in front of the command spares the dollar sign."""
    assert quoted(Path(path)) == written
    assert quoted_optional(Path(path)) == f'"-{written[1:]}'


@pytest.mark.parametrize("name", [b"a\nExecStartPre=/bin/false", b"caf\xe9", b"a\x1b[31m"])
def test_a_path_no_unit_can_hold_is_refused(name: bytes) -> None:
    """A line break would write a second setting; bytes that aren't UTF-8 would lose the first."""
    with pytest.raises(UnitProblem, match=r"^systemd can't be told the path /srv/.*; rename"):
        quoted(Path("/srv") / os.fsdecode(name))


@pytest.mark.parametrize("name", ['img"sort', "img'sort", "img\\sort"])
def test_a_program_systemd_starts_not_is_refused(name: str) -> None:
    """It calls such a unit a fatal error; an argument may have them."""
    with pytest.raises(UnitProblem, match="quotes or backslashes in its path"):
        rendered(replace(PLAN, program=Path("/opt") / name))
    assert rendered(replace(PLAN, workspace=Path("/srv") / name))


def test_every_placeholder_is_filled_in() -> None:
    """In all files of all kinds of plans."""
    plans = [PLAN, replace(PLAN, shared=True, gpu=True), replace(PLAN, scope="user")]
    texts = [text for plan in plans for text in rendered(plan).values()]
    assert len(texts) == 3 + 7 + 3
    assert [text for text in texts if re.search(r"@[A-Z_]+@", text)] == []


def test_the_daemon_is_started_watched_and_stopped() -> None:
    """The settings that the promises of the service rest on."""
    said = dict(settings(rendered(PLAN)[SERVICE]))
    wanted = {
        "Type": "notify",
        "ExecStart": ':"/opt/imgsort/bin/imgsort" -C "/srv/photos" run',
        "ExecReload": "/bin/kill -HUP $MAINPID",
        "KillMode": "mixed",
        "Restart": "on-failure",
        "RestartPreventExitStatus": "73 78",
        "OOMPolicy": "continue",
        "User": "anna",
        "Group": "users",
        "UMask": "0022",
        "CapabilityBoundingSet": "",
        "WantedBy": "multi-user.target",
    }
    assert {key: said[key] for key in wanted} == wanted
    assert int(said["WatchdogSec"]) >= 30
    assert int(said["TimeoutStopSec"]) >= 30


def test_there_is_one_writable_place() -> None:
    """Two would be two mounts, and rename() between them fails; folders elsewhere are added."""
    assert values(PLAN, SERVICE, "ReadWritePaths") == ['"-/srv/photos"']
    elsewhere = replace(
        PLAN,
        picture_folders=(Path("/mnt/inbox"), ROOT / "sorted"),
        other_folders=(Path("/mnt/backups"), ROOT / "state"),
    )
    assert values(elsewhere, SERVICE, "ReadWritePaths") == [
        '"-/srv/photos"',
        '"-/mnt/inbox"',
        '"-/mnt/backups"',
    ]


@pytest.mark.parametrize(
    ("change", "home"),
    [
        ({}, "yes"),
        ({"workspace": Path("/home/carla/photos")}, "read-only"),
        ({"program": Path("/home/carla/venv/bin/imgsort")}, "read-only"),
        ({"libraries": (Path("/root/.pyenv"),)}, "read-only"),
        ({"workspace": Path("/homes/photos")}, "yes"),
    ],
)
def test_homes_are_hidden_unless_they_are_needed(change: dict[str, Path], home: str) -> None:
    """A workspace in a home would vanish with it."""
    assert values(replace(PLAN, **change), SERVICE, "ProtectHome") == [home]  # type: ignore[arg-type]


def test_the_network_is_closed_but_for_metrics_by_http() -> None:
    """Nothing is downloaded by a daemon."""
    assert values(PLAN, SERVICE, "PrivateNetwork") == ["yes"]
    assert values(PLAN, SERVICE, "RestrictAddressFamilies") == ["AF_UNIX"]
    open_here = replace(PLAN, loopback=True)
    assert values(open_here, SERVICE, "PrivateNetwork") == []
    assert values(open_here, SERVICE, "IPAddressDeny") == ["any"]
    assert values(open_here, SERVICE, "IPAddressAllow") == ["localhost"]


def test_retraining_gives_way_and_too_few_labels_are_no_failure() -> None:
    """Low priority, exit code 4 is fine, and the timer starts this very service."""
    said = dict(settings(rendered(replace(PLAN, name="scans", new_labels=5))[
        Path("system/scans-retrain.service")
    ]))  # fmt: skip
    assert said["ExecStart"].endswith(' -C "/srv/photos" retrain --if-new-labels 5')
    assert (said["SuccessExitStatus"], said["Nice"]) == ("4", "19")
    assert said["IOSchedulingClass"] == "idle"
    timer = rendered(replace(PLAN, name="scans"))[Path("system/scans-retrain.timer")]
    assert dict(settings(timer))["Unit"] == "scans-retrain.service"


def test_a_shared_inbox_has_its_own_user_and_group_folders() -> None:
    """The daemon's folders are the group's, setgid; state/ isn't among them."""
    texts = rendered(replace(PLAN, shared=True, account=Account("imgsort", "imgsort")))
    said = dict(settings(texts[SERVICE]))
    assert (said["User"], said["Group"], said["UMask"]) == ("imgsort", "imgsort", "0002")
    assert said["RemoveIPC"] == "yes"
    assert "\nu imgsort - " in texts[Path("sysusers.d/imgsort.conf")]
    tmpfiles = texts[Path("tmpfiles.d/imgsort.conf")]
    for name in ("inbox", "sorted", "unsure", "rejected"):
        assert f'\nd "/srv/photos/{name}" 2775 imgsort imgsort\n' in tmpfiles
        assert f'\na+ "/srv/photos/{name}" - - - - default:user::rwx' in tmpfiles
    assert '"/srv/photos/state"' not in tmpfiles


def test_shared_memory_of_a_person_is_left_alone() -> None:
    """RemoveIPC would take away what the owner's other programs use."""
    assert values(PLAN, SERVICE, "RemoveIPC") == []


def test_a_user_s_own_service_asks_for_nothing_only_root_can_give() -> None:
    """No User=, no mounts, no network rules: each would fail or be ignored there."""
    text = rendered(replace(PLAN, scope="user"))[Path("user/imgsort.service")]
    keys = {key for key, _ in settings(text)}
    assert keys.isdisjoint({"User", "Group", "ProtectSystem", "PrivateDevices", "IPAddressDeny"})
    assert dict(settings(text))["WantedBy"] == "default.target"


def test_the_page_is_served_beside_the_daemon(tmp_path: Path) -> None:
    """On this machine's own network, whatever the metrics say; a training that it started outlives
    it; and it is taken away with the rest."""
    plan = replace(PLAN, scope="user", review=True)
    file = Path("user/imgsort-review.service")
    assert file not in rendered(replace(plan, review=False))
    [start] = values(plan, file, "ExecStart")
    assert start.endswith(" -C " + quoted(plan.workspace) + " review")
    assert values(plan, file, "RestrictAddressFamilies") == ["AF_UNIX AF_INET"]
    assert values(plan, Path("user/imgsort.service"), "RestrictAddressFamilies") == ["AF_UNIX"]
    assert values(plan, file, "KillMode") == ["process"]
    assert plan.services[-1] == "imgsort-review.service"
    folders = folders_of(tmp_path)
    install(plan, rendered(plan), folders, force=False)
    wanted = folders["user"] / "default.target.wants"
    wanted.mkdir()
    (wanted / file.name).symlink_to(folders["user"] / file.name)
    with pytest.raises(UnitProblem, match=r"disable --now .* imgsort-review\.service"):
        uninstall(replace(plan, review=False), folders, force=False)
    (wanted / file.name).unlink()
    uninstall(replace(plan, review=False), folders, force=False)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_gpu_gets_its_devices_and_nothing_else() -> None:
    """A drop-in for each service; only the daemon has a watchdog."""
    texts = rendered(replace(PLAN, gpu=True))
    daemon = texts[Path("system/imgsort.service.d/gpu.conf")]
    retrain = texts[Path("system/imgsort-retrain.service.d/gpu.conf")]
    assert ("DevicePolicy", "closed") in settings(daemon)
    assert "WatchdogSec" in dict(settings(daemon))
    assert "WatchdogSec" not in dict(settings(retrain))


def test_installing_twice_changes_nothing(tmp_path: Path) -> None:
    """New, then the same; another plan changes what differs."""
    assert fates(put(tmp_path)) == {"new"}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.is_file()}
    assert fates(put(tmp_path)) == {"same"}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    changed = put(tmp_path, replace(PLAN, new_labels=7))
    assert [one.path.name for one in changed if one.fate == "changed"] == [
        "imgsort-retrain.service"
    ]


def test_an_edited_unit_is_not_overwritten(tmp_path: Path) -> None:
    """Nothing at all is written, the sentence names the file, and --force keeps the edited one."""
    put(tmp_path)
    unit = tmp_path / "system" / "imgsort.service"
    edited = unit.read_text().replace("WatchdogSec=60", "WatchdogSec=600")
    unit.write_text(edited)
    with pytest.raises(UnitProblem, match=r"imgsort\.service was edited since imgsort wrote it;"):
        put(tmp_path, replace(PLAN, new_labels=7))
    assert unit.read_text() == edited
    assert "labels 20" in (tmp_path / "system" / "imgsort-retrain.service").read_text()
    with pytest.raises(UnitProblem, match="was edited"):
        uninstall(PLAN, folders_of(tmp_path), force=False)
    placed = {one.path: one.kept for one in put(tmp_path, force=True)}
    kept = placed[unit]
    assert kept is not None
    assert (kept.read_text(), kept.suffix) == (edited, ".edited")
    assert seal_of(unit.read_text()).intact


def test_somebody_else_s_unit_is_left_alone(tmp_path: Path) -> None:
    """A file of that name that imgsort didn't write, and a unit that was masked."""
    folder = tmp_path / "system"
    folder.mkdir()
    (folder / "imgsort.service").write_text("[Service]\nExecStart=/bin/true\n")
    with pytest.raises(UnitProblem, match="was not made by imgsort; choose another name"):
        put(tmp_path)
    (folder / "imgsort.service").unlink()
    (folder / "imgsort.service").symlink_to("/dev/null")
    with pytest.raises(UnitProblem, match="was not made by imgsort"):
        put(tmp_path)


def test_another_workspace_s_unit_is_left_alone(tmp_path: Path) -> None:
    """Two workspaces need two names, and then both have their service."""
    put(tmp_path)
    other = replace(PLAN, workspace=Path("/srv/scans"))
    with pytest.raises(UnitProblem, match=r'serves another workspace, "/srv/photos"; choose'):
        put(tmp_path, other)
    assert fates(put(tmp_path, replace(other, name="scans"))) == {"new"}


def test_uninstalling_removes_all_of_it_and_nothing_else(tmp_path: Path) -> None:
    """Drop-ins and shared set-up too; a neighbour and a drop-in of one's own stay."""
    put(tmp_path, replace(PLAN, shared=True, gpu=True))
    neighbour = tmp_path / "system" / "other.service"
    own = tmp_path / "system" / "imgsort.service.d" / "override.conf"
    neighbour.touch()
    own.touch()
    assert fates(uninstall(PLAN, folders_of(tmp_path), force=False)) == {"removed"}
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {neighbour, own}
    with pytest.raises(NothingToDo, match=r"has no imgsort\.service"):
        uninstall(PLAN, folders_of(tmp_path), force=False)


def test_a_service_that_is_switched_on_is_not_uninstalled(tmp_path: Path) -> None:
    """The command to type first stands in the sentence."""
    put(tmp_path)
    wants = tmp_path / "system" / "multi-user.target.wants"
    wants.mkdir()
    (wants / "imgsort.service").symlink_to("../imgsort.service")
    with pytest.raises(
        UnitProblem,
        match=r"type `systemctl disable --now imgsort\.service imgsort-retrain\.timer` first",
    ):
        uninstall(PLAN, folders_of(tmp_path), force=False)
    assert (tmp_path / "system" / "imgsort.service").exists()


@pytest.mark.parametrize("edit", ["", " ", "\n", "# Made by me\n"])
def test_a_seal_tells_an_edit(edit: str) -> None:
    """Of the text, of the line with the workspace, or of the first line."""
    text = sealed("[Unit]\n", ROOT)
    assert seal_of(text).intact
    assert seal_of(text).workspace == '"/srv/photos"'
    assert seal_of(text + edit).intact is (edit == "")
    assert not seal_of(text.replace("/srv", "/opt")).intact
    assert seal_of(f"{edit}[Unit]\n").workspace is None


def put(output: Path, plan: UnitPlan = PLAN, *, force: bool = False) -> list[PlacedUnit]:
    return install(plan, rendered(plan), folders_of(output), force=force)


def fates(placed: list[PlacedUnit]) -> set[str]:
    return {one.fate for one in placed}
