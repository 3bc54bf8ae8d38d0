"""Does anything grow? Many small pictures through one workspace in one `run`.

    python benchmarks/soak.py [--images 100000] [--out soak] [--keep DIR]

A feeder drops 64x64 JPEGs, no two alike, in portions into the inbox of a fresh workspace with
efficientnet-lite0, and never lets more than a few thousand wait there. Written to OUT.json and
OUT.png: images a second and memory (PSS: shared pages count once) of the daemon and of its decoder
workers, every few seconds; the pace of the last tenth against that of the second; memory's slope
per 10,000 images; and whether every file has its row and every row its file. Exit 1 where rows
and files differ or, from 20,000 images on, memory grew by over 1 MB per 10,000 or the pace fell
below 0.8.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil

from imgsort.care.heartbeat import read_status
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

PROGRAM = (sys.executable, "-c", "from imgsort.cli import main; main()")
SIDE, PORTION, MOST_WAITING = 64, 500, 3000
TICK = 2.0
MOST_GROWTH_MB, LEAST_PACE, LONG_ENOUGH = 1.0, 0.8, 20_000
STALLED_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment of the run."""

    seconds: float
    images: int
    """Through since the start."""
    daemon_mb: float
    """PSS of the daemon's own process."""
    workers_mb: float
    """PSS of its decoder workers and their fork server."""
    database_mb: float
    """imgsort.db, embeddings.db and their logs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is written as JSON, beside the samples."""

    images: int
    seconds: float
    images_per_second: float
    pace_at_start: float
    """Images a second over the second tenth: the first has the warm-up."""
    pace_at_end: float
    """Over the last tenth."""
    pace_ratio: float
    daemon_mb_per_10000: float
    """Slope of a line through the daemon's memory, without the first tenth."""
    workers_mb_per_10000: float
    rows: int
    files: int
    rows_are_files: bool

    @property
    def passed(self) -> bool:
        """Pace and slope of a short run are its warm-up's: they don't count."""
        slow = self.pace_ratio < LEAST_PACE
        grew = max(self.daemon_mb_per_10000, self.workers_mb_per_10000) > MOST_GROWTH_MB
        long_enough = self.images >= LONG_ENOUGH
        return (
            self.rows_are_files
            and self.rows == self.images
            and not (long_enough and (slow or grew))
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("soak"), help="without a suffix")
    parser.add_argument("--keep", type=Path, help="make the workspace here and leave it there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgsort-soak-") as folder:
        root = options.keep or Path(folder, "photos")
        samples, outcome = soaked(root, options.images)
    table = {"outcome": asdict(outcome), "samples": [asdict(one) for one in samples]}
    options.out.with_suffix(".json").write_text(json.dumps(table, indent=1) + "\n")
    draw(samples, outcome, options.out.with_suffix(".png"))
    for name, value in asdict(outcome).items():
        print(f"{name:<21} {value:,.2f}" if isinstance(value, float) else f"{name:<21} {value}")
    sys.exit(not outcome.passed)


def soaked(root: Path, images: int) -> tuple[list[Sample], Outcome]:
    """Run it, and count afterwards."""
    workspace = made(root)
    with daemon(workspace) as process:
        samples = list(fed(workspace, process, images))
    with Store.open(workspace.database, root=root) as store:
        rows = [row.path for row in store.log.rows(LogFilter())]
    files = [
        path.relative_to(root).as_posix()
        for base in workspace.picture_folders
        for path in base.rglob("*")
        if path.is_file()
    ]
    return samples, judged(samples, rows, files)


def made(root: Path) -> Workspace:
    """A fresh workspace with efficientnet-lite0."""
    init = ("init", "--classes", "cat,dog,snake", "--backbone", "efficientnet-lite0")
    subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, "-C", root, *init], check=True, stdout=subprocess.DEVNULL
    )
    return Workspace.open(root)


@contextmanager
def daemon(workspace: Workspace) -> Iterator[psutil.Popen]:
    """`imgsort run`, ready; ended by SIGTERM."""
    log = workspace.root / "daemon.log"
    with log.open("wb") as out:
        process = psutil.Popen(
            [*PROGRAM, "-C", os.fspath(workspace.root), "run"], stdout=out, stderr=out
        )
    try:
        while (status := read_status(workspace.status_file)) is None or status.state != "running":
            if process.poll() is not None:
                sys.exit(f"the daemon ended: {log.read_text()}")
            time.sleep(0.1)
        yield process
        process.send_signal(signal.SIGTERM)
        if process.wait(120) != 0:
            sys.exit(f"the daemon failed: {log.read_text()[-2000:]}")
    finally:
        if process.is_running():
            process.kill()


def fed(workspace: Workspace, process: psutil.Popen, images: int) -> Iterator[Sample]:
    """Drop portions while there is room, and look every other second, until all are through."""
    began = moved = next_look = time.monotonic()
    dropped = through = 0
    while through < images:
        now = time.monotonic()
        if dropped < images and dropped - through <= MOST_WAITING - PORTION:
            portion = range(dropped, min(dropped + PORTION, images))
            drop(workspace.inbox, portion)
            dropped = portion.stop
        if now >= next_look:
            next_look = now + TICK
            before, through = through, counted(workspace)
            moved = now if through > before else moved
            if now - moved > STALLED_SECONDS or process.poll() is not None:
                sys.exit(f"no picture got through for {STALLED_SECONDS:g} s, after {through:,}")
            yield Sample(now - began, through, *memory(process), size_mb(workspace))
        time.sleep(0.05)


def drop(inbox: Path, numbers: range) -> None:
    """Pictures of noise around a colour of their own, renamed in as a camera's importer does."""
    for number in numbers:
        rng = np.random.default_rng(number)
        noise = rng.integers(0, 60, (SIDE, SIDE, 3)) + rng.integers(0, 195, 3)
        _, data = cv2.imencode(".jpg", noise.astype(np.uint8))
        part = inbox / f".{number}.part"
        part.write_bytes(data.tobytes() + number.to_bytes(8, "big"))
        part.rename(inbox / f"{number:07}.jpg")


def counted(workspace: Workspace) -> int:
    """Images through, as the daemon's own status says."""
    said = read_status(workspace.status_file)
    return 0 if said is None else said.counters.images


def memory(process: psutil.Popen) -> tuple[float, float]:
    """PSS in MB: the daemon's own, and all of its children's."""
    workers = 0
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            workers += child.memory_full_info().pss
    return process.memory_full_info().pss / 1e6, workers / 1e6


def size_mb(workspace: Workspace) -> float:
    paths = (*workspace.state.glob("*.db"), *workspace.state.glob("*.db-wal"))
    return sum(path.stat().st_size for path in paths) / 1e6


def judged(samples: Sequence[Sample], rows: Sequence[str], files: Sequence[str]) -> Outcome:
    images, last = samples[-1].images, samples[-1].seconds
    start, end = pace(samples, 0.1, 0.2), pace(samples, 0.9, 1.0)
    settled = [one for one in samples if one.images >= images / 10]
    counts = np.array([one.images for one in settled]) / 10_000
    slopes = [
        float(np.polyfit(counts, values, 1)[0]) if len(settled) > 1 else 0.0
        for values in ([o.daemon_mb for o in settled], [o.workers_mb for o in settled])
    ]
    return Outcome(
        images=images,
        seconds=last,
        images_per_second=images / last,
        pace_at_start=start,
        pace_at_end=end,
        pace_ratio=end / start,
        daemon_mb_per_10000=slopes[0],
        workers_mb_per_10000=slopes[1],
        rows=len(rows),
        files=len(files),
        rows_are_files=sorted(rows) == sorted(files),
    )


def pace(samples: Sequence[Sample], begin: float, end: float) -> float:
    """Images a second between two shares of the whole, by the nearest samples."""
    images = samples[-1].images
    counts = [one.images for one in samples]
    first, last = (int(np.searchsorted(counts, share * images)) for share in (begin, end))
    one, other = samples[max(first - 1, 0)], samples[min(last, len(samples) - 1)]
    return (other.images - one.images) / (other.seconds - one.seconds)


def draw(samples: Sequence[Sample], outcome: Outcome, path: Path) -> None:
    """Pace above, memory below, both over the images that were through."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (top, middle, bottom) = plt.subplots(
        3, 1, figsize=(9, 8.5), sharex=True, layout="constrained", height_ratios=(3, 3, 2)
    )
    images = [one.images for one in samples]
    width = max(len(samples) // 60, 5)
    pairs = list(zip(samples[::width], samples[width::width], strict=False))
    top.stairs(
        [(two.images - one.images) / (two.seconds - one.seconds) for one, two in pairs],
        [samples[0].images, *(two.images for _, two in pairs)],
        baseline=None, color="tab:blue",
    )  # fmt: skip
    top.set_ylabel("images per second")
    top.set_title(
        f"{outcome.images:,} images in {outcome.seconds:,.0f} s; pace at the end "
        f"{outcome.pace_ratio:.2f} of that at the start"
    )
    middle.plot(images, [one.daemon_mb for one in samples], label="daemon")
    middle.plot(images, [one.workers_mb for one in samples], label="decoder workers")
    middle.set_ylabel("memory (PSS), MB")
    middle.legend(loc="center right")
    bottom.plot(images, [one.database_mb for one in samples], color="tab:green")
    bottom.set_ylabel("databases, MB")
    bottom.set_xlabel("images through")
    for axes in (top, middle, bottom):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
