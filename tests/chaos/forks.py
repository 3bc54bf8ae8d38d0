"""A server that lets orders be carried out by processes that may die: the imports are paid once."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

Order = dict[str, Any]


def serve(act: Callable[[Order], None]) -> None:
    """Each line of JSON on stdin forks a child that does ``act``; the answer on stdout is the
    signal that killed it, 0, or "failed"."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _act_and_exit(act, json.loads(line))
        _, status = os.waitpid(child, 0)
        killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        failed = not os.WIFSIGNALED(status) and os.WEXITSTATUS(status) != 0
        print("failed" if failed else killed_by, flush=True)


def _act_and_exit(act: Callable[[Order], None], order: Order) -> NoReturn:
    status = 1
    try:
        act(order)
        status = 0
    except Exception:  # noqa: BLE001 - told on stderr, and by the exit status
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
