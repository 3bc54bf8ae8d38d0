"""A file that is to lie elsewhere, and what became of that."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from imgsort.disk.identity import Identity
from imgsort.errors import FilingPaused
from imgsort.filing.mover import Refusal
from imgsort.filing.sidecar_listing import Sidecar
from imgsort.filing.sidecars import renamed, tail
from imgsort.records.journal import Arrival, Cause, Decision, Mode, Plan
from imgsort.records.labels import NewLabel
from imgsort.records.pictures import LoggedPicture


@dataclass(frozen=True, slots=True)
class Errand:
    """A file and the place it should have, absolute; its name may get a number."""

    arrival_id: int | None
    """Of a file of the log; None for a new one, which brings its ``arrival``."""
    source: Path
    identity: Identity
    sha256: str
    wanted: Path
    cause: Cause
    mode: Mode = "move"
    arrival: Arrival | None = None
    sidecars: tuple[Sidecar, ...] = ()

    @classmethod
    def of(cls, picture: LoggedPicture, wanted: Path, cause: Cause) -> Self:
        """Raises ValueError for a picture of which it isn't known which file it is."""
        if picture.identity is None:
            raise ValueError(f"arrival {picture.arrival_id} has landed without an identity")
        return cls(
            picture.arrival_id, picture.path, picture.identity, picture.sha256, wanted, cause
        )

    def known_as(self, arrival_id: int | None) -> "Errand":
        """The same of a file that is in the log now."""
        if arrival_id == self.arrival_id:
            return self
        return replace(self, arrival_id=arrival_id)

    def tails(self) -> list[str]:
        """What the sidecars' names have after the stem."""
        return [tail(sidecar.path.name, self.source.name) for sidecar in self.sidecars]

    def plans(self, target: Path) -> tuple[Plan, ...]:
        """The picture's plan and then its sidecars', once it has got its name."""
        picture = Plan(
            source=self.source,
            target=target,
            identity=self.identity,
            sha256=self.sha256,
            mode=self.mode,
            cause=self.cause,
            arrival=self.arrival,
            arrival_id=self.arrival_id,
        )
        followers = (
            replace(
                picture,
                source=sidecar.path,
                target=target.with_name(renamed(sidecar.path.name, self.source.name, target.name)),
                identity=sidecar.identity,
                sha256=sidecar.sha256,
                cause="sidecar",
                arrival=None,
            )
            for sidecar in self.sidecars
        )
        return (picture, *followers)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an errand."""

    errand: Errand
    path: Path
    """Where the file lies now."""
    refusal: Refusal | None = None
    """Why it did not move."""

    @property
    def arrival_id(self) -> int:
        """Of a file that is in the log: not of a new one that did not move."""
        if self.errand.arrival_id is None:
            raise ValueError(f"{self.path} is not in the log")
        return self.errand.arrival_id

    @property
    def moved(self) -> bool:
        return self.refusal is None

    @property
    def reason(self) -> str | None:
        return None if self.refusal is None else self.refusal.reason

    @property
    def paused(self) -> FilingPaused | None:
        """It did not move because its destination can't take pictures at present."""
        return None if self.refusal is None else self.refusal.paused

    @property
    def decision(self) -> Decision | None:
        """What was decided of a new picture that is where it should be now."""
        arrival = self.errand.arrival
        return arrival.decision if arrival is not None and self.moved else None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a run did to pictures of the log."""

    run_id: int
    done: tuple[Done, ...]
    labels: tuple[NewLabel, ...] = ()
    """That were written down with it."""
    classes_kept: tuple[str, ...] = ()
    """Why some of what was done to classes was not taken back."""

    @property
    def moved(self) -> tuple[Done, ...]:
        return tuple(done for done in self.done if done.moved)

    @property
    def left(self) -> tuple[Done, ...]:
        """Files that should lie elsewhere now, and don't."""
        return tuple(done for done in self.done if not done.moved)

    def by_class(self) -> dict[str, int]:
        """Labels by class, the largest first."""
        names = (label.class_name for label in self.labels if label.class_name)
        return dict(Counter(names).most_common())
