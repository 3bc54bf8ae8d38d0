"""Three stages side by side: order, limits, troubles that pass, and troubles that don't."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from imgsort.daemon.inbox.probe import LeftAlone
from imgsort.daemon.pipeline import pipeline as pipeline_module
from imgsort.daemon.pipeline.double_buffer import HANDS
from imgsort.daemon.pipeline.pipeline import Listener, Pace, Pipeline, Stages
from imgsort.disk.identity import Identity
from imgsort.errors import FilingPaused, StorageFailed, StoreBusy
from imgsort.filing import Candidate, Done, InboxPicture
from imgsort.filing.errand import Errand
from imgsort.filing.mover import Refusal
from imgsort.images import ImageFacts
from imgsort.images.outcome import Deferred, Outcome, Picture, Refused
from imgsort.models.runtimes import DeviceMemoryExhausted
from imgsort.records.verdict import Verdict
from tests.cli_runner import wait_for

FACTS = ImageFacts(8, 8, "JPEG", None, None, 0)
SURE = Verdict("cat", 0.9, "filed", None, ())


class FakeDecoder:
    """Decodes by name: bad* is refused, gone* deferred, anything else a picture."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(2)
        self.submitted = 0

    def submit(self, path: Path) -> "Future[Outcome]":
        self.submitted += 1
        return self.pool.submit(self.decoded, path)

    def decoded(self, path: Path) -> Outcome:
        identity = Identity(1, hash(path), 1, 1)
        if path.name.startswith("gone"):
            return Deferred(path, "it vanished before it could be read")
        if path.name.startswith("bad"):
            return Refused(path, identity, path.name, "the file is cut short")
        return Picture(path, identity, path.name, FACTS, np.zeros((8, 8, 3), np.uint8))


class FakeInference:
    """Sure of everything; remembers the sizes of its batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.before: Callable[[], None] = lambda: None

    def judge(self, batch: Sequence[InboxPicture]) -> list[InboxPicture]:
        self.before()
        self.sizes.append(len(batch))
        return [
            replace(one, verdict=SURE, model=1) if isinstance(one.outcome, Picture) else one
            for one in batch
        ]


class FakeFiling:
    """Files everything in a list."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def file(self, batch: Sequence[InboxPicture]) -> list[Done]:
        self.before()
        self.names += [judged.outcome.path.name for judged in batch]
        return [done(judged) for judged in batch]


def done(judged: InboxPicture, refusal: Refusal | None = None) -> Done:
    path, identity, sha256 = judged.outcome.path, judged.outcome.identity, judged.outcome.sha256
    wanted = Path("/sorted", path.name)
    errand = Errand(None, path, identity, sha256, wanted, "file")
    return Done(errand, path if refusal else wanted, refusal)


class Recorder(Listener):
    def __init__(self) -> None:
        self.left: dict[str, str] = {}
        self.filed: list[str] = []
        self.batches: list[int] = []
        self.troubles: list[str | None] = []
        self.in_the_way: list[str] = []
        self.quiet = 0.0

    def finished(self, path: Path, left: LeftAlone | None) -> None:
        if left is None:
            self.filed.append(path.name)
        else:
            self.left[path.name] = left.reason

    def batch(self, batch: Sequence[Done], seconds: float) -> None:
        assert seconds >= 0
        self.batches.append(len(batch))

    def quiet_seconds(self) -> float:
        return self.quiet

    def hindrance(self) -> str | None:
        return self.in_the_way.pop() if self.in_the_way else None

    def paused(self, stage: str, trouble: str | None) -> None:
        assert stage in {"infer", "file"}
        self.troubles.append(trouble)


class Rig:
    """A pipeline of fakes."""

    def __init__(self, names: Sequence[str], pace: Pace) -> None:
        self.decoder, self.inference, self.filing = FakeDecoder(), FakeInference(), FakeFiling()
        self.listener = Recorder()
        self.pulled = 0
        stages = Stages(self.decoder, self.inference, self.filing)
        self.pipeline = Pipeline(self.candidates(names), stages, self.listener, pace)

    def candidates(self, names: Sequence[str]) -> Iterator[Candidate]:
        for name in names:
            self.pulled += 1
            yield Candidate(Path("/inbox", name), b"", datetime.now(UTC), time.monotonic())

    def run(self) -> None:
        self.pipeline.start()
        assert self.pipeline.join(30)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "RETRY_SECONDS", 0.02)


def test_every_candidate_is_filed_or_left_with_its_reason() -> None:
    """Pictures and refused files are filed, deferred ones stay; then the pipeline is dry."""
    rig = Rig(["a", "bad", "gone", "b"], Pace(2, 0.01))
    rig.run()
    assert sorted(rig.filing.names) == ["a", "b", "bad"]
    assert sorted(rig.listener.filed) == ["a", "b", "bad"]
    assert rig.listener.left == {"gone": "it vanished before it could be read"}


def test_batches_have_the_size_asked_for() -> None:
    """A long queue makes full batches and one rest."""
    rig = Rig([f"{n}" for n in range(70)], Pace(32, 5.0))
    rig.run()
    assert sorted(rig.inference.sizes) == [6, 32, 32]
    assert sum(rig.listener.batches) == 70


def test_a_backlog_goes_through_the_journal_together() -> None:
    """What waits while one batch is filed is filed with the next, 256 pictures or a batch more at
    most; each picture once."""
    rig = Rig([f"{n}" for n in range(400)], Pace(40, 5.0))
    gate = threading.Event()
    rig.filing.before = lambda: (gate.wait(30), None)[1]
    rig.pipeline.start()
    wait_for(lambda: len(rig.inference.sizes) == 10, "all but the last are judged")
    time.sleep(0.1)
    gate.set()
    assert rig.pipeline.join(30)
    assert max(rig.listener.batches) == 280
    assert sorted(rig.listener.filed, key=int) == [f"{n}" for n in range(400)]


def test_no_more_is_taken_than_two_batches_ahead_of_those_judged() -> None:
    """While inference stands still, the rest waits in the inbox."""
    rig = Rig([f"{n}" for n in range(1000)], Pace(16, 30.0))
    gate = threading.Event()
    rig.inference.before = lambda: (gate.wait(30), None)[1]
    rig.pipeline.start()
    wait_for(lambda: rig.decoder.submitted >= HANDS * 16 + 2 * 16, "two batches ahead")
    time.sleep(0.2)  # nothing more comes
    assert rig.decoder.submitted == HANDS * 16 + 2 * 16
    gate.set()
    assert rig.pipeline.join(30)
    assert len(rig.listener.filed) == 1000


def test_nobody_waits_for_a_full_batch() -> None:
    """A single image goes on after the waiting time."""
    rig = Rig(["a"], Pace(32, 0.01))
    rig.run()
    assert rig.inference.sizes == [1]


def test_one_that_is_alone_waits_for_nobody() -> None:
    """Where no other is to come for longer than a batch would wait, a picture goes on at once;
    where one is, it waits for it."""
    more = threading.Event()
    for quiet, filed in ((120.0, 1), (30.0, 0)):
        rig = Rig(["a"], Pace(32, 60.0))
        rig.listener.quiet = quiet
        rig.pipeline = Pipeline(
            _until(more, rig.candidates(["a"])), rig.pipeline.stages, rig.listener, Pace(32, 60.0)
        )
        rig.pipeline.start()
        wait_for(partial(_has_decoded, rig), "it is decoded")
        if filed:
            wait_for(partial(_has_filed, rig), "it is filed by itself")
        else:
            time.sleep(0.3)
        assert len(rig.listener.filed) == filed
        more.set()
        assert rig.pipeline.join(30)
        assert rig.listener.filed == ["a"]
        more.clear()


def _has_decoded(rig: Rig) -> bool:
    return rig.decoder.submitted == 1


def _has_filed(rig: Rig) -> bool:
    return bool(rig.listener.filed)


def _until(more: threading.Event, candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    """Sleeps when they are through, as the source does."""
    yield from candidates
    more.wait(30)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (StoreBusy("locked"), "locked"),
        (
            FilingPaused(Path("/sorted"), "it is full"),
            "/sorted can't take pictures: it is full; they wait in the inbox.",
        ),
        (
            DeviceMemoryExhausted("no"),
            "The GPU's memory is used up; end other programs that use it.",
        ),
        (
            MemoryError(),
            "The memory is used up; end other programs, or lower model.batch_size.",
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_passing_trouble_is_waited_out(trouble: Exception, words: str) -> None:
    """Said, tried again, over: nothing lost, nothing filed twice."""
    rig = Rig(["a", "b", "c"], Pace(1, 0.01))
    failures = [trouble, trouble]

    def stumble() -> None:
        if failures:
            raise failures.pop()

    of_inference = isinstance(trouble, DeviceMemoryExhausted | MemoryError)
    stage = rig.inference if of_inference else rig.filing
    stage.before = stumble
    rig.run()
    assert rig.listener.troubles.count(words) == 2
    assert set(rig.listener.troubles) == {words, None}
    assert rig.listener.troubles[-1] is None
    assert sorted(rig.filing.names) == ["a", "b", "c"]


def test_nothing_is_filed_while_a_folder_is_unmounted() -> None:
    """The listener's word counts before each batch."""
    rig = Rig(["a"], Pace(1, 0.01))
    rig.listener.in_the_way = ["sorted is no longer mounted"]
    rig.run()
    assert rig.listener.troubles == ["sorted is no longer mounted", None]
    assert rig.listener.filed == ["a"]


def test_in_a_hurry_what_cannot_be_filed_stays_in_the_inbox() -> None:
    """Stopping on a full disk ends at once."""
    rig = Rig(["a", "b"], Pace(1, 0.01))

    def full() -> None:
        rig.pipeline.hurry()
        raise FilingPaused(Path("/sorted"), "it is full")

    rig.filing.before = full
    rig.run()
    assert rig.listener.left == {"a": "imgsort is stopping", "b": "imgsort is stopping"}


def test_a_batch_whose_folder_alone_pauses_lets_the_others_pass() -> None:
    """Its images are set aside; those behind them are filed."""
    rig = Rig(["a", "b"], Pace(1, 0.01))
    real, pause = rig.filing.file, FilingPaused(Path("/sorted/cat"), "a link", alone=True)

    def file(batch: Sequence[InboxPicture]) -> list[Done]:
        refused = [one for one in batch if one.outcome.path.name == "a"]
        others = real([one for one in batch if one not in refused])
        return [*(done(one, Refusal("a link", pause)) for one in refused), *others]

    rig.filing.file = file  # type: ignore[method-assign]
    rig.run()
    assert rig.listener.troubles == []
    assert (rig.listener.left, rig.listener.filed) == ({"a": "a link"}, ["b"])


def test_a_batch_that_only_waits_for_the_disk_pauses() -> None:
    """Otherwise the same images would be decoded over and over."""
    rig = Rig(["a"], Pace(1, 0.01))
    real, pause = rig.filing.file, FilingPaused(Path("/sorted/cat"), "it is full")
    answers = [True]

    def file(batch: Sequence[InboxPicture]) -> list[Done]:
        if answers:
            answers.clear()
            return [done(one, Refusal("full", pause)) for one in batch]
        return real(batch)

    rig.filing.file = file  # type: ignore[method-assign]
    rig.run()
    assert rig.listener.troubles == [str(pause), None]
    assert rig.listener.filed == ["a"]
    assert rig.decoder.submitted == 1


@pytest.mark.parametrize("stage", ["infer", "file", "decode", "listener"])
def test_a_stage_that_fails_while_the_inbox_is_quiet_is_noticed_at_once(stage: str) -> None:
    """No second picture has to come for it: who watches over the daemon starts it again."""
    rig = Rig([], Pace(4, 0.01))
    over = threading.Event()

    def one_then_quiet() -> Iterator[Candidate]:
        yield Candidate(Path("/inbox/a"), b"", datetime.now(UTC), time.monotonic())
        over.wait(30)

    failure = StorageFailed("the disk is broken")

    def fail(*_: object) -> None:
        raise failure

    rig.pipeline = Pipeline(
        one_then_quiet(),
        Stages(rig.decoder, rig.inference, rig.filing),
        rig.listener,
        Pace(4, 0.01),
    )
    if stage == "decode":
        rig.decoder.decoded = fail  # type: ignore[method-assign,assignment]
    elif stage == "infer":
        rig.inference.before = fail
    elif stage == "file":
        rig.filing.before = fail
    else:
        rig.listener.took = fail  # type: ignore[method-assign,assignment]
    rig.pipeline.start()
    noticed: Exception | None = None
    for _ in range(200):
        try:
            rig.pipeline.join(0.05)
        except StorageFailed as raised:
            noticed = raised
            break
    over.set()
    assert noticed is failure
    assert rig.pipeline.ended(10)


@pytest.mark.parametrize("stage", ["infer", "file", "decode"])
def test_a_failed_stage_brings_the_others_down(stage: str) -> None:
    """Never a silent hang: the failure comes out of join, whatever the other stages do."""
    rig = Rig([f"{n}" for n in range(500)], Pace(4, 0.01))
    failure = StorageFailed("the disk is broken")

    def fail() -> None:
        raise failure

    def decode(path: Path) -> "Future[Outcome]":
        raise failure

    if stage == "decode":
        rig.decoder.submit = decode  # type: ignore[method-assign]
    elif stage == "infer":
        rig.inference.before = fail
    else:
        rig.filing.before = fail
    rig.pipeline.start()
    with pytest.raises(StorageFailed, match="the disk is broken"):
        rig.pipeline.join(30)
    assert rig.pipeline.ended(0)
