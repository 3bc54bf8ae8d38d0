"""What happened to a class as such: renamed, retired or brought back. Values, no database."""

from dataclasses import dataclass
from typing import Literal

ChangeKind = Literal["renamed", "retired", "restored"]

_BACK: dict[ChangeKind, ChangeKind] = {
    "renamed": "renamed",
    "retired": "restored",
    "restored": "retired",
}


@dataclass(frozen=True, slots=True)
class ClassChange:
    """One change; ``old`` and ``new`` differ only where the class was renamed."""

    class_id: int
    kind: ChangeKind
    old: str
    new: str
    id: int | None = None
    """Of its row; None before it has one."""
    into: int | None = None
    """The class that a retired one is part of from now on."""

    def back(self) -> "ClassChange":
        """The change that takes this one back."""
        return ClassChange(self.class_id, _BACK[self.kind], self.new, self.old, into=self.into)

    def said(self) -> str:
        """For people."""
        if self.kind == "renamed":
            return f"{self.old} is called {self.new}"
        return f"{self.new} is {'retired' if self.kind == 'retired' else 'in use again'}"


@dataclass(frozen=True, slots=True)
class ClassStanding:
    """A class and what there is of it."""

    id: int
    name: str
    labels: int
    """Contents whose newest word calls them so."""
    pictures: int
    """Files in its folder."""
    retired: bool
