"""`imgsort service`: the units as a user gets them, and the sentences when they can't be had."""

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.cli_runner import Answer, asked, tree

UNITS = {"imgsort.service", "imgsort-retrain.service", "imgsort-retrain.timer"}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A workspace as far as `service` looks at it, with all that needs quoting in its name."""
    root = tmp_path / "my photos 100%"
    root.mkdir()
    (root / "config.toml").touch()
    return root


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "imgsort"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def install(room: Path, program: Path, out: Path, *more: str) -> Answer:
    return asked(
        *("-C", room, "service", "install", "--program", program, "--output", out),
        *("--user", *more),
    )


def test_install_says_what_it_wrote_and_what_to_type(
    room: Path, program: Path, tmp_path: Path
) -> None:
    """Each file on a line, then the commands; the second time everything is the same."""
    out = tmp_path / "out"
    answer = install(room, program, out)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "".join(
        [
            *(f"new      {out}/user/{name}\n" for name in sorted(UNITS, key=_order)),
            "Now type:\n",
            "  systemctl --user daemon-reload\n",
            "  systemctl --user enable --now imgsort.service imgsort-retrain.timer\n",
            "  loginctl enable-linger\n",
            "  journalctl --user -u imgsort -f\n",
        ]
    )
    unit = (out / "user" / "imgsort.service").read_text()
    where = str(room).replace("%", "%%")
    assert f'\nExecStart=:"{program}" -C "{where}" run\n' in unit
    again = install(room, program, out).out
    assert again.count("same     ") == 3
    assert (out / "user" / "imgsort.service").stat().st_mode & 0o777 == 0o644


def _order(name: str) -> tuple[bool, str]:
    return "retrain" in name, name


def test_print_writes_nothing(room: Path, program: Path, tmp_path: Path) -> None:
    """The same text, and no file; `--dry-run` is another word for it."""
    before = tree(tmp_path)
    for word in ("--print", "--dry-run"):
        answer = asked("-C", room, "service", "install", "--user", "--program", program, word)
        assert answer.code == 0
        assert answer.out.count("# user/imgsort") == 3
        assert "\nWatchdogSec=60\n" in answer.out
    as_json = asked(
        "-C", room, "service", "install", "--user", "--program", program, "--print", "--json"
    ).json
    assert {Path(path).name for path in as_json} == UNITS
    assert tree(tmp_path) == before


def test_shared_is_told_how_to_give_the_folders_away(
    room: Path, program: Path, tmp_path: Path
) -> None:
    """User, owner, modes, members: each a command, with the workspace's name quoted."""
    answer = asked(
        *("-C", room, "service", "install", "--shared", "--program", program),
        *("--output", tmp_path / "out", "--json"),
    )
    assert answer.code == 0, answer.err
    commands = answer.json["commands"]
    assert commands[:2] == ["systemd-sysusers", f"chown -R imgsort:imgsort '{room}'"]
    assert commands[2].startswith(f"find '{room}/inbox' '{room}/sorted' ")
    assert "systemd-tmpfiles --create" in commands
    names = {Path(file["path"]).relative_to(tmp_path / "out") for file in answer.json["files"]}
    assert {Path("sysusers.d/imgsort.conf"), Path("tmpfiles.d/imgsort.conf")} <= names


def test_a_unit_somebody_edited_is_refused_in_one_sentence(
    room: Path, program: Path, tmp_path: Path
) -> None:
    """Until --force, which keeps the edited file and says where."""
    out = tmp_path / "out"
    install(room, program, out)
    unit = out / "user" / "imgsort.service"
    unit.write_text(unit.read_text() + "Nice=5\n")
    assert install(room, program, out).said == (
        1,
        f"{unit} was edited since imgsort wrote it; put your changes into a drop-in with "
        f"`systemctl edit`, then add --force (the edited file is kept as imgsort.service.edited).",
    )
    forced = install(room, program, out, "--force")
    assert f"changed  {unit} (the edited one is kept as {unit}.edited)\n" in forced.out


def test_uninstall_removes_them(room: Path, program: Path, tmp_path: Path) -> None:
    """And has nothing to do the second time (exit 4); the workspace is as it was."""
    out = tmp_path / "out"
    before = tree(room)
    install(room, program, out)
    command = ("-C", room, "service", "uninstall", "--user", "--output", out)
    answer = asked(*command)
    assert answer.code == 0
    assert answer.out.count("removed  ") == 3
    assert answer.out.endswith("Now type:\n  systemctl --user daemon-reload\n")
    assert asked(*command).said == (
        4,
        f"{out}/user has no imgsort.service, so there is nothing to remove; name another with "
        f"--name, or add --user for your own.",
    )
    assert tree(room) == before


def test_root_s_workspace_gets_no_daemon_of_root(room: Path, program: Path) -> None:
    """A system unit runs as the workspace's owner, and that must not be root."""
    if room.stat().st_uid != 0:
        pytest.skip("only root has a workspace of root's")
    assert asked("-C", room, "service", "install", "--program", program, "--print").said == (
        1,
        f"{room} belongs to root, and what opens strangers' pictures should not run as root; give "
        f"it to its user with `chown -R USER {room}`, or add --shared.",
    )


def test_a_workspace_of_somebody_else_gets_no_user_service(room: Path, program: Path) -> None:
    """It would run as the wrong person."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(room, 54321, 54321)
    answer = asked("-C", room, "service", "install", "--user", "--program", program, "--print")
    assert answer.said == (
        1,
        f"{room} belongs to 54321, and a user's service runs as that user; type this as 54321.",
    )
    system = asked("-C", room, "service", "install", "--program", program, "--print")
    assert "\nUser=54321\nGroup=54321\n" in system.out


def test_folders_that_cant_be_written_are_told(room: Path, program: Path, tmp_path: Path) -> None:
    """The path, the reason, and what would help."""
    (tmp_path / "file").touch()
    code, said = install(room, program, tmp_path / "file").said
    assert code == 1
    assert said.startswith(
        f"{tmp_path}/file/user/imgsort.service can't be written (Not a directory"
    )
    assert said.endswith("type this as root, or add --user for a service of your own.")


@pytest.mark.parametrize("name", ["../x", "a b", "", "-x", "a@b", "a%b"])
def test_a_name_systemd_would_misread_is_a_usage_error(
    room: Path, program: Path, tmp_path: Path, name: str
) -> None:
    """Exit 2, and nothing is written."""
    answer = install(room, program, tmp_path / "out", f"--name={name}")
    assert answer.code == 2
    assert not (tmp_path / "out").exists()


def test_shared_and_gpu_are_the_system_s(room: Path, program: Path, tmp_path: Path) -> None:
    """A user's own manager can give neither."""
    for option in ("--shared", "--gpu"):
        assert install(room, program, tmp_path / "out", option).code == 2


def test_a_bug_in_a_service_is_told_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the service's own /tmp would be gone with the service."""
    app = import_module("imgsort.cli.app")

    with (tmp_path / "journal").open("w") as journal:
        status = os.fstat(journal.fileno())
        monkeypatch.setattr(sys, "stderr", journal)
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        said = app._bug(KeyError("lost"))
    assert said == "imgsort has a bug (KeyError); please send the lines above."
    assert "KeyError: 'lost'" in (tmp_path / "journal").read_text()
