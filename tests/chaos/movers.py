"""Movers that die where they are told to: ``filing_child`` in a process of its own."""

from pathlib import Path

from tests.chaos.forks import Server


class Movers:
    """Starts movers one after the other, each in a process of its own."""

    def __init__(self) -> None:
        self._server = Server("filing_child.py")

    def run(
        self, action: str, root: Path, *, way: str = "", failpoint: str = "", broken: str = ""
    ) -> bool:
        """True if the mover was killed by its fail point, False if it did its work.

        ``broken``: one of the variants that ``filing_child`` breaks on purpose.
        """
        order = {
            "action": action,
            "root": str(root),
            "way": way,
            "failpoint": failpoint,
            "broken": broken,
        }
        return self._server.killed(order)

    def close(self) -> None:
        self._server.close()
