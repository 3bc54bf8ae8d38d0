"""What the fault tests count, and the table that `make chaos` prints of it."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

PROPERTY = "chaos"
HEAD = ("fault", "injected", "images lost", "filed twice", "rows != files", "controls failed")


@dataclass(frozen=True, slots=True)
class Harm:
    """What the books of a workspace say against it; ``Harm()`` is none."""

    lost: int = 0
    """Contents that were dropped and are nowhere."""
    twice: int = 0
    """Contents that are there more often than they were dropped."""
    astray: int = 0
    """Rows without a file, files without a row, moves left half done, labels nobody gave."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry; entries of a kind are added up in the table."""

    kind: str
    injected: int = 0
    lost: int = 0
    twice: int = 0
    astray: int = 0
    controls: int = 0
    controls_failed: int = 0


class Ledger:
    """What one test injected and found. pytest carries the lines from its workers to the table."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def fault(self, kind: str, harm: Harm, injected: int = 1) -> None:
        """Write down what some faults did, then fail the test unless that is nothing."""
        self._enter(Line(kind, injected, harm.lost, harm.twice, harm.astray))
        assert harm == Harm(), f"{kind}: {harm}"

    def control(self, kind: str, harm: Harm) -> None:
        """A variant broken on purpose: the books must show harm, or they can't be trusted."""
        failed = harm != Harm()
        self._enter(Line(kind, injected=1, controls=1, controls_failed=int(failed)))
        assert failed, f"{kind}: the broken variant did no harm that could be seen"

    def _enter(self, line: Line) -> None:
        self._properties.append((PROPERTY, list(astuple(line))))


def table(entries: Iterable[Sequence[object]]) -> list[str]:
    """The lines to print, one a kind and one for all."""
    sums: dict[str, list[int]] = {}
    for kind, *numbers in entries:
        line = sums.setdefault(str(kind), [0] * len(numbers))
        for place, number in enumerate(numbers):
            line[place] += int(str(number))
    if not sums:
        return []
    rows = [(kind, *_cells(sums[kind])) for kind in sorted(sums)]
    rows.append(("all", *_cells([sum(column) for column in zip(*sums.values(), strict=True)])))
    width = max(len(kind) for kind, *_ in (HEAD, *rows))
    return [_printed(row, width) for row in (HEAD, *rows)]


def _cells(numbers: Sequence[int]) -> tuple[str, ...]:
    *counts, controls, failed = numbers
    return (*(f"{count:,}" for count in counts), f"{failed} of {controls}" if controls else "-")


def _printed(row: Sequence[str], width: int) -> str:
    kind, *cells = row
    return "  ".join(
        [
            kind.ljust(width),
            *(cell.rjust(len(head)) for cell, head in zip(cells, HEAD[1:], strict=True)),
        ]
    )
