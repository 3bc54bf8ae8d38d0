"""`imgsort run` and `status`: the daemon as a user starts, watches and stops it."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli_runner import asked, contents, daemon_of, imgsort, read_until, wait_for


def test_photographs_are_sorted(home: Path, test_data: Path) -> None:
    """280 photographs: 97 % of what is filed is right, 60 % is filed, and no byte is lost."""
    photos = sorted((test_data / "cats_dogs_snakes").rglob("*.*"))
    for photo in photos:
        shutil.copy(photo, home / "inbox" / photo.name)
    before = contents(home / "inbox")
    answer = imgsort("-C", home, "run", "--once", "--json")
    assert answer.code == 0, answer.err
    assert answer.loaded.isdisjoint({"keras", "tensorflow", "sklearn", "matplotlib"})
    assert contents(home / "sorted", home / "unsure", home / "rejected") == before
    rows = asked("-C", home, "log", "--limit", "0", "--json").json
    assert (len(photos), len(rows), answer.json["images"]) == (280, 280, 280)
    truth = {photo.name: photo.parent.name.removesuffix("s") for photo in photos}
    filed = [row["label"] == truth[row["name"]] for row in rows if row["decision"] == "filed"]
    assert len(filed) >= 0.6 * len(photos)
    assert sum(filed) >= 0.97 * len(filed)
    assert all((home / row["path"]).is_file() for row in rows)


def test_generated_pictures_leave_the_inbox(home: Path, pictures: list[Path]) -> None:
    """One sentence at the end; what is no picture is told with its reason, by odd names too."""
    for picture in pictures:
        shutil.copy(picture, home / "inbox")
    odd = os.fsdecode(b"caf\xe9\n\x1b[31m.jpg")
    (home / "inbox" / odd).write_text("no picture")
    before = contents(home / "inbox")
    answer = imgsort("-C", home, "run", "--once")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("4 images in ")
    assert answer.out.endswith(" 1 rejected.\n")
    assert contents(home / "sorted", home / "unsure", home / "rejected") == before
    assert "\x1b" not in answer.out + answer.err
    table = asked("-C", home, "log")
    assert r"rejected/caf\xe9\n\x1b[31m.jpg  the content is text, not a picture" in table.out
    assert len(table.out.splitlines()) == 5


def test_the_inbox_missing_is_told(home: Path) -> None:
    """An inbox that isn't mounted is no empty inbox: nothing begins."""
    (home / "inbox").rmdir()
    assert imgsort("-C", home, "run").said == (
        1,
        f"{home}/inbox is missing; put it back (mount it?) or run `mkdir {home}/inbox`.",
    )


def test_a_disk_that_takes_nothing_is_told(home: Path, small_disk: Callable[[str], Path]) -> None:
    """Not as if its owner were wrong: a disk with errors becomes read-only by itself."""
    disk = small_disk("1m")
    (home / "sorted").rename(home / "kept")
    (home / "sorted").symlink_to(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    sentence = f"{home}/sorted is mounted read-only; mount it writable."
    assert imgsort("-C", home, "run", "--once").said == (1, sentence)
    assert f"wrong    {sentence}" in imgsort("-C", home, "check-config").out


def test_state_that_cant_be_written_is_told(home: Path, bound: list[str]) -> None:
    """The folder and what to do, whichever command meets it."""
    state = home / "state"
    state.chmod(0o555)
    sentence = f"{state} can't be written by this user; correct its owner or mode."
    assert imgsort("-C", home, "run", "--once", before=bound).said == (1, sentence)
    check = imgsort("-C", home, "check-config", before=bound)
    assert (check.code, f"wrong    {sentence}" in check.out) == (78, True)
    assert imgsort("-C", home, "log", before=bound).said == (
        78,
        f"{state} can't be written by this user; run imgsort as its owner, or correct its owner or "
        f"mode.",
    )
    code, said = imgsort("-C", home, "models", "activate", "v1", before=bound).said
    assert (code, said) == (0, "")


def test_the_second_daemon_is_told_who_holds_the_workspace(
    home: Path, daemon: subprocess.Popen[str]
) -> None:
    """Exit code 73 and the pid; `status` and `log` work meanwhile, `migrate` waits its turn."""
    holder = f"Another imgsort daemon (pid {daemon.pid}) holds {home}; stop it first, or let it do "
    for command in ("run", "migrate"):
        assert imgsort("-C", home, command).said == (73, f"{holder}the work.")
    status = asked("-C", home, "status", "--json")
    assert (status.code, status.json["daemon"]) == (0, {"alive": True, "pid": daemon.pid})
    assert status.json["live"]["state"] == "running"
    lines = asked("-C", home, "status").out.splitlines()
    assert lines[0] == f"workspace                   {home}"
    assert lines[1:4] == [
        "in sorted/                  0",
        "in unsure/                  0",
        "in rejected/                0",
    ]
    running = rf"daemon                      running, pid {daemon.pid}, since "
    assert re.fullmatch(running + r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", lines[4])
    assert "waiting                     0 in the inbox, 0 in work" in lines
    assert asked("-C", home, "log").code == 0
    daemon.send_signal(signal.SIGINT)
    out, _ = daemon.communicate(timeout=60)
    assert "0 images in " in out
    assert daemon.returncode == 0
    assert asked("-C", home, "status", "--json").json["daemon"] == {"alive": False, "pid": None}


def test_status_without_a_daemon(home: Path) -> None:
    """What can be known from the disk, times in UTC, and how to start one."""
    answer = imgsort("-C", home, "status", "--json")
    assert answer.loaded == frozenset()
    assert answer.json.keys() == {
        *("workspace", "daemon", "live", "last_error", "model", "model_problem", "log", "disk"),
        *("embeddings", "drift"),
    }
    assert answer.json["workspace"] == str(home)
    assert (answer.json["live"], answer.json["model"]["version"]) == (None, 1)
    assert answer.json["model"]["created_at"].endswith("Z")
    text = asked("-C", home, "status").out
    assert "daemon                      not running; start it with `imgsort run`\n" in text


def test_a_device_that_isnt_there_is_told(home: Path) -> None:
    """The key to change stands in the message."""
    config = (home / "config.toml").read_text()
    (home / "config.toml").write_text(config.replace("[model]", '[model]\ndevice = "gpu"'))
    answer = imgsort("-C", home, "run", "--once")
    if answer.code == 0:
        pytest.skip("this machine has a GPU")
    assert answer.said == (
        1,
        'No NVIDIA GPU is visible, but model.device is "gpu"; set it to "auto" in config.toml.',
    )


def test_a_full_disk_pauses_and_goes_on(
    home: Path, small_disk: Callable[[str], Path], pictures: list[Path]
) -> None:
    """The pictures stay in the inbox, one sentence says why, and room is all it takes."""
    disk = small_disk("90m")
    root = Path(shutil.copytree(home, disk / "photos", symlinks=True))
    waiting = [Path(shutil.copy(picture, disk)) for picture in pictures]
    with daemon_of(root) as process:
        fill = filled(disk)
        inbox = [path.rename(root / "inbox" / path.name) for path in waiting]
        said = read_until(process, "paused: ")
        assert "is full; make room on it; imgsort goes on by itself" in said
        assert [path for path in inbox if not path.exists()] == []
        fill.unlink()
        wait_for(lambda: not any(path.exists() for path in inbox), "the pictures to be filed")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "paused: " not in out
    assert out.splitlines()[-1].startswith("3 images in ")


def filled(disk: Path) -> Path:
    """A file that takes the last byte of the disk."""
    fill = disk / "fill"
    with fill.open("wb", buffering=0) as file:
        while _wrote(file.fileno(), bytes(65536)) or _wrote(file.fileno(), bytes(1)):
            pass
    return fill


def _wrote(descriptor: int, content: bytes) -> bool:
    try:
        return os.write(descriptor, content) == len(content)
    except OSError:
        return False


def test_a_disk_that_is_full_from_the_start_is_told(
    home: Path, small_disk: Callable[[str], Path], pictures: list[Path]
) -> None:
    """One sentence, and the pictures stay where they are."""
    disk = small_disk("90m")
    root = Path(shutil.copytree(home, disk / "photos", symlinks=True))
    picture = Path(shutil.copy(pictures[0], root / "inbox"))
    filled(disk)
    code, said = imgsort("-C", root, "run", "--once").said
    assert (code, "is full; make room on it" in said) == (1, True)
    assert picture.exists()
