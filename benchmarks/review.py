"""What the review page costs at a million arrivals and 100,000 labels.

    python benchmarks/review.py [--rows 1000000] [--keep DIR]

The rows are made by SQL as in ``million_rows``; pictures that are acted upon are real files of a
few bytes. Acts are timed through the desk, as the server calls it, fsync included; every figure is
wall time with the processor's beside it, which other work alters less. ``--keep`` uses the same
workspace again.
"""

import argparse
import hashlib
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import million_rows
import numpy as np

from imgsort.models.backbones import InstalledBackbone
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.registry import Registry
from imgsort.review import calls
from imgsort.review.asked import Asked
from imgsort.review.desk import Desk
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

REAL = 4_000
"""Pictures of unsure/ that have a file."""
EMBEDDED = 30_000
"""Pictures with a stored embedding: the least sure ones, and as many that have a label."""
INSTALL = """
import sys
from pathlib import Path
from imgsort.models.backbones import install
print(install("efficientnet-lite0", Path(sys.argv[1]), random_weights=True).id)
"""
STATEMENTS = (
    "UPDATE arrivals SET path = 'unsure/' || name, path_bytes = CAST('unsure/' || name AS BLOB)"
    " WHERE decision = 'unsure'",
    "DELETE FROM labels",
    "INSERT INTO labels (image_id, class_id, kind, source, representative, run_id, labelled_at)"
    " SELECT id, class_id, 'label', 'cli', 0, 1, filed_at FROM arrivals WHERE id % 10 = 3",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="use, or make, the workspace here")
    options = parser.parse_args()
    with million_rows.place_for(options.keep) as place:
        workspace = made(place / "review", options.rows)
        with workspace.daemon_lock():  # else the desk looks for a million files that there aren't
            measure(workspace)


def made(root: Path, rows: int) -> Workspace:
    """A workspace as a year or two of use leaves it."""
    done = root / "state" / "benchmark-is-made"
    workspace = million_rows.founded(root)
    if done.exists():
        return workspace
    million_rows.fill(workspace, rows)
    with closing(sqlite3.connect(workspace.database)) as log:
        for statement in STATEMENTS:
            log.execute(statement)
        log.commit()
    with_backbone(workspace)
    _with_files(workspace)
    _with_embeddings(workspace)
    done.touch()
    return workspace


def with_backbone(workspace: Workspace) -> None:
    command = [sys.executable, "-c", INSTALL, str(workspace.backbones)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    backbone = InstalledBackbone.open(workspace.backbones, answer.stdout.strip())
    with Store.open(workspace.database, root=workspace.root) as store:
        ids = {name: number for number, name in store.classes.names().items()}
        draft = million_rows.draft(ids, "efficientnet-lite0", backbone.id, backbone.width)
        card = Registry(workspace.models).publish(draft)
        store.predictions.add_model(card)
    Registry(workspace.models).activate(card.version)


def _with_files(workspace: Workspace) -> None:
    for number in range(million_rows.CLASSES):  # an empty sorted/ would be taken for unmounted
        (workspace.sorted / f"class{number}").mkdir()
    with closing(sqlite3.connect(workspace.database)) as log:
        ids = log.execute(
            "SELECT id, path FROM arrivals WHERE decision = 'unsure' ORDER BY id DESC LIMIT ?",
            (REAL,),
        ).fetchall()
        for number, path in ids:
            content = f"picture {number}".encode()
            file = workspace.root / path
            file.write_bytes(content)
            status = file.stat()
            digest = hashlib.sha256(content).hexdigest()
            log.execute("UPDATE images SET sha256 = ? WHERE id = ?", (digest, number))
            log.execute(
                "UPDATE arrivals SET dev = ?, ino = ?, size = ?, mtime_ns = ? WHERE id = ?",
                (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, number),
            )
        log.commit()


def _with_embeddings(workspace: Workspace) -> None:
    random = np.random.default_rng(1)
    with Store.open(workspace.database, root=workspace.root) as store:
        doubtful, _ = store.lists.least_sure(EMBEDDED)
        hashes = [one.sha256 for one in store.lists.files(doubtful)]
        hashes += store.labels.some_called(EMBEDDED)
        card = Registry(workspace.models).card(Registry(workspace.models).active() or 1)
        backbone = InstalledBackbone.open(workspace.backbones, card.backbone_id)
    with EmbeddingStore.open(workspace.embeddings) as kept:
        for start in range(0, len(hashes), 2000):
            part = hashes[start : start + 2000]
            vectors = random.normal(size=(len(part), backbone.width)).astype(np.float32)
            kept.put(backbone.id, "float32", dict(zip(part, vectors, strict=True)))


def measure(workspace: Workspace) -> None:
    began = time.perf_counter()
    desk = Desk.open(workspace)
    print(f"desk opened: {1000 * (time.perf_counter() - began):.0f} ms, {_memory():.0f} MB")
    try:
        _lists(desk)
        _asked_of_models(desk)
        _acts(desk)
    finally:
        desk.close()


def ask(answer: Callable[[Desk, Asked], Any], desk: Desk, body: Any = None, **place: str) -> Any:
    return answer(desk, Asked(place, place, body or {}))


def told(name: str, act: Callable[[], object], rounds: int = 5) -> None:
    """Median and 95th percentile of wall time, and the processor's median."""
    wall, cpu = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        act()
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() - used))
    late = statistics.quantiles(wall, n=20)[-1] if rounds > 1 else wall[0]
    median, used = statistics.median(wall), statistics.median(cpu)
    told = f"{name}: {median:.0f} ms (p95 {late:.0f}, processor {used:.0f}), {_memory():.0f} MB"
    print(told, flush=True)


def _memory() -> float:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def _lists(desk: Desk) -> None:
    cat = next(one for one, name in desk.store.classes.names().items() if name == "class3")
    views: dict[str, dict[str, Any]] = {
        "unsure, least sure first": {"view": "unsure"},
        "unsure, nobody has spoken of": {"view": "unsure", "only": {"said": False}},
        "a class": {"view": "class", "of": cat},
        "everything": {"view": "recent"},
        "a name": {"view": "search", "of": {"name": "9999"}},
    }
    for name, body in views.items():
        made = ask(calls.make_list, desk, body)
        told(f"list of {made['total']:,} ({name})", lambda b=body: ask(calls.make_list, desk, b))  # type: ignore[misc]
    key, total = made["list"], made["total"]
    made = ask(calls.make_list, desk, {"view": "recent"})
    key, total = made["list"], made["total"]
    for start in (0, total // 2, total - 200):
        told(
            f"window of 200 at {start:,}",
            lambda at=start: ask(calls.window, desk, list=key, **{"from": str(at)}),  # type: ignore[misc]
            rounds=20,
        )
    told("classes", lambda: ask(calls.classes, desk))


def _asked_of_models(desk: Desk) -> None:
    told("next, first time", lambda: ask(calls.make_list, desk, {"view": "next"}), rounds=1)
    told("next", lambda: ask(calls.make_list, desk, {"view": "next"}))
    told("audit drawn", lambda: ask(calls.draw_audit, desk, {"n": 50}))


def _acts(desk: Desk) -> None:
    kept = desk.lists.get(ask(calls.make_list, desk, {"view": "unsure", "order": "newest"})["list"])
    rows = [
        row
        for start in range(0, min(REAL, len(kept.ids)), 200)
        for row in desk.lists.window(kept, start, 200)["rows"]
        if os.path.lexists(desk.workspace.root / row["where"])
    ]
    single, sheets = rows[:300], rows[300:]
    acts: list[str] = []
    before = _memory()
    waiting = iter(single)
    told("one label", lambda: acts.append(_say(desk, [next(waiting)])), rounds=200)
    undone = iter(list(acts))
    told("taken back", lambda: ask(calls.undo, desk, act=next(undone)), rounds=100)
    parts = iter([sheets[start : start + 30] for start in range(0, len(sheets), 30)])
    told("30 labels in one act", lambda: _say(desk, next(parts)), rounds=20)
    print(f"memory grew by {_memory() - before:.0f} MB")


def _say(desk: Desk, rows: Sequence[dict[str, Any]]) -> str:
    act = str(uuid4())
    pictures = [{"sha256": row["sha256"], "word": row["word"], "shown": "class1"} for row in rows]
    answer = ask(calls.act, desk, {"act": act, "say": "right", "pictures": pictures})
    outcomes = {one["outcome"] for one in answer["pictures"]}
    if outcomes != {"written"}:
        raise SystemExit(f"not written: {outcomes}")
    return act


if __name__ == "__main__":
    main()
