"""How long does a look at 100,000 filed pictures take? Run: python benchmarks/reconcile_speed.py

Small files of their own content in 20 class folders, in a folder of its own below --at. What is
timed: a look that finds nothing, 1,000 moves, a class folder renamed, a restart that renumbers
devices, and every file copied back without its times (all of them must be read).
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imgsort.reconcile.apply import apply_reconcile
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.config import Config
from imgsort.workspace.workspace import Workspace

CLASSES = 20


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"{what:<45} {time.perf_counter() - began:6.2f} s", flush=True)


def made(root: Path, count: int, size: int) -> Workspace:
    workspace = Workspace(root, Config())
    for folder in (*workspace.picture_folders, workspace.state):
        folder.mkdir()
    migrate(workspace.database)
    for number in range(CLASSES):
        (workspace.sorted / f"class{number:02}").mkdir()
    filling = b"x" * (size - 8)
    for number in range(count):
        path = workspace.sorted / f"class{number % CLASSES:02}" / f"picture{number:06}.jpg"
        path.write_bytes(number.to_bytes(8, "big") + filling[number % 64 :])
    return workspace


def look(workspace: Workspace, store: Store, what: str) -> None:
    with timed(what):
        summary = apply_reconcile(workspace, store, None)
    print(f"    {summary}; {summary.moved:,} at another path")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--bytes", type=int, default=4096)
    parser.add_argument("--at", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgsort-reconcile-", dir=arguments.at) as folder:
        with timed(f"making {arguments.files:,} files"):
            workspace = made(Path(folder), arguments.files, arguments.bytes)
        with Store.open(workspace.database, root=workspace.root, checkpointer=True) as store:
            measure(workspace, store)


def measure(workspace: Workspace, store: Store) -> None:
    time.sleep(2.5)  # files settle
    with timed("taking all of them in (hashed, labelled)"):
        print("   ", apply_reconcile(workspace, store, None, adopt_library=True))
    look(workspace, store, "nothing has changed")
    look(workspace, store, "nothing has changed, again")
    target = workspace.sorted / "class01"
    for path in list((workspace.sorted / "class00").iterdir())[:1000]:
        path.rename(target / path.name)
    look(workspace, store, "1,000 files moved")
    (workspace.sorted / "class02").rename(workspace.sorted / "renamed")
    look(workspace, store, "a class folder renamed")
    shutil.move(workspace.sorted / "class03", workspace.root / "away")
    look(workspace, store, "a class folder moved away")
    shutil.move(workspace.root / "away", workspace.sorted / "class03")
    look(workspace, store, "and back")
    for path in workspace.sorted.rglob("*.jpg"):
        os.utime(path)
    look(workspace, store, "every time stamp changed: all are read")


if __name__ == "__main__":
    main()
