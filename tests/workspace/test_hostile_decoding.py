"""Hundreds of odd files, and workers killed at random: every file gets its outcome, in words."""

import ctypes
import gc
import importlib
import multiprocessing.forkserver
import os
import random
import signal
import tarfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgsort.disk.identity import Identity
from imgsort.images import ImageLimits
from imgsort.images.outcome import Deferred, NoAttempts, Outcome, Picture, Refused
from imgsort.images.pool import DecoderPool

LIMITS = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
TECHNICAL = ("error", "0x", "bytesio", "exception", "traceback", "none", "errno", "\n")


@pytest.fixture(scope="module")
def hostile(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of odd files, unpacked. Links out of the folder stay in the archive."""
    archive = test_data / "hostile.tar.gz"
    if not archive.is_file():
        pytest.skip(f"no hostile.tar.gz in {test_data}")
    folder = tmp_path_factory.mktemp("hostile")
    with tarfile.open(archive, errors="surrogateescape") as tar:
        tar.extractall(folder, [one for one in tar if one.isfile()], filter="data")
    return folder


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "hooks")
    return importlib.import_module("decoder_hooks")


@pytest.fixture
def good(tmp_path: Path) -> list[Path]:
    """Two hundred pictures, each of its own colour."""
    paths = [tmp_path / f"good-{n}.png" for n in range(200)]
    for n, path in enumerate(paths):
        Image.new("RGB", (40, 30), (n, 255 - n, 7)).save(path)
    return paths


def pool_of(**changes: Any) -> DecoderPool:
    settings: dict[str, Any] = {"size": 64, "limits": LIMITS, "timeout_seconds": 60.0}
    settings |= {"memory_mb": 1024, "workers": 2, "attempts": NoAttempts()}
    return DecoderPool(**(settings | changes))


def outcomes(pool: DecoderPool, paths: list[Path]) -> list[Outcome]:
    return [future.result(timeout=300) for future in [pool.submit(path) for path in paths]]


def is_good(outcome: Outcome, number: int) -> bool:
    return isinstance(outcome, Picture) and bool(
        (outcome.pixels == (number, 255 - number, 7)).all()
    )


def own_memory() -> int:
    """Resident bytes of this process (proc_pid_statm(5)), without what other tests left to free."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def workers() -> list[int]:
    """Process ids of the living decoder workers: the fork server's children."""
    server = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    text = Path(f"/proc/{server}/task/{server}/children").read_text()
    return [int(each) for each in text.split()]


def test_every_hostile_file_decodes_or_is_refused_in_words(hostile: Path, good: list[Path]) -> None:
    """Nothing else happens, no worker is lost, and the good neighbours come out whole."""
    bad = sorted(Path(parent, name) for parent, _, names in os.walk(hostile) for name in names)
    mixed = [path for pair in zip(bad, good * 3, strict=False) for path in pair]

    with pool_of() as pool:
        found = dict(zip(mixed, outcomes(pool, mixed), strict=True))
        rebuilt = pool.rebuilt

    assert len(bad) > 500
    assert all(is_good(found[path], n) for n, path in enumerate(good))
    odd = [found[path] for path in bad]
    assert [one for one in odd if isinstance(one, Deferred)] == []
    reasons = {one.reason for one in odd if isinstance(one, Refused)}
    assert [r for r in reasons if any(word in r.lower() for word in TECHNICAL)] == []
    assert all(r[0].islower() and len(r) < 100 for r in reasons)
    assert sum(isinstance(one, Picture) for one in odd) > 250
    assert rebuilt == 0


def test_what_the_notes_call_broken_is_refused_with_the_right_reason(hostile: Path) -> None:
    """A dozen files whose trouble a person can name."""
    here = hostile / "made_here"
    expected = {
        "zero_bytes.jpg": "the file is empty",
        "trunc_50pct.jpg": "the file is cut short",
        "trunc_99pct.jpg": "the file is cut short",
        "png_bad_crc.png": "the picture in the file is damaged",
        "only_soi.jpg": "it begins like a JPEG picture, but is damaged or cut short",
        "nul_bytes.jpg": "the file holds nothing but zero bytes, as after a failed copy",
        "lfs_pointer.jpg": "the content is a Git LFS pointer; the picture was never downloaded",
        "html_404_saved.jpg": "the content is a web page",
        "photo.pdf": "the content is a PDF document",
        "photo.jp2": "the content is a JPEG 2000 picture, which needs "
        '"jpeg2000" in decode.more_formats',
        "bomb_gray_14000x14000.png": "it has more than the 64 megapixels of decode.max_megapixels",
        "png_claims_60000x60000.png": "it has more than the 64 megapixels of decode.max_megapixels",
    }
    paths = [here / name for name in expected if (here / name).exists()]

    with pool_of() as pool:
        found = outcomes(pool, paths)

    told = {one.path.name: one.reason for one in found if isinstance(one, Refused)}
    assert told == {path.name: expected[path.name] for path in paths}
    assert len(paths) > 9


def test_workers_killed_at_random_instants_cost_no_image(good: list[Path], hooks: Any) -> None:
    """Two hundred of two hundred, no image blamed, though a worker dies every few pictures."""
    attempts = Ledger()
    done = threading.Event()
    kills = threading.Thread(target=_kill_workers, args=(done,))
    with pool_of(decode=hooks.slow, attempts=attempts) as pool:
        kills.start()
        try:
            found = outcomes(pool, good)
        finally:
            done.set()
            kills.join()
        rebuilt = pool.rebuilt

    assert all(is_good(one, n) for n, one in enumerate(found))
    assert attempts.reasons == []
    assert rebuilt > 5


def _kill_workers(done: threading.Event) -> None:
    chance = random.Random(11)  # noqa: S311 - which worker dies when is no secret
    while not done.wait(chance.uniform(0.05, 0.4)):
        with suppress(OSError, IndexError):
            os.kill(chance.choice(workers()), signal.SIGKILL)


def test_the_fork_server_killed_costs_no_image(good: list[Path], hooks: Any) -> None:
    """Its children go with it; another one is started, and nobody is blamed."""
    attempts = Ledger()
    with pool_of(decode=hooks.slow, attempts=attempts) as pool:
        futures = [pool.submit(path) for path in good[:60]]
        futures[5].result(timeout=60)
        server = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
        os.kill(server, signal.SIGKILL)
        found = [future.result(timeout=120) for future in futures]

    assert all(is_good(one, n) for n, one in enumerate(found))
    assert attempts.reasons == []


def test_an_idle_worker_killed_is_replaced(good: list[Path]) -> None:
    """The next picture comes out as if nothing had been."""
    with pool_of(workers=1) as pool:
        outcomes(pool, good[:1])
        for pid in workers():
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        found = outcomes(pool, good[:5])

    assert all(is_good(one, n) for n, one in enumerate(found))


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    """A daemon killed by SIGKILL leaves no process behind."""
    import subprocess
    import sys

    code = (
        "import multiprocessing.forkserver as f, pathlib, sys, time\n"
        "from imgsort.images.outcome import *\n"
        "from imgsort.images.pool import *\n"
        "from imgsort.images import ImageLimits\n"
        "pool = DecoderPool(size=8, limits=ImageLimits(9**9, 9**9), timeout_seconds=9,"
        " memory_mb=512, attempts=NoAttempts(), workers=2)\n"
        "for _ in range(20): pool.submit(pathlib.Path(sys.argv[1])).result()\n"
        "pid = f._forkserver._forkserver_pid\n"
        "print(pid, pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text(), flush=True)\n"
        "time.sleep(60)\n"
    )
    picture = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(picture)
    command = [sys.executable, "-c", code, str(picture)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        pids = [int(each) for each in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 3

    deadline = time.monotonic() + 20
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert [pid for pid in pids if _alive(pid)] == []


def _alive(pid: int) -> bool:
    """Running, not a zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def test_the_parents_memory_stays_flat(tmp_path: Path) -> None:
    """After a warm-up, four thousand pictures leave under 2 MB behind."""
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(path)
    chunk = [path] * 500
    with pool_of() as pool:
        for _ in range(4):
            outcomes(pool, chunk)
        before = own_memory()
        for _ in range(8):
            outcomes(pool, chunk)
        after = own_memory()

    assert after - before < 2_000_000


def test_a_pixel_bomb_costs_the_worker_little_memory(hostile: Path) -> None:
    """400 megapixels in half a megabyte: refused by its header, well within 256 MB."""
    bomb = hostile / "made_here" / "bomb_gray_20000x20000.png"

    with pool_of(memory_mb=256) as pool:
        (outcome,) = outcomes(pool, [bomb])

    assert isinstance(outcome, Refused)
    assert outcome.reason == "it has more than the 64 megapixels of decode.max_megapixels"
    assert pool.rebuilt == 0


class Ledger(NoAttempts):
    """Attempts that remember every reason."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def record(self, identity: Identity, path: Path, reason: str) -> None:
        super().record(identity, path, reason)
        self.reasons.append(reason)
