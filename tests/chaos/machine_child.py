"""What imgsort does to the state machine's workspace, in processes that may die at a fail point.

``forks`` tells how it is ordered to.
"""

import hashlib
import json
import os
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from imgsort.cli import registered
from imgsort.disk.identity import Identity
from imgsort.filing import recover
from imgsort.images import ImageFacts
from imgsort.images.outcome import Deferred, Outcome, Picture, Refused
from imgsort.reconcile import examine
from imgsort.reconcile.apply import apply_reconcile
from imgsort.workspace.workspace import Workspace
from tests.again import file_what_lies_there, new_model, refile, shows
from tests.chaos.forks import serve
from tests.desk import Desk

NOTHING_TO_DO = 4
GIVEN_UP, NOT_THERE = " is retired; ", "There is no class "


class TextOpener:
    """Opens the machine's pictures, which are text, as workers open real ones."""

    def submit(self, path: Path) -> "Future[Outcome]":
        future: Future[Outcome] = Future()
        future.set_result(self._opened(path))
        return future

    def _opened(self, path: Path) -> Outcome:
        try:
            content, identity = path.read_bytes(), Identity.of(path.stat())
        except OSError as problem:
            return Deferred(path, str(problem))
        sha256 = hashlib.sha256(content).hexdigest()
        if content.startswith(b"broken"):
            return Refused(path, identity, sha256, "the file is cut short")
        looks = int(sha256[:16], 16)  # no two of them look alike
        facts = ImageFacts(8, 8, "JPEG", None, None, looks)
        return Picture(path, identity, sha256, facts, np.zeros((1, 1, 3), np.uint8))


def act(action: str, desk: Desk, seen: dict[str, str], words: list[str]) -> None:
    match action:
        case "found":
            Desk.at(desk.workspace.root)
        case "file":
            shows(desk, seen)
            with desk.store() as store:
                recover(desk.workspace, store)
            file_what_lies_there(desk)
        case "look":
            with desk.store() as store:
                apply_reconcile(desk.workspace, store, None)  # opens what is new, as commands do
        case "retrain":
            new_model(desk)
        case "refile":
            refile(desk)
        case "undo" | "label" | "confirm" | "classes":
            said = desk.type(*words)
            gone = GIVEN_UP in said.err or NOT_THERE in said.err
            assert said.code in (0, NOTHING_TO_DO) or gone, said.err
        case _:
            raise AssertionError(action)


def obey(order: dict[str, str]) -> None:
    root = Path(order["root"])
    root.mkdir(exist_ok=True)
    (root / "config.toml").touch()
    os.environ["IMGSORT_FAILPOINT"] = order["failpoint"]
    desk = Desk(Workspace.open(root))
    act(order["action"], desk, json.loads(order["seen"]), json.loads(order["words"]))


if __name__ == "__main__":
    examine.open_decoder = lambda *_: nullcontext(TextOpener())  # type: ignore[assignment, attr-defined]
    registered()
    serve(obey)
