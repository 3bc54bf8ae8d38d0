"""What a log of a million arrivals costs: status, log, inserting, backup, doctor.

    python benchmarks/million_rows.py [--rows 1000000] [--keep DIR]

Rows are made by SQL; no picture files are. `status` and `log` are timed as commands, in turn with
`--help`, so that what a start of Python costs can be taken off. Inserting is timed on this database
and on an empty one in turn, as the daemon does it: batches of 32, two transactions each, fsync
included. Every figure is a median; the ratios are what counts on a busy machine.
"""

import argparse
import hashlib
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from imgsort.care.backup import back_up
from imgsort.care.doctor import examine
from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.models.heads.learned import DenseLayer, Novelty, Taught
from imgsort.models.heads.learned_model import FOLDS, LearnedModel
from imgsort.models.registry import ClassEntry, ModelDraft, Registry
from imgsort.records.journal import Arrival, Landed, Plan
from imgsort.records.verdict import Score, Verdict
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace

CLASSES = 20
"""As in the statements below."""
SECONDS_APART = 30
"""Likewise; the last picture came just now, so that a week of them is there to be looked at."""
BATCH, BATCHES = 32, 40
ROUNDS = 7
MAIN = "from imgsort.cli import main; main()"

ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)"
STATEMENTS = (
    # A hash spreads over its index as a real one does, so it is random.
    """INSERT INTO images (id, sha256, size, width, height, format, dhash, first_seen_at)
    %ROWS% SELECT i, lower(hex(randomblob(32))), 100000 + i % 5000, 4000, 3000, 'JPEG',
    lower(hex(randomblob(8))), strftime('%Y-%m-%dT%H:%M:%fZ', :begin + i * 30, 'unixepoch')
    FROM n""",
    """INSERT INTO predictions (image_id, model, class_id, confidence, decision, top_k,
    unlikeness, predicted_at)
    %ROWS% SELECT i, 1, 1 + i % 20, 0.5 + (i % 1000) / 2000.0,
    CASE WHEN i % 10 = 0 THEN 'unsure' ELSE 'filed' END,
    '[{"class_id": ' || (1 + i % 20) || ', "confidence": ' || (0.5 + (i % 1000) / 2000.0) || '}]',
    0.5 + (i % 100) / 150.0,
    strftime('%Y-%m-%dT%H:%M:%fZ', :begin + i * 30, 'unixepoch') FROM n""",
    """INSERT INTO arrivals (id, image_id, name, name_bytes, subfolder, subfolder_bytes, path,
    path_bytes, decision, state, model, class_id, confidence, arrived_at, filed_at, dev, ino, size,
    mtime_ns)
    %ROWS% SELECT i, i, 'IMG_' || i || '.jpg', CAST('IMG_' || i || '.jpg' AS BLOB), '', x'',
    'sorted/class' || (i % 20) || '/IMG_' || i || '.jpg',
    CAST('sorted/class' || (i % 20) || '/IMG_' || i || '.jpg' AS BLOB),
    CASE WHEN i % 10 = 0 THEN 'unsure' ELSE 'filed' END, 'filed', 1, 1 + i % 20,
    0.5 + (i % 1000) / 2000.0,
    strftime('%Y-%m-%dT%H:%M:%fZ', :begin + i * 30, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', :begin + 1 + i * 30, 'unixepoch'),
    2049, i, 100000 + i % 5000, 1700000000000000000 + i FROM n""",
    """INSERT INTO moves (run_id, arrival_id, cause, mode, state, source, source_bytes, target,
    target_bytes, sha256, dev, ino, size, mtime_ns, planned_at, done_at)
    %ROWS% SELECT 1, i, 'file', 'move', 'done', 'inbox/IMG_' || i || '.jpg',
    CAST('inbox/IMG_' || i || '.jpg' AS BLOB),
    'sorted/class' || (i % 20) || '/IMG_' || i || '.jpg',
    CAST('sorted/class' || (i % 20) || '/IMG_' || i || '.jpg' AS BLOB),
    (SELECT sha256 FROM images WHERE id = i), 2049, i, 100000 + i % 5000,
    1700000000000000000 + i,
    strftime('%Y-%m-%dT%H:%M:%fZ', :begin + i * 30, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', :begin + 1 + i * 30, 'unixepoch') FROM n""",
    """INSERT INTO labels (image_id, class_id, kind, source, representative, run_id, labelled_at)
    SELECT id, class_id, 'label', 'move', 0, 1, filed_at FROM arrivals WHERE id % 100 = 0""",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="use, or make, the workspaces here")
    options = parser.parse_args()
    with place_for(options.keep) as place:
        empty, full = founded(place / "empty"), founded(place / "full")
        seconds = timed(lambda: fill(full, options.rows))
        size = full.database.stat().st_size
        print(f"{options.rows:,} rows: {size / 1e9:.2f} GB, made in {seconds:.0f} s")
        _commands(empty, full)
        _inserting(empty, full)
        done = back_up(full)
        print(f"backup: {done.seconds:.1f} s for {done.size / 1e9:.2f} GB, verified")
        done.path.unlink()
        _doctor(full)


@contextmanager
def place_for(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    folder = Path(tempfile.mkdtemp(prefix="imgsort-million-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def founded(root: Path) -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    (root / "config.toml").touch()
    workspace = Workspace.open(root)
    if workspace.database.exists():
        return workspace
    for folder in (*workspace.picture_folders, workspace.models):
        folder.mkdir(parents=True)
    migrate(workspace.database)
    names = [f"class{number}" for number in range(CLASSES)]
    with Store.open(workspace.database, root=root) as store:
        ids = store.classes.ensure(names)
        card = Registry(workspace.models).publish(draft(ids))
        store.predictions.add_model(card)
        store.runs.begin("run")
    Registry(workspace.models).activate(card.version)
    return workspace


def draft(
    ids: dict[str, int], backbone: str = "resnet50", backbone_id: str = "0123abcd", width: int = 0
) -> ModelDraft:
    """A learned model, of which `status` has most to tell."""
    one_each = np.eye(width or len(ids), len(ids), dtype=np.float32)
    taught = Taught(1.0, (DenseLayer(one_each, np.zeros(len(ids), np.float32)),))
    model = LearnedModel(
        class_ids=tuple(ids.values()),
        first=None,
        taught=taught,
        folds=(taught,) * FOLDS,
        temperature=1.0,
        novelty=Novelty(one_each.T, np.zeros(len(ids), np.uint8), 1, 0.5, len(ids)),
        seen={},
    )
    return ModelDraft(
        kind="learned",
        backbone=backbone,
        backbone_id=backbone_id,
        precision="float32",
        classes=tuple(ClassEntry(number, name) for name, number in ids.items()),
        thresholds=(0.7,) * len(ids),
        tensors=model.tensors(),
        metrics={},
    )


def fill(workspace: Workspace, rows: int) -> None:
    with closing(sqlite3.connect(workspace.database, isolation_level=None)) as log:
        if log.execute("SELECT count(*) FROM arrivals").fetchone()[0]:
            return
        log.execute("PRAGMA synchronous = OFF")
        log.execute("PRAGMA cache_size = -400000")
        begin = int(time.time()) - rows * SECONDS_APART
        log.execute("BEGIN")
        for statement in STATEMENTS:
            whole = statement.replace("%ROWS%", ROWS)
            log.execute(whole, {"rows": rows, "begin": begin} if ":rows" in whole else {})
        log.execute("COMMIT")
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _commands(empty: Workspace, full: Workspace) -> None:
    """In turn: wall time, and the processor's alone, which other work alters less."""
    asked = {
        "--help": (full, ["--help"]),
        "status, empty log": (empty, ["status"]),
        "status": (full, ["status"]),
        "log --limit 50, empty log": (empty, ["log", "--limit", "50"]),
        "log --limit 50": (full, ["log", "--limit", "50"]),
    }
    wall: dict[str, list[float]] = {name: [] for name in asked}
    cpu: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, (workspace, words) in asked.items():
            command = [sys.executable, "-c", MAIN, "-C", str(workspace.root), *words]
            before, began = _children(), time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program
            wall[name].append(time.perf_counter() - began)
            cpu[name].append(_children() - before)
    for name in asked:
        beyond = [
            statistics.median(one[name]) - statistics.median(one["--help"]) for one in (wall, cpu)
        ]
        print(
            f"{name}: {statistics.median(wall[name]):.2f} s ({beyond[0]:+.2f} beyond --help), of "
            f"processor {statistics.median(cpu[name]):.2f} s ({beyond[1]:+.2f})"
        )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _inserting(empty: Workspace, full: Workspace) -> None:
    seconds: dict[str, list[float]] = {"empty": [], "full": []}
    with (
        Store.open(empty.database, root=empty.root, checkpointer=True) as small,
        Store.open(full.database, root=full.root, checkpointer=True) as large,
    ):
        for number in range(BATCHES):
            stamp = time.time_ns()
            for name, store, workspace in (("empty", small, empty), ("full", large, full)):
                plans = [_plan(workspace, f"{stamp}-{number}-{one}") for one in range(BATCH)]
                seconds[name].append(timed(partial(_file, store, plans)))
    rates = {name: BATCH / statistics.median(times) for name, times in seconds.items()}
    print(
        f"inserting: {rates['empty']:,.0f} images/s into an empty log, {rates['full']:,.0f} here, "
        f"ratio {rates['full'] / rates['empty']:.2f}"
    )


def _file(store: Store, plans: list[Plan]) -> None:
    planned = store.journal.record_decided(1, plans)
    now = datetime.now(UTC)
    store.journal.mark_landed(
        [Landed(one.move_id, one.target, one.identity, now) for one in planned]
    )


def _plan(workspace: Workspace, name: str) -> Plan:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    number = int(sha256[:12], 16)
    label = f"class{number % CLASSES}"
    verdict = Verdict(label, 0.9, "filed", None, (Score(label, 0.9),))
    facts = ImageFacts(4000, 3000, "JPEG", None, None, number)
    arrival = Arrival(name.encode(), b"", datetime.now(UTC), "filed", None, facts, verdict, 1)
    return Plan(
        source=workspace.inbox / name,
        target=workspace.sorted / label / name,
        identity=Identity(2049, number, 100_000, number),
        sha256=sha256,
        mode="move",
        cause="file",
        arrival=arrival,
    )


def _doctor(workspace: Workspace) -> None:
    began = time.perf_counter()
    slowest: dict[str, float] = {}
    last = began
    for finding in examine(workspace.root):
        now = time.perf_counter()
        slowest[finding.check] = slowest.get(finding.check, 0.0) + now - last
        last = now
    total = time.perf_counter() - began
    worst = sorted(slowest.items(), key=lambda one: -one[1])[:2]
    told = ", ".join(f"{check} {seconds:.1f} s" for check, seconds in worst)
    print(f"doctor: {total:.1f} s, of it {told} (every row's file is looked for; none is there)")


if __name__ == "__main__":
    main()
