"""The decoder pool: each file gets its outcome, whatever its bytes do to the process behind it."""

import ast
import hashlib
import importlib
import io
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgsort.disk.identity import Identity
from imgsort.images import ImageLimits
from imgsort.images.outcome import Attempts, Deferred, NoAttempts, Outcome, Picture, Refused
from imgsort.images.pool import DecoderPool
from imgsort.images.worker_messages import DecoderBug

LIMITS = ImageLimits(max_pixels=1_000_000, max_bytes=1_000_000)
MAGIC = (13, 37, 42)
MakePool = Callable[..., AbstractContextManager[DecoderPool]]


def png(path: Path, colour: tuple[int, int, int] = (200, 100, 50)) -> Path:
    Image.new("RGB", (20, 10), colour).save(path, "PNG")
    return path


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Decoders that misbehave, importable by worker processes."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "hooks")
    return importlib.import_module("decoder_hooks")


@pytest.fixture
def make_pool() -> MakePool:
    @contextmanager
    def make(*, attempts: Attempts | None = None, **changes: Any) -> Iterator[DecoderPool]:
        settings: dict[str, Any] = {"size": 32, "limits": LIMITS, "timeout_seconds": 30.0}
        settings |= {"memory_mb": 512, "workers": 1, "attempts": attempts or NoAttempts()}
        with DecoderPool(**(settings | changes)) as pool:
            yield pool

    return make


def outcomes(pool: DecoderPool, paths: list[Path]) -> list[Outcome]:
    return [future.result(timeout=120) for future in [pool.submit(path) for path in paths]]


class Ledger(NoAttempts):
    """Attempts that remember what was recorded, and when files are tried again."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def record(self, identity: Identity, path: Path, reason: str) -> None:
        super().record(identity, path, reason)
        self.reasons.append(reason)


def test_a_picture_comes_with_pixels_hash_and_identity_of_its_bytes(
    make_pool: MakePool, tmp_path: Path
) -> None:
    """What the pool tells is what the file holds."""
    path = png(tmp_path / "a.png")

    with make_pool() as pool:
        (outcome,) = outcomes(pool, [path])

    assert isinstance(outcome, Picture)
    assert outcome.path == path
    assert outcome.identity == Identity.of(path.stat())
    assert outcome.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (outcome.facts.width, outcome.facts.height, outcome.facts.format) == (20, 10, "PNG")
    assert outcome.pixels.shape == (32, 32, 3)
    assert (outcome.pixels == (200, 100, 50)).all()


def test_each_picture_keeps_its_own_pixels(make_pool: MakePool, tmp_path: Path) -> None:
    """A hundred pictures through two workers, one shelf each: no picture shows another's pixels."""
    paths = [png(tmp_path / f"{n}.png", (n, 2 * n, 255 - n)) for n in range(100)]

    with make_pool(workers=2) as pool:
        pictures = [one for one in outcomes(pool, paths) if isinstance(one, Picture)]

    seen = [tuple(int(c) for c in picture.pixels[16, 16]) for picture in pictures]
    assert [picture.path for picture in pictures] == paths
    assert seen == [(n, 2 * n, 255 - n) for n in range(100)]


def test_names_that_are_not_utf8_are_read(make_pool: MakePool, tmp_path: Path) -> None:
    """Any bytes that a file system allows name a picture."""
    path = png(Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff\xfe\n.png")))

    with make_pool() as pool:
        (outcome,) = outcomes(pool, [path])

    assert isinstance(outcome, Picture)
    assert outcome.path == path


def test_bad_bytes_are_refused_with_the_decoders_reason(
    make_pool: MakePool, tmp_path: Path
) -> None:
    """Text called .jpg and an empty file: the reason in words, the hash for the log."""
    text, empty = tmp_path / "a.jpg", tmp_path / "b.jpg"
    text.write_text("hello")
    empty.touch()

    with make_pool() as pool:
        first, second = outcomes(pool, [text, empty])

    digest = hashlib.sha256(b"hello").hexdigest()
    identity = Identity.of(text.stat())
    assert first == Refused(text, identity, digest, "the content is text, not a picture")
    assert isinstance(second, Refused)
    assert second.reason == "the file is empty"


def test_a_file_above_the_byte_cap_is_hashed_but_never_read_whole(
    make_pool: MakePool, tmp_path: Path
) -> None:
    """It is refused by its size; its hash is streamed."""
    path = png(tmp_path / "huge.png")
    os.truncate(path, 50_000_000)

    with make_pool(limits=ImageLimits(max_pixels=1000, max_bytes=40_000_000)) as pool:
        (outcome,) = outcomes(pool, [path])

    assert isinstance(outcome, Refused)
    assert outcome.reason == "it has 50.0 MB, and decode.max_file_mb is 40"
    assert outcome.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_no_regular_file_is_left_alone_without_waiting(
    make_pool: MakePool, tmp_path: Path
) -> None:
    """A pipe, a socket, a folder, links and a missing name: deferred, each with its reason."""
    target = png(tmp_path / "target.png")
    pipe, folder, link, loop = (tmp_path / f"{n}.jpg" for n in ("pipe", "folder", "link", "loop"))
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to(target)
    loop.symlink_to(loop)
    plug = tmp_path / "plug.jpg"
    expected = {
        pipe: "it is not a regular file",
        folder: "it is not a regular file",
        plug: "it is not a regular file",
        link: "it is a symbolic link, and links are not followed",
        loop: "it is a symbolic link, and links are not followed",
        tmp_path / "gone.jpg": "it vanished before it could be read",
    }
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(plug))
        with make_pool() as pool:
            found = outcomes(pool, list(expected))

    assert found == [Deferred(path, reason) for path, reason in expected.items()]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_left_alone(make_pool: MakePool, tmp_path: Path) -> None:
    """It stays where it is until somebody mends its mode."""
    path = png(tmp_path / "a.png")
    path.chmod(0)

    with make_pool() as pool:
        found = outcomes(pool, [path])

    assert found == [Deferred(path, "there is no permission to read it")]


def test_a_file_that_changes_while_it_is_read_is_left_for_later(
    make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """Pixels of bytes that are no longer there are worth nothing."""
    path = png(tmp_path / "a.png")
    with path.open("ab") as file:
        file.write(b"\0path:" + os.fsencode(path))

    with make_pool(decode=hooks.change_it) as pool:
        found = outcomes(pool, [path])

    assert found == [Deferred(path, "it changed while it was read")]


@pytest.mark.parametrize("hook", ["crash_on_magic", "exit_on_magic"])
def test_a_picture_that_crashes_the_decoder_is_refused_after_two_tries(
    hook: str, make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """Its neighbours, before and after, come out; each try is on record."""
    ledger = Ledger()
    paths = [png(tmp_path / f"{n}.png", MAGIC if n == 7 else (n, 0, 0)) for n in range(20)]

    with make_pool(decode=getattr(hooks, hook), attempts=ledger, workers=2) as pool:
        found = outcomes(pool, paths)

    bad = found.pop(7)
    assert all(isinstance(one, Picture) for one in found)
    assert isinstance(bad, Refused)
    assert bad.reason == "the decoder crashed on it (2 tries)"
    assert bad.sha256 == hashlib.sha256(paths[7].read_bytes()).hexdigest()
    assert ledger.reasons == ["the decoder crashed on it"] * 2


def test_a_share_that_stalls_costs_no_picture(
    make_pool: MakePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sound picture that can't be read now is left for later, and judged when it can."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "hooks")
    ledger = Ledger()
    path, away = png(tmp_path / "a.png"), tmp_path / "away"
    away.touch()

    with make_pool(decode=_of_the_share(), attempts=ledger, timeout_seconds=1.0) as pool:
        stalled = outcomes(pool, [path, path, path])
        away.unlink()
        (back,) = outcomes(pool, [path])

    assert (
        stalled
        == [Deferred(path, "its disk or share didn't answer within decode.timeout_seconds")] * 3
    )
    assert isinstance(back, Picture)
    assert ledger.reasons == []


def test_a_share_that_is_slow_costs_no_picture_either(
    make_pool: MakePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading may take longer than the time limit in all, as long as it gets on."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "hooks")
    path = png(tmp_path / "slow.png")

    with make_pool(decode=_of_the_share(), timeout_seconds=1.2) as pool:
        (outcome,) = outcomes(pool, [path])

    assert isinstance(outcome, Picture)


def _of_the_share() -> Any:
    """The import is for the workers: this process's own reads shall not stall."""
    read = os.read
    try:
        return importlib.import_module("stalled_share").decode
    finally:
        os.read = read


def test_a_decoder_that_hangs_costs_one_picture_its_time(
    make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """Stopped at the limit, tried once more, refused; the rest comes out."""
    ledger = Ledger()
    paths = [png(tmp_path / f"{n}.png", MAGIC if n == 1 else (n, 0, 0)) for n in range(5)]

    with make_pool(decode=hooks.hang_on_magic, attempts=ledger, timeout_seconds=1.5) as pool:
        found = outcomes(pool, paths)

    bad = found.pop(1)
    assert all(isinstance(one, Picture) for one in found)
    assert isinstance(bad, Refused)
    assert bad.reason == "decoding it took longer than 1.5 s (2 tries)"
    assert ledger.reasons == ["decoding it took longer than 1.5 s"] * 2
    assert pool.rebuilt == 2


def test_tries_of_an_earlier_run_count(make_pool: MakePool, hooks: Any, tmp_path: Path) -> None:
    """One crash before a restart leaves one try, two leave none: the file isn't opened again."""
    once, twice = png(tmp_path / "once.png", MAGIC), png(tmp_path / "twice.png", MAGIC)
    ledger = Ledger()
    for path, times in ((once, 1), (twice, 2)):
        for _ in range(times):
            ledger.record(Identity.of(path.stat()), path, "earlier")

    with make_pool(decode=hooks.crash_on_magic, attempts=ledger) as pool:
        first, second = outcomes(pool, [once, twice])

    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert second.reason == "the decoder crashed or hung on it (2 tries)"
    assert ledger.reasons == ["earlier"] * 3 + ["the decoder crashed on it"]


def test_a_try_is_recorded_before_the_next_one(
    make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """Where the record can't be written the file isn't tried again, and the caller is told."""

    class FullDisk(NoAttempts):
        def record(self, identity: Identity, path: Path, reason: str) -> None:  # noqa: ARG002
            raise OSError(28, "No space left on device")

    paths = [png(tmp_path / "a.png", MAGIC), png(tmp_path / "b.png")]
    with make_pool(decode=hooks.crash_on_magic, attempts=FullDisk()) as pool:
        bad, good = [pool.submit(path) for path in paths]
        with pytest.raises(OSError, match="No space left"):
            bad.result(timeout=60)
        assert isinstance(good.result(timeout=60), Picture)
        assert pool.rebuilt == 1


def test_a_picture_that_gets_its_worker_killed_each_time_is_refused_in_the_end(
    make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """Five kills are forgiven, as they may come from anywhere; then two more are its tries."""
    ledger = Ledger()
    paths = [png(tmp_path / "a.png", MAGIC), png(tmp_path / "b.png")]

    with make_pool(decode=hooks.killed_on_magic, attempts=ledger) as pool:
        bad, good = outcomes(pool, paths)

    reason = "the decoder was killed at it again and again, as when memory runs out"
    assert isinstance(good, Picture)
    assert isinstance(bad, Refused)
    assert bad.reason == f"{reason} (2 tries)"
    assert ledger.reasons == [reason] * 2
    assert pool.rebuilt == 7


def test_a_worker_may_not_take_more_memory_than_allowed(
    make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """Two more gigabytes are out of reach."""
    with make_pool(decode=hooks.greedy) as pool:
        (outcome,) = outcomes(pool, [png(tmp_path / "a.png")])

    assert isinstance(outcome, Refused)
    assert outcome.reason == "memory is limited"


def test_a_picture_larger_than_memory_allows_is_refused_and_the_worker_goes_on(
    make_pool: MakePool, tmp_path: Path
) -> None:
    """The reason names the setting; no crash, no try on record."""
    big, small = tmp_path / "big.png", png(tmp_path / "small.png")
    Image.new("RGB", (10_000, 9_000)).save(big, "PNG", compress_level=1)
    ledger = Ledger()
    limits = ImageLimits(max_pixels=100_000_000, max_bytes=10_000_000)

    with make_pool(limits=limits, memory_mb=256, attempts=ledger) as pool:
        bad, good = outcomes(pool, [big, small])

    assert isinstance(bad, Refused)
    assert bad.reason == "it needs more memory than decode.memory_mb allows"
    assert isinstance(good, Picture)
    assert (ledger.reasons, pool.rebuilt) == ([], 0)


def test_workers_are_confined_light_and_leave_ctrl_c_to_the_parent(
    make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """No core dumps, one thread, nothing of the program but what decoding needs."""
    with make_pool(decode=hooks.confess) as pool:
        (outcome,) = outcomes(pool, [png(tmp_path / "a.png")])

    assert isinstance(outcome, Refused)
    assert ast.literal_eval(outcome.reason) == {
        "heavy": [],
        "core": (0, 0),
        "interrupt": True,
        "threads": 1,
        "oom": "500",
    }


def test_codecs_do_not_write_to_our_streams(
    make_pool: MakePool, hooks: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """stdout is for results, and no library's chatter fills the log."""
    with make_pool(decode=hooks.chatty) as pool:
        outcomes(pool, [png(tmp_path / "a.png")])

    assert capfd.readouterr() == ("", "")


def test_a_bug_of_ours_reaches_the_caller(make_pool: MakePool, hooks: Any, tmp_path: Path) -> None:
    """It is raised by the future, not blamed on the file."""
    with (
        make_pool(decode=hooks.careless) as pool,
        pytest.raises(DecoderBug, match="LookupError: a bug"),
    ):
        pool.submit(png(tmp_path / "a.png")).result(timeout=60)


def test_closing_ends_what_was_begun_and_cancels_the_rest(
    make_pool: MakePool, hooks: Any, tmp_path: Path
) -> None:
    """Every future is done after close, with an outcome or cancelled; nothing waits for ever."""
    path = png(tmp_path / "a.png")

    with make_pool(decode=hooks.slow) as pool:
        futures = [pool.submit(path) for _ in range(50)]
        futures[0].result(timeout=60)

    assert all(future.done() for future in futures)
    assert any(future.cancelled() for future in futures)
    assert all(isinstance(f.result(), Picture) for f in futures if not f.cancelled())


def test_progress_is_seen_by_a_watchdog(make_pool: MakePool, tmp_path: Path) -> None:
    """Each outcome moves ``last_progress`` on."""
    with make_pool() as pool:
        before = pool.last_progress
        time.sleep(0.01)
        outcomes(pool, [png(tmp_path / "a.png")])

        assert before < pool.last_progress <= time.monotonic()


def test_nothing_is_left_open_behind(make_pool: MakePool, hooks: Any, tmp_path: Path) -> None:
    """Twenty crashes later the process has as many descriptors as after two."""
    paths = [png(tmp_path / f"{n}.png", MAGIC) for n in range(11)]

    with make_pool(decode=hooks.crash_on_magic) as pool:
        outcomes(pool, paths[:1])
        before = len(list(Path("/proc/self/fd").iterdir()))
        outcomes(pool, paths[1:])
        after = len(list(Path("/proc/self/fd").iterdir()))

    assert after <= before
    assert pool.rebuilt == 22


def test_the_main_module_is_back_after_a_worker_started(
    make_pool: MakePool, tmp_path: Path
) -> None:
    """Hiding the program's main module from workers leaves no trace in the program."""
    main = sys.modules["__main__"]

    with make_pool() as pool:
        outcomes(pool, [png(tmp_path / "a.png")])

    assert sys.modules["__main__"] is main


def test_the_pool_decodes_as_decode_does(make_pool: MakePool, tmp_path: Path) -> None:
    """One preprocessing: a picture from a worker equals the same bytes decoded here."""
    from imgsort.images import decode

    noise = np.random.default_rng(5).integers(0, 256, (150, 200, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=90)
    path = tmp_path / "a.jpg"
    path.write_bytes(buffer.getvalue())

    with make_pool() as pool:
        (outcome,) = outcomes(pool, [path])
    pixels, facts = decode(buffer.getvalue(), 32, LIMITS)

    assert isinstance(outcome, Picture)
    assert (outcome.pixels == pixels).all()
    assert outcome.facts == facts
