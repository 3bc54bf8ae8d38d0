"""A server that lets orders be carried out by processes that may die: the imports are paid once."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).parents[2]
Order = dict[str, Any]


class Server:
    """A script beside this file that serves, in a process of its own."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        )

    def killed(self, order: Order) -> bool:
        """Have it carried out. True if that was killed on the way, False if it came to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline().strip()
        assert answer in {"0", "9"}, f"{order}: {answer}"
        return answer == "9"

    def close(self) -> None:
        self._process.communicate()


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
