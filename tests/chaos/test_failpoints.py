"""Kill a mover at every durable step, then kill its recovery: what does the workspace look like?"""

import hashlib
import os
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgsort.disk import failpoints
from tests.chaos.ledger import Harm, Ledger
from tests.chaos.movers import Movers

REPOSITORY = Path(__file__).parent.parent.parent
INTRUDER = b"somebody else's file"
PICTURES = {
    "a.jpg": b"cat 1",
    "sub/a.jpg": b"cat 2",
    "b.jpg": b"dog 1",
    "b.jpg.xmp": b"<xmp/>",
    "b.cr3": b"raw",
    "changed.jpg": b"cat 3",
    "contested.jpg": b"cat 4",
    "unsure.jpg": b"unsure 1",
    "broken.jpg": b"broken 1",
    "same.jpg": b"cat 1",
}
STEPS = {
    "rename": [*failpoints.NAMING, "after-source-fsync"],
    "copy-mode": [*failpoints.COPYING],
    "other-file-system": [*failpoints.COPYING, *failpoints.CROSSING, "after-source-fsync"],
    "no-noreplace": [*failpoints.NAMING, *failpoints.CROSSING, "after-source-fsync"],
    "no-links": [*failpoints.NAMING, "after-source-fsync"],
    "other-file-system, no-noreplace": [*failpoints.COPYING],
    "other-file-system, no-links": [*failpoints.COPYING],
}
WAYS = tuple(STEPS)
EVERYWHERE = [point for point in failpoints.FILING if point != "after-source-fsync"]
# Points that each file passes: die in the middle of the batch too.
PER_FILE = {"after-place", "after-unlink", *failpoints.COPYING, *failpoints.NAMING}
DEATHS = [
    (way, f"{point}:{hit}")
    for way in WAYS
    for point in (*([] if "," in way else EVERYWHERE), *STEPS[way])
    for hit in ((1, 4) if point in PER_FILE else (1,))
]
SECOND_DEATHS = [
    (way, first, second)
    for way, first in DEATHS
    for second in (*failpoints.RECOVERY, *EVERYWHERE, *STEPS[way])
    if second != "before-tx1"
]


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path | None]:
    """A folder in memory: a kill needs no disk, and it is another file system than tmp_path."""
    shared = Path("/dev/shm")  # noqa: S108 - every Linux has it
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == tmp_path.stat().st_dev:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="imgsort-", dir=shared))
    yield folder
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Scene:
    """A workspace with pictures in its inbox, and how its movers move."""

    root: Path
    way: str
    movers: Movers
    sorted: Path

    def die(self, action: str, failpoint: str) -> bool:
        return self.movers.run(action, self.root, way=self.way, failpoint=failpoint)

    def do(self, action: str) -> None:
        assert not self.movers.run(action, self.root, way=self.way)

    @property
    def copies(self) -> bool:
        return self.way == "copy-mode"

    def inbox(self) -> Counter[str]:
        return _contents(self.root / "inbox")

    def tree(self) -> dict[Path, str]:
        """SHA-256 of each file that is ours, in the folders where pictures end up."""
        folders = (self.sorted, self.root / "unsure", self.root / "rejected")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {path: _sha256(path) for path in files if path.read_bytes() != INTRUDER}

    def rows(self) -> dict[Path, str]:
        """The same, as the log has it."""
        with closing(sqlite3.connect(self.root / "state/imgsort.db")) as log:
            pictures = log.execute(
                "SELECT path_bytes, sha256 FROM arrivals JOIN images ON images.id = image_id"
                " WHERE state = 'filed'"
            ).fetchall()
            sidecars = log.execute(
                "SELECT target_bytes, sha256 FROM moves WHERE cause = 'sidecar' AND state = 'done'"
            ).fetchall()
        rows = [(self.root / os.fsdecode(path), sha256) for path, sha256 in pictures + sidecars]
        assert len(rows) == len(dict(rows)), "one place stands twice in the log"
        return dict(rows)

    def unfinished(self) -> int:
        with closing(sqlite3.connect(self.root / "state/imgsort.db")) as log:
            [[moves]] = log.execute("SELECT count(*) FROM moves WHERE state = 'planned'")
            [[arrivals]] = log.execute("SELECT count(*) FROM arrivals WHERE state = 'decided'")
        return int(moves + arrivals)


@pytest.fixture
def scene(
    way: str, tmp_path: Path, in_memory: Path | None, movers: Movers, empty_log: Path
) -> Scene:
    root = in_memory or tmp_path
    if way.startswith("other") and in_memory is None:
        pytest.skip("there is no second file system here")
    sorted_ = (tmp_path if way.startswith("other") else root) / "sorted"
    for folder in (
        sorted_,
        *(root / name for name in ("inbox/sub", "unsure", "rejected", "state")),
    ):
        folder.mkdir(parents=True)
    mode = "copy" if way == "copy-mode" else "move"
    (root / "config.toml").write_text(
        f'[folders]\nsorted = "{sorted_}"\n[filing]\nmode = "{mode}"\n'
    )
    shutil.copy(empty_log, root / "state/imgsort.db")
    for name, content in PICTURES.items():
        (root / "inbox" / name).write_bytes(content)
    return Scene(root, way, movers, sorted_)


@pytest.mark.parametrize(("way", "failpoint"), DEATHS)
def test_nothing_is_lost_or_filed_twice_when_a_mover_is_killed(
    scene: Scene, failpoint: str, ledger: Ledger
) -> None:
    """After a kill at any step and one recovery, log and folders agree, every picture is there."""
    assert scene.die("file-troubled", failpoint)

    scene.do("recover")

    ledger.fault("killed at a fail point", _harm(scene))
    _check_whole(scene)
    _check_the_rest_gets_filed(scene)


@pytest.mark.parametrize(
    ("way", "failpoint", "second"),
    [death for death in SECOND_DEATHS if death[1] == "after-place:4"],
)
def test_recovery_may_be_killed_too(
    scene: Scene, failpoint: str, second: str, ledger: Ledger
) -> None:
    """A recovery that dies half-way leaves nothing that the next one can't complete."""
    _check_second_death(scene, failpoint, second, ledger)


@pytest.mark.chaos
@pytest.mark.parametrize(("way", "failpoint", "second"), SECOND_DEATHS)
def test_recovery_may_be_killed_anywhere(
    scene: Scene, failpoint: str, second: str, ledger: Ledger
) -> None:
    """The same for every pair of a first and a second death."""
    _check_second_death(scene, failpoint, second, ledger)


@pytest.mark.parametrize("way", WAYS)
def test_recovery_of_a_sound_workspace_changes_nothing(scene: Scene) -> None:
    """Recovery is idempotent: tree and log are the same after it as before it."""
    scene.do("file-troubled")
    before = scene.tree(), scene.rows(), scene.inbox()

    scene.do("recover")

    assert (scene.tree(), scene.rows(), scene.inbox()) == before
    _check_whole(scene)


def test_every_fail_point_in_the_code_is_listed() -> None:
    """A point that no test kills at would be a step nobody has looked at."""
    code = "".join(
        path.read_text()
        for room in ("filing", "labels")
        for path in (REPOSITORY / "imgsort" / room).glob("*.py")
    )
    listed = {
        *failpoints.FILING,
        *failpoints.COPYING,
        *failpoints.NAMING,
        *failpoints.CROSSING,
        *failpoints.RECOVERY,
        *failpoints.RENAMING,
    }
    assert set(re.findall(r'failpoint\("([^"]+)"\)', code)) == listed


def _check_second_death(scene: Scene, failpoint: str, second: str, ledger: Ledger) -> None:
    assert scene.die("file-troubled", failpoint)
    died = scene.die("recover", second)  # not every recovery comes by every point

    scene.do("recover")

    ledger.fault("killed at a fail point, and in recovery", _harm(scene), 1 + died)
    _check_whole(scene)
    _check_the_rest_gets_filed(scene)


def _harm(scene: Scene) -> Harm:
    tree, inbox = scene.tree(), scene.inbox()
    sorted_, there = Counter(tree.values()), inbox
    if not scene.copies:
        sorted_ = there = inbox + sorted_
    everything = Counter(hashlib.sha256(content).hexdigest() for content in PICTURES.values())
    return Harm(
        (everything - there).total(),
        (sorted_ - everything).total(),
        len(set(scene.rows().items()) ^ set(tree.items())) + scene.unfinished(),
    )


def _check_whole(scene: Scene) -> None:
    tree = scene.tree()
    assert scene.rows() == tree
    assert scene.unfinished() == 0
    everything = Counter(hashlib.sha256(content).hexdigest() for content in PICTURES.values())
    if scene.copies:
        assert scene.inbox() == everything
        assert Counter(tree.values()) <= everything
    else:
        assert scene.inbox() + Counter(tree.values()) == everything


def _check_the_rest_gets_filed(scene: Scene) -> None:
    """What was deferred or never begun is a plain arrival for the next run."""
    scene.do("file")

    _check_whole(scene)
    everything = Counter(hashlib.sha256(content).hexdigest() for content in PICTURES.values())
    assert Counter(scene.tree().values()) == everything


def _contents(folder: Path) -> Counter[str]:
    return Counter(_sha256(path) for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
