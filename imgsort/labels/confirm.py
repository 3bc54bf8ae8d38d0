"""Which labels follow when a person has looked through folders and put right what was wrong? Pure.

A label is *representative* when its picture was drawn without regard to whether the model was
right. Looking through a whole class folder makes the pictures that the model filed there such a
draw: those that lie there still, and those that were moved out. A picture that was moved in from
another folder is there because somebody noticed a mistake; counting it would overstate the model's
mistakes, until the folder it came from has been looked through as well.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imgsort.labels.apply import news
from imgsort.records.labels import HumanLabel, NewLabel

UNSURE = ""
"""The origin of pictures that the model put into unsure/; no class can be called that."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A picture and where it is: ``class_name`` None outside the class folders."""

    sha256: str
    class_name: str | None
    origin: str | None
    """The class folder the model put it into, or UNSURE; None if a person put it there."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One content that lies in several class folders."""

    sha256: str
    class_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation says. Labels that say nothing new are left out."""

    labels: tuple[NewLabel, ...]
    confirmed: int
    """Pictures that lie in what was confirmed, whether that is news or not."""
    moved_out: int
    """Earlier corrections that have become representative."""
    waiting: Mapping[str, int]
    """Pictures that aren't representative until their origin is looked through, by origin."""
    contradictions: tuple[Contradiction, ...]

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "confirmed": self.confirmed,
            "new_labels": len(self.labels),
            "representative": sum(one.representative for one in self.labels),
            "moved_out_before": self.moved_out,
            "waiting_for": {name or "unsure": n for name, n in self.waiting.items()},
            "contradictions": [
                {"sha256": one.sha256, "classes": list(one.class_names)}
                for one in self.contradictions
            ],
        }


def confirmation(
    lying: Sequence[LookedAt],
    copies: Sequence[LookedAt],
    corrected: Sequence[LookedAt],
    looked_through: Collection[str],
    current: Mapping[str, HumanLabel],
) -> Confirmation:
    """``lying``: what lies in the places that were confirmed; ``copies``: every file of the same
    contents, wherever it is; ``corrected``: pictures with a label that isn't representative;
    ``looked_through``: the origins seen as a whole, UNSURE among them if nothing is left in unsure/
    or that was confirmed itself.
    """
    classes: dict[str, set[str]] = {}
    for one in (*lying, *copies):
        if one.class_name is not None:
            classes.setdefault(one.sha256, set()).add(one.class_name)
    contradictions = tuple(
        Contradiction(sha256, tuple(sorted(names)))
        for sha256, names in classes.items()
        if len(names) > 1
    )
    here: dict[str, NewLabel] = {}
    waiting: Counter[str] = Counter()
    for one in lying:
        names = classes.get(one.sha256, set())
        if one.class_name is None or len(names) != 1 or one.sha256 in here:
            continue
        before = current.get(one.sha256)
        if before is not None and before.kind == "never_use":
            continue  # said of this very picture; the folder says less
        drawn = _drawn(one, looked_through) or (before is not None and before.representative)
        if not drawn and one.origin is not None and one.origin != one.class_name:
            waiting[one.origin] += 1
        here[one.sha256] = NewLabel(one.sha256, "label", one.class_name, "confirm", drawn)
    labels = news(here.values(), current)
    gained = _gained(corrected, looked_through, current, {*here, *classes})
    return Confirmation(
        (*labels, *gained), len(here), len(gained), dict(waiting.most_common()), contradictions
    )


def _drawn(one: LookedAt, looked_through: Collection[str]) -> bool:
    if one.origin is None:  # a person's own picture, as in `import`: nobody picked it for an error
        return one.class_name in looked_through
    return one.origin in looked_through


def _gained(
    corrected: Sequence[LookedAt],
    looked_through: Collection[str],
    current: Mapping[str, HumanLabel],
    done: Collection[str],
) -> list[NewLabel]:
    found: dict[str, NewLabel] = {}
    for one in corrected:
        before = current.get(one.sha256)
        if one.sha256 in done or one.origin not in looked_through or before is None:
            continue
        if before.kind == "label" and not before.representative:
            found[one.sha256] = NewLabel(one.sha256, "label", before.class_name, "confirm", True)
    return list(found.values())
