"""Movers that die where they are told to: ``filing_child`` in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


class Movers:
    """Starts movers one after the other, each in a process of its own."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "filing_child.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        )

    def run(
        self, action: str, root: Path, *, way: str = "", failpoint: str = "", broken: str = ""
    ) -> bool:
        """True if the mover was killed by its fail point, False if it did its work.

        ``broken``: one of the variants that ``filing_child`` breaks on purpose.
        """
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        order = {
            "action": action,
            "root": str(root),
            "rename": "unsupported" if way == "no-noreplace" else "supported",
            "failpoint": failpoint,
            "broken": broken,
        }
        print(json.dumps(order), file=self._server.stdin, flush=True)
        answer = self._server.stdout.readline().strip()
        assert answer in {"0", "9"}, f"{order}: {answer}"
        return answer == "9"

    def close(self) -> None:
        self._server.communicate()
