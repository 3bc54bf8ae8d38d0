"""What imgsort does to the state machine's workspace, in processes that may die at a fail point.

``forks`` tells how it is ordered to.
"""

import json
import os
from pathlib import Path

from imgsort.cli import registered
from imgsort.filing import recover
from imgsort.reconcile.apply import reconcile_folders
from imgsort.workspace.workspace import Workspace
from tests.again import file_what_lies_there, new_model, refile, shows
from tests.chaos.forks import serve
from tests.desk import Desk

NOTHING_TO_DO = 4
GIVEN_UP, NOT_THERE = " is retired; ", "There is no class "


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
                reconcile_folders(desk.workspace, store, None)
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
    registered()
    serve(obey)
