"""Types commands in processes that may die at a fail point, or when told to.

A server, so that the imports are paid once: each line of JSON on stdin forks a child that types
what it says; the answer is the signal that killed the child, or minus its exit status.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from imgsort.cli import registered
from imgsort.cli.app import app
from imgsort.reconcile.apply import apply_reconcile
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace
from tests.desk import Desk
from tests.review.reviewer import reviewing


def act(order: dict[str, Any]) -> None:
    os.environ["IMGSORT_FAILPOINT"] = order["failpoint"]
    if order["after"]:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, order["after"])
    if order["words"][0] == "page":
        _ask_page(Path(order["root"]), *order["words"][1:])
        return
    if order["words"] != ["look"]:
        app(["-C", order["root"], *order["words"]])
        return
    workspace = Workspace.open(Path(order["root"]))
    with Store.open(workspace.database, root=workspace.root) as store:
        apply_reconcile(workspace, store, store.runs.begin("run"))


def _ask_page(root: Path, call: str, body: str) -> None:
    """As the review page asks its server, which dies with it."""
    with reviewing(Desk(Workspace.open(root))) as person:
        person.ask(call, json.loads(body))


def serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _act_and_exit(json.loads(line))
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        print(os.WTERMSIG(status) if killed else -os.WEXITSTATUS(status), flush=True)


def _act_and_exit(order: dict[str, Any]) -> NoReturn:
    # What the command prints is no answer to the test.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    status = 3
    try:
        act(order)
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    registered()
    serve()
