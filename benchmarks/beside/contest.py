"""All contenders, warmed up, then in turn, round by round."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.beside.contender import Contender
from benchmarks.beside.pictures import lay_out
from benchmarks.beside.places import python_for
from benchmarks.beside.running import LONGEST, Failed, Running

BATCH_SIZE = 32
WARMING_UP = 0
"""The number of the round that doesn't count: it compiles, and touches memory first."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all have in common."""

    pictures: Sequence[bytes]
    rounds: int
    kept: Path
    """Environments and networks, for the next time."""
    install: bool = True
    longest: float = LONGEST
    """Seconds that a contender may take to get ready, or for one folder."""


@dataclass
class Row:
    """What came of a contender."""

    contender: Contender
    what: str = ""
    """Its versions, as it says itself."""
    rates: list[float] = field(default_factory=list)
    """Images per second, round by round."""
    skipped: str | None = None
    """Why there is no figure."""


class Entrant:
    """A contender with its process. What goes wrong ends up in its row, and ends it."""

    def __init__(self, contender: Contender, place: Path) -> None:
        self.row = Row(contender)
        self._place = place
        self._process: Running | None = None

    def get_ready(self, terms: Terms) -> None:
        """Install, start and warm up."""
        contender = self.row.contender
        self._place.mkdir(parents=True)
        try:
            python = python_for(contender, terms.kept, install=terms.install)
            settings = {
                "batch_size": BATCH_SIZE,
                "cores": cores(),
                "place": str(self._place),
                "kept": str(terms.kept),
                **contender.settings,
            }
            log = self._place / "words.log"
            self._process = Running(python, contender.program, settings, log, terms.longest)
            self.row.what = self._process.what
            self._judged(terms, WARMING_UP)
        except Failed as why:
            self._give_up(why)

    def take_turn(self, terms: Terms, number: int) -> None:
        """One round; nothing where it has given up."""
        try:
            if self._process is not None:
                self.row.rates.append(self._judged(terms, number))
        except Failed as why:
            self._give_up(why)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _judged(self, terms: Terms, number: int) -> float:
        """Images per second."""
        assert self._process is not None  # noqa: S101 - asked before
        folder = self._place / f"round{number}"
        names = lay_out([*terms.pictures] * self.row.contender.times, folder, number)
        done = self._process.judge(folder, names)
        shutil.rmtree(folder)
        return len(names) / done.seconds

    def _give_up(self, why: Failed) -> None:
        """No figure at all: rounds that one has and another hasn't can't be compared."""
        self.row.skipped, self.row.rates = str(why), []
        print(f"{self.row.contender.name}: {why}", file=sys.stderr, flush=True)
        self.stop()


def contest(contenders: Sequence[Contender], terms: Terms, where: Path) -> list[Row]:
    """A row for each, whatever becomes of it; all work is done below ``where``."""
    entrants = [Entrant(one, where / f"{place:02}") for place, one in enumerate(contenders)]
    try:
        for entrant in entrants:
            print(f"getting ready: {entrant.row.contender.name}", file=sys.stderr, flush=True)
            entrant.get_ready(terms)
        for number in range(1, terms.rounds + 1):
            print(f"round {number} of {terms.rounds}", file=sys.stderr, flush=True)
            first = number % len(entrants)  # nobody always comes after the same one
            for entrant in (*entrants[first:], *entrants[:first]):
                entrant.take_turn(terms, number)
    finally:
        for entrant in entrants:
            entrant.stop()
    return [entrant.row for entrant in entrants]


def cores() -> int:
    return len(os.sched_getaffinity(0))
