"""What imgsort does to the state machine's workspace, in processes that may die at a fail point.

A server as ``filing_child`` is: each line of JSON on stdin forks a child for one action.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from imgsort.cli import looking, putting_back  # noqa: F401 - they register the commands
from imgsort.filing import recover
from imgsort.reconciling import reconcile_folders
from imgsort.workspace import Workspace
from tests.again import file_what_lies_there, new_model, refile, shows
from tests.desk import Desk

NOTHING_TO_DO = 4


def act(action: str, desk: Desk, seen: dict[str, str]) -> None:
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
        case "undo":
            said = desk.type("undo", "--last")
            assert said.code in (0, NOTHING_TO_DO), said.err
        case _:
            raise AssertionError(action)


def _act_and_exit(order: dict[str, str]) -> NoReturn:
    status = 1
    try:
        root = Path(order["root"])
        root.mkdir(exist_ok=True)
        (root / "config.toml").touch()
        os.environ["IMGSORT_FAILPOINT"] = order["failpoint"]
        act(order["action"], Desk(Workspace.open(root)), json.loads(order["seen"]))
        status = 0
    except Exception:  # noqa: BLE001 - told on stderr, and by the exit status
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _act_and_exit(json.loads(line))
        _, status = os.waitpid(child, 0)
        killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        failed = not os.WIFSIGNALED(status) and os.WEXITSTATUS(status) != 0
        print("failed" if failed else killed_by, flush=True)


if __name__ == "__main__":
    serve()
