"""How does the work grow with the log? Commands at 1,000 to a million rows: JSON and a chart.

    python benchmarks/growth.py [--rows 1000,10000,100000,1000000] [--rounds 3] [--kept .bench]

Every row has its file, an empty one, and its prediction; the rows are made by SQL. Operations are
measured each in a process of its own, in turn, round by round: elapsed and processor time, and
memory. The start of Python is left out; what an operation loads on its way counts. `retrain` has
embeddings of labelled pictures, so that nothing is decoded, and ends at --most-labels.
"""

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from million_rows import CLASSES, draft, fill

from imgsort.care.status import status_of
from imgsort.daemon.inbox.file_kinds import NameRules
from imgsort.daemon.inbox.scan import Survey, Walk
from imgsort.labels.refile import plan_refile
from imgsort.models.backbones import InstalledBackbone, install
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.registry import Registry
from imgsort.models.serving import open_serving
from imgsort.reconcile.apply import apply_reconcile
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace

BACKBONE = "efficientnet-lite0"
AT_ONCE = 10_000
APART = 0.14
"""Distance of the class centres, in standard deviations of each of the embedding's numbers."""


def status(workspace: Workspace) -> None:
    status_of(workspace, None)


def newest(workspace: Workspace) -> None:
    with _store(workspace) as store:
        assert len(list(store.log.rows(LogFilter(limit=50)))) == 50  # noqa: S101, PLR2004


def whole_log(workspace: Workspace) -> None:
    with _store(workspace) as store:
        for _ in store.log.rows(LogFilter()):
            pass


def reconcile(workspace: Workspace) -> None:
    with _store(workspace) as store:
        found = apply_reconcile(workspace, store, None)
    assert not found.moved  # noqa: S101


def refile(workspace: Workspace) -> None:
    with _store(workspace) as store:
        plan_refile(workspace, store, open_serving(workspace, store, idle=True))


def scan(workspace: Workspace) -> None:
    """The picture folders, as if they were the inbox."""
    decode, watch = workspace.config.decode, workspace.config.watch
    names = NameRules(decode.suffixes, watch.ignore, workspace.config.filing.sidecars)
    for _ in Walk(workspace.sorted, names, Survey()):
        pass


def retrain(workspace: Workspace) -> None:
    from imgsort.trainer.retrain import Options
    from imgsort.trainer.retrain import retrain as train

    train(workspace, Options(), Quiet())


class Quiet:
    """Hears what a training says, and how long each step takes."""

    def __init__(self) -> None:
        self._step, self._since = "", time.monotonic()

    def tell(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)

    def stage(self, name: str) -> None:
        now = time.monotonic()
        print(f"{now - self._since:8.1f} s {self._step}", file=sys.stderr, flush=True)
        self._step, self._since = name, now

    def progress(self, done: int, total: int) -> None:
        pass


OPERATIONS: dict[str, Callable[[Workspace], None]] = {
    "status": status,
    "log --limit 50": newest,
    "log, every row": whole_log,
    "scan of as many files": scan,
    "reconcile, nothing changed": reconcile,
    "refile, the plan": refile,
    "retrain": retrain,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="1000,10000,100000,1000000")
    parser.add_argument("--most-labels", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="words of operations, by commas")
    parser.add_argument("--kept", type=Path, default=Path(".bench"), help="workspaces, results")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, root = options.measure
        print(json.dumps(measured(OPERATIONS[name], Workspace.open(Path(root)))))
        return
    kept = options.kept.resolve()
    sizes = [int(word) for word in options.rows.split(",")]
    told = kept / "growth.json"
    for size in sizes:
        for name, figures in grown(kept, size, options):
            print(f"{size:>9,} {name}: {figures}", file=sys.stderr, flush=True)
            keep(told, name, size, figures)
    every = json.loads(told.read_text())["operations"]
    draw(every, kept / "growth.png")
    print("\n".join(lines(every)))


def grown(
    kept: Path, size: int, options: argparse.Namespace
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each operation with the medians of its rounds."""
    words = options.only.split(",")
    wanted = [name for name in OPERATIONS if any(word in name for word in words)]
    several: dict[str, list[dict[str, float]]]
    several = {name: [] for name in wanted if name != "retrain"}
    for _ in range(options.rounds):
        for name, rounds in several.items():
            rounds.append(asked(name, prepared(kept, size, labelled=False)))
    for name, rounds in several.items():
        yield name, {key: median(one[key] for one in rounds) for key in rounds[0]}
    if "retrain" in wanted and size <= options.most_labels:
        yield "retrain", asked("retrain", prepared(kept, size, labelled=True))


def asked(name: str, workspace: Workspace) -> dict[str, float]:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, str(workspace.root)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - this program
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measured(operation: Callable[[Workspace], None], workspace: Workspace) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, worked = time.perf_counter(), time.process_time()
    operation(workspace)
    return {
        "elapsed_s": time.perf_counter() - began,
        "processor_s": time.process_time() - worked,
        "more_memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3,
    }


def prepared(kept: Path, rows: int, *, labelled: bool) -> Workspace:
    """A workspace with so many filed pictures; made once, and found again."""
    root = kept / f"growth-{rows}{'-labelled' if labelled else ''}"
    done = root / "prepared"
    if done.exists():
        return Workspace.open(root)
    print(f"making {rows:,} rows", file=sys.stderr, flush=True)
    root.mkdir(parents=True)
    (root / "config.toml").touch()
    workspace = Workspace.open(root)
    for folder in (*workspace.picture_folders, workspace.models):
        folder.mkdir(parents=True)
    installed = install(BACKBONE, kept / "networks")
    workspace.backbones.symlink_to(kept / "networks")
    _found(workspace, installed)
    fill(workspace, rows)
    lay_files(workspace)
    if labelled:
        _label(workspace, installed)
    done.touch()
    return workspace


def _found(workspace: Workspace, installed: InstalledBackbone) -> None:
    """A database and a learned model, which serves."""
    migrate(workspace.database)
    with _store(workspace) as store:
        ids = store.classes.ensure([f"class{number}" for number in range(CLASSES)])
        taught = draft(ids, BACKBONE, installed.id, installed.width)
        card = Registry(workspace.models).publish(taught)
        store.predictions.add_model(card)
        store.runs.begin("run")
    Registry(workspace.models).activate(card.version)


def lay_files(workspace: Workspace) -> None:
    """An empty file where each row says there is one, and what it is in the row."""
    for number in range(CLASSES):
        (workspace.sorted / f"class{number}").mkdir()
    with closing(sqlite3.connect(workspace.database)) as log:
        log.execute("PRAGMA synchronous = OFF")
        for number, path in log.execute("SELECT id, path FROM arrivals").fetchall():
            place = workspace.root / path
            place.touch()
            found = place.stat()
            log.execute(
                "UPDATE arrivals SET dev = ?, ino = ?, size = ?, mtime_ns = ? WHERE id = ?",
                (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, number),
            )
        log.commit()


def _label(workspace: Workspace, installed: InstalledBackbone) -> None:
    """Every picture with its class, and an embedding near the centre of it."""
    with closing(sqlite3.connect(workspace.database)) as log:
        log.execute("DELETE FROM labels")
        log.execute(
            "INSERT INTO labels (image_id, class_id, kind, source, representative, run_id, "
            "labelled_at) SELECT id, class_id, 'label', 'move', 0, 1, filed_at FROM arrivals"
        )
        log.commit()
        pictures = log.execute("SELECT sha256, id % 20 FROM images").fetchall()
    rng = np.random.default_rng(0)
    centres = rng.normal(0, APART, (CLASSES, installed.width)).astype(np.float32)
    with EmbeddingStore.open(workspace.embeddings) as store:
        for at in range(0, len(pictures), AT_ONCE):
            part = pictures[at : at + AT_ONCE]
            noise = rng.standard_normal((len(part), installed.width), np.float32)
            rows = zip(part, noise, strict=True)
            vectors = {name: centres[of] + row for (name, of), row in rows}
            store.put(installed.id, "float32", vectors)


def _store(workspace: Workspace) -> Store:
    return Store.open(workspace.database, root=workspace.root)


def keep(path: Path, name: str, size: int, figures: dict[str, float]) -> None:
    """Beside those of earlier runs, in the order in which operations are told."""
    before = json.loads(path.read_text())["operations"] if path.exists() else {}
    before.setdefault(name, {})[str(size)] = figures
    told = {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": len(os.sched_getaffinity(0)),
        "operations": {name: before[name] for name in OPERATIONS if name in before},
    }
    path.write_text(json.dumps(told, indent=2) + "\n")


def lines(figures: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Processor seconds in Markdown."""
    sizes = sorted({int(size) for by_size in figures.values() for size in by_size})
    yield "| processor seconds at … rows | " + " | ".join(f"{size:,}" for size in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for name, by_size in figures.items():
        cells = [by_size.get(str(size), {}).get("processor_s") for size in sizes]
        told = ("" if cell is None else f"{cell:.2f}" for cell in cells)
        yield f"| {name} | " + " | ".join(told) + " |"


def draw(figures: dict[str, dict[str, Any]], path: Path) -> None:
    """Both axes are logarithmic: what grows as its work does runs along the dotted lines."""
    from matplotlib.figure import Figure

    figure = Figure((7.2, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, by_size in figures.items():
        points = sorted((int(size), one["processor_s"]) for size, one in by_size.items())
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    bottom, top = axes.get_ylim()
    sizes = sorted({int(size) for by_size in figures.values() for size in by_size})
    for exponent in range(-9, 1):
        axes.plot(
            (sizes[0], sizes[-1]),
            (sizes[0] * 10.0**exponent, sizes[-1] * 10.0**exponent),
            color="#c9ced6",
            linestyle=":",
            linewidth=0.8,
            zorder=0,
        )
    axes.set_ylim(bottom, top)
    axes.set_xlabel("rows of the log (labels for retrain)")
    axes.set_ylabel("processor seconds")
    axes.set_title("Along the dotted lines: ten times the rows, ten times the work", fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
