"""The daemon on real folders, a real database and a real small model."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imgsort.care.init import first_model
from imgsort.daemon.corrections import Corrections
from imgsort.daemon.inbox import empty_folders as tidy
from imgsort.daemon.inbox import source as source_module
from imgsort.daemon.late_sidecars import Latecomers
from imgsort.daemon.pipeline.embedding_writer import EmbeddingKeeper
from imgsort.daemon.reporting.metrics_exporter import Reporter
from imgsort.daemon.service import run as service
from imgsort.daemon.service import wiring
from imgsort.errors import DatabaseProblem, WorkspaceBusy, WorkspaceProblem
from imgsort.images.pool import DecoderPool
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.vocabulary import resolve
from imgsort.records.log import LogFilter, LogRow
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

PROGRAM = """
import sys
from pathlib import Path
from imgsort.daemon.service.run import run
from imgsort.workspace.workspace import Workspace
print(run(Workspace.open(Path(sys.argv[1]))))
"""
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def photos(test_data: Path) -> list[Path]:
    """A dozen photographs, four of each class."""
    folders = [test_data / "cats_dogs_snakes" / name for name in ("cats", "dogs", "snakes")]
    return [path for folder in folders for path in sorted(folder.iterdir())[:4]]


def configured(workspace: Workspace, text: str) -> Workspace:
    """The workspace with more in its config.toml."""
    with workspace.config_file.open("a") as file:
        file.write(text)
    return Workspace.open(workspace.root)


def dropped(workspace: Workspace, photos: list[Path]) -> list[Path]:
    """Copies of the photographs in the inbox."""
    return [Path(shutil.copy(photo, workspace.inbox)) for photo in photos]


def contents(*folders: Path) -> Counter[str]:
    """How often each content lies in these folders."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def logged(workspace: Workspace) -> list[LogRow]:
    with Store.open(workspace.database, root=workspace.root) as store:
        return list(store.log.rows(LogFilter(limit=None)))


def said(workspace: Workspace) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(workspace.status_file.read_text())
    return status


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited a minute for {what}"
        time.sleep(0.05)


class Daemon:
    """`imgsort run` in a process of its own, started and ready."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.log = workspace.root / "daemon.log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, self.log.open("w") as log:
            notices.bind(f"\0imgsort-test-{os.getpid()}-{id(self)}")
            notices.settimeout(60)
            environment = os.environ | {
                "NOTIFY_SOCKET": "@" + notices.getsockname()[1:].decode(),
                "PYTHONPATH": str(REPOSITORY),
            }
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(workspace.root)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            self.told = ""
            while not self.told.startswith("READY=1"):
                self.told = notices.recv(4096).decode()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it printed."""
        printed, _ = self.process.communicate(timeout=60)
        return self.process.returncode, printed

    def has_logged(self, text: str) -> bool:
        return text in self.log.read_text()


@pytest.fixture
def start(workspace: Workspace) -> Iterator[Callable[[], Daemon]]:
    daemons: list[Daemon] = []

    def started() -> Daemon:
        daemons.append(Daemon(workspace))
        return daemons[-1]

    yield started
    for daemon in daemons:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.communicate()


def test_photographs_are_filed_and_logged(workspace: Workspace, photos: list[Path]) -> None:
    """Rows are files, no byte is lost or altered, and what is filed is filed right."""
    dropped(workspace, photos[:6])
    (workspace.inbox / "trip" / "day one").mkdir(parents=True)
    for photo in photos[6:]:
        shutil.copy(photo, workspace.inbox / "trip" / "day one")
    before = contents(workspace.inbox)
    summary = service.run(workspace, once=True)
    folders = (workspace.sorted, workspace.unsure, workspace.rejected)
    assert contents(*folders) == before
    assert contents(workspace.inbox) == Counter()
    rows = logged(workspace)
    assert sorted(row.path for row in rows) == sorted(
        os.fspath(path.relative_to(workspace.root))
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    )
    assert (summary.filed + summary.unsure, summary.rejected) == (12, 0)
    truth = {path.name: path.parent.name.removesuffix("s") for path in photos}
    filed = [(row.label, truth[row.name]) for row in rows if row.decision == "filed"]
    assert len(filed) >= 6
    assert [label for label, true in filed if label != true] == []
    assert (workspace.inbox / "trip" / "day one").is_dir()


def test_the_heap_is_settled_and_trimmed(
    workspace: Workspace, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once before anything is opened, and again and again while it works."""
    done: list[str] = []
    monkeypatch.setattr(wiring, "settle_heap", lambda: done.append("settled"))
    monkeypatch.setattr(service, "give_back", lambda: done.append("given back"))
    monkeypatch.setattr(service, "TRIM_SECONDS", 0.0)
    dropped(workspace, photos)
    service.run(workspace, once=True)
    assert done[0] == "settled"
    assert set(done[1:]) == {"given back"}


def test_the_same_picture_twice_is_judged_once_and_filed_twice(
    workspace: Workspace, photos: list[Path]
) -> None:
    """A prediction belongs to the content, an arrival to each drop."""
    for name in ("one.jpg", "two.jpg"):
        shutil.copy(photos[0], workspace.inbox / name)
    service.run(workspace, once=True)
    shutil.copy(photos[0], workspace.inbox / "one.jpg")
    service.run(workspace, once=True)
    rows = logged(workspace)
    assert sorted(row.name for row in rows) == ["one.jpg", "one.jpg", "two.jpg"]
    assert len({row.path for row in rows}) == 3
    assert len({(row.sha256, row.label, row.confidence, row.predicted_at) for row in rows}) == 1


def test_bad_neighbours_harm_nobody(workspace: Workspace, photos: list[Path]) -> None:
    """Cut short: rejected with a reason. Pipes, links, RAW: left and named. Good ones: filed."""
    good = dropped(workspace, photos[:2])
    (workspace.inbox / "cut.jpg").write_bytes(photos[0].read_bytes()[:2000])
    (workspace.inbox / "empty.png").touch()
    (workspace.inbox / "shot.cr3").write_bytes(b"raw")
    (workspace.inbox / "link.jpg").symlink_to(photos[0])
    os.mkfifo(workspace.inbox / "pipe.jpg")
    summary = service.run(workspace, once=True)
    rejected = {row.name: row.reason for row in logged(workspace) if row.decision == "rejected"}
    assert set(rejected) == {"cut.jpg", "empty.png"}
    assert all(rejected.values())
    assert summary.images == len(good) + 2
    left = {path.name for path in workspace.inbox.iterdir()}
    assert left == {"shot.cr3", "link.jpg", "pipe.jpg"}
    status = said(workspace)
    assert status["unsupported"] == {"count": 1, "examples": ["shot.cr3"]}
    assert status["left_for_kind"] == {"raw": 1}
    assert status["left_in_place"]["count"] == 2


def test_a_picture_is_never_judged_by_half(
    workspace: Workspace, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow writer, and a daemon that is started again and again meanwhile."""
    monkeypatch.setattr(source_module, "ONCE_PATIENCE", 0.2)
    workspace = configured(workspace, "[watch]\nsettle_seconds = 0.1\n")
    whole = photos[0].read_bytes()
    slow = workspace.inbox / "slow.png"
    with slow.open("wb") as writing:
        for step in range(3):
            writing.write(whole[step * 1000 : (step + 1) * 1000])
            writing.flush()
            summary = service.run(workspace, once=True)
            assert (summary.images, summary.still_written) == (0, ("slow.png",))
        writing.write(whole[3000:])
    service.run(workspace, once=True)
    assert [row.sha256 for row in logged(workspace)] == [hashlib.sha256(whole).hexdigest()]


def test_copies_are_made_once(workspace: Workspace, photos: list[Path]) -> None:
    """Mode copy leaves the inbox as it is, however often the daemon runs."""
    workspace = configured(workspace, '[filing]\nmode = "copy"\n')
    dropped(workspace, photos[:3])
    before = contents(workspace.inbox)
    assert service.run(workspace, once=True).images == 3
    assert service.run(workspace, once=True).images == 0
    assert contents(workspace.inbox) == before
    assert contents(workspace.sorted, workspace.unsure) == before


def test_emptied_subfolders_go_only_if_the_user_says_so(
    workspace: Workspace, photos: list[Path]
) -> None:
    """The folder that pictures came from, and those above it that are empty then."""
    workspace = configured(workspace, "[filing]\nremove_empty_subfolders = true\n")
    (workspace.inbox / "a" / "b").mkdir(parents=True)
    (workspace.inbox / "never used").mkdir()
    shutil.copy(photos[0], workspace.inbox / "a" / "b")
    service.run(workspace, once=True)
    assert [path.name for path in workspace.inbox.iterdir()] == ["never used"]


def test_a_folder_just_emptied_is_left_for_a_while(tmp_path: Path) -> None:
    """Somebody may be copying into it."""
    (tmp_path / "a").mkdir()
    tidier = tidy.Tidier(tmp_path)
    tidier.taken_from(tmp_path / "a", now=100.0)
    tidier.sweep(now=105.0)
    assert (tmp_path / "a").is_dir()
    tidier.sweep(now=111.0)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told_before_anything_begins(workspace: Workspace) -> None:
    """An inbox that isn't mounted is no empty inbox."""
    workspace.inbox.rmdir()
    with pytest.raises(WorkspaceProblem, match=r"inbox is missing; put it back"):
        service.run(workspace, once=True)


def test_a_damaged_database_is_never_used(workspace: Workspace, photos: list[Path]) -> None:
    """Exit 78, and no picture is touched."""
    picture = dropped(workspace, photos[:1])[0]
    with workspace.database.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))
    with pytest.raises(DatabaseProblem):
        service.run(workspace, once=True)
    assert picture.exists()


def test_it_files_what_arrives_until_it_is_told_to_stop(
    workspace: Workspace, photos: list[Path], start: Callable[[], Daemon]
) -> None:
    """READY, an image, SIGTERM: what was in hand is finished, the exit code is 0."""
    daemon = start()
    assert daemon.told.startswith("READY=1\n")
    assert said(workspace)["state"] == "running"
    dropped(workspace, photos[:3])
    wait_for(lambda: not list(workspace.inbox.iterdir()), "three images to be filed")
    daemon.signal(signal.SIGTERM)
    code, printed = daemon.ended()
    assert (code, printed.split(" in ")[0]) == (0, "3 images")
    assert len(logged(workspace)) == 3
    assert said(workspace)["state"] == "stopped"
    assert "waiting" in daemon.log.read_text()


def test_there_is_one_daemon_a_workspace(workspace: Workspace, start: Callable[[], Daemon]) -> None:
    """The second one is told who holds it."""
    daemon = start()
    with pytest.raises(WorkspaceBusy, match=rf"pid {daemon.process.pid}\)"):
        service.run(workspace, once=True)


def test_a_destination_that_is_gone_pauses_until_it_is_back(
    workspace: Workspace, photos: list[Path], start: Callable[[], Daemon]
) -> None:
    """The images wait in the inbox, the status says why, and it goes on by itself."""
    start()
    away = workspace.root / "away"
    workspace.sorted.rename(away)
    picture = dropped(workspace, photos[:1])[0]
    wait_for(lambda: said(workspace)["state"] == "paused", "the pause")
    assert "sorted is missing" in said(workspace)["paused_reason"]
    assert picture.exists()
    away.rename(workspace.sorted)
    wait_for(lambda: not picture.exists(), "the image to be filed")
    wait_for(lambda: said(workspace)["state"] == "running", "the end of the pause")


def test_a_new_configuration_is_taken_whole_or_not_at_all(
    workspace: Workspace, photos: list[Path], start: Callable[[], Daemon]
) -> None:
    """SIGHUP: a broken file changes nothing, a good one counts from the next batch on."""
    daemon = start()
    good = workspace.config_file.read_text()
    workspace.config_file.write_text(good + '[filing]\ntemplate = "{label}/new_{name}"\n[oops]\n')
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: daemon.has_logged("oops: no such key"), "the complaint")
    dropped(workspace, photos[4:5])
    wait_for(lambda: logged(workspace), "an image under the old configuration")
    workspace.config_file.write_text(
        good + 'confidence = 0.0\nbatch_size = 16\n[filing]\ntemplate = "{label}/new_{name}"\n'
    )
    daemon.signal(signal.SIGHUP)
    wait_for(
        lambda: daemon.has_logged("restart imgsort run for the new model.batch_size"), "SIGHUP"
    )
    dropped(workspace, photos[8:9])
    wait_for(lambda: len(logged(workspace)) == 2, "an image under the new configuration")
    names = [Path(row.path).name for row in logged(workspace)]
    assert names == [f"new_{photos[8].name}", photos[4].name]


def test_a_configuration_put_right_is_taken_and_its_error_goes(
    workspace: Workspace, start: Callable[[], Daemon]
) -> None:
    """The reload that failed is made up for; status says nothing any more of what was wrong."""
    daemon = start()
    good = workspace.config_file.read_text()
    workspace.config_file.write_text(good + "[oops]\n")
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: "oops" in (said(workspace)["last_error"] or ""), "the error in the status")
    workspace.config_file.write_text(good + "[opps]\n")
    wait_for(lambda: "opps" in said(workspace)["last_error"], "the error after another slip")
    workspace.config_file.write_text(good)
    wait_for(lambda: said(workspace)["last_error"] is None, "the end of the error")
    assert daemon.has_logged("config.toml was read again")
    assert said(workspace)["state"] == "running"


@pytest.mark.parametrize("part", [Latecomers, Reporter, EmbeddingKeeper, Corrections, DecoderPool])
def test_a_thread_that_dies_is_noticed(
    workspace: Workspace, part: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon ends with what the thread died of, for its supervisor to start it anew; the status
    says why."""

    def die(*_: object) -> None:
        raise RuntimeError(f"the {part.__name__} has a bug")

    body = {DecoderPool: "_serve", Corrections: "_tick"}.get(part, "_run")
    monkeypatch.setattr(part, body, die)
    with pytest.raises(RuntimeError, match=f"the {part.__name__} has a bug"):
        service.run(workspace)
    assert f"the {part.__name__} has a bug" in said(workspace)["last_error"]


def test_another_model_takes_over_between_batches(
    workspace: Workspace,
    photos: list[Path],
    lite0: InstalledBackbone,
    start: Callable[[], Daemon],
) -> None:
    """Activated while the daemon runs: used at once, and a damaged one leaves the old in place."""
    start()
    dropped(workspace, photos[:1])
    wait_for(lambda: len(logged(workspace)) == 1, "an image under v1")
    card = first_model(workspace, lite0, resolve(["animal"]))
    assert card.version == 2
    time.sleep(1.1)  # the pointer is looked at once a second
    dropped(workspace, photos[1:2])
    wait_for(lambda: len(logged(workspace)) == 2, "an image under v2")
    damaged = workspace.models / "v0003"
    shutil.copytree(workspace.models / "v0002", damaged)
    (damaged / "head.safetensors").write_bytes(b"no model")
    (workspace.models / "active").unlink()
    (workspace.models / "active").symlink_to("v0003")
    time.sleep(1.1)
    dropped(workspace, photos[2:3])
    wait_for(lambda: len(logged(workspace)) == 3, "an image in spite of v3")
    assert [(row.model, row.label) for row in logged(workspace)][:2] == [(2, "animal")] * 2
    complaint = "model v3 can't be used, v2 goes on"
    wait_for(lambda: complaint in (said(workspace)["last_error"] or ""), "the complaint")


def test_replaced_settings_never_reach_the_folders(workspace: Workspace) -> None:
    """What can't change while it runs keeps its old value, key by key."""
    from imgsort.daemon.service.reload import reloaded

    old = workspace.config
    new = replace_sections(old)
    taken = reloaded(old, new)
    assert taken.waiting == ("folders.inbox", "filing.mode")
    assert taken.config.folders == old.folders
    assert (taken.config.filing.mode, taken.config.filing.template) == ("move", "{label}/x_{name}")


def replace_sections(old: Any) -> Any:
    filing = old.filing.model_copy(update={"mode": "copy", "template": "{label}/x_{name}"})
    folders = old.folders.model_copy(update={"inbox": "elsewhere"})
    return old.model_copy(update={"filing": filing, "folders": folders})
