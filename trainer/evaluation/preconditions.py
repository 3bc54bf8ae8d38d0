"""May a training begin? What lacks is told with the next step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgsort.errors import NothingToDo
from imgsort.trainer.dataset.split import LabelledImage
from imgsort.trainer.evaluation.gate import FEWEST

LEAST = 2
"""Labels of a class from which on something can be learned of it: one to learn, one to judge."""
MOST_NAMED = 6
AUDITED = 50
HOW_TO_LABEL = (
    "move wrongly sorted images to the right class folder, or look through a class folder and "
    "`imgsort confirm` it"
)


@dataclass(frozen=True, slots=True)
class ClassFolderSize:
    """A class folder that could be looked through."""

    path: str
    """As a user types it, such as ``sorted/cat``."""
    images: int
    """In it, without a representative label."""


def require_labels(labelled: Sequence[LabelledImage], names: Mapping[int, str]) -> None:
    """Raise NothingToDo unless two classes have something to learn from."""
    counts = Counter(picture.label for picture in labelled)
    if not counts:
        raise NothingToDo(f"There are no labels to learn from yet; {HOW_TO_LABEL}.")
    if len(counts) == 1:
        name = names[next(iter(counts))]
        raise NothingToDo(
            f"All {counts.total()} labels are of one class, {name}, and a model needs at least two "
            f"to tell apart; label images of other classes too."
        )
    if sum(count >= LEAST for count in counts.values()) > 1:
        return
    named = ", ".join(f"{names[number]} {count}" for number, count in _most(counts))
    raise NothingToDo(
        f"Too few labels: at least two classes need {LEAST}, and there are {named}; {HOW_TO_LABEL}."
    )


def require_representative(
    labelled: Sequence[LabelledImage], folders: Sequence[ClassFolderSize]
) -> None:
    """Raise NothingToDo where too few labels speak for all pictures."""
    held = sum(picture.representative for picture in labelled)
    if held >= FEWEST:
        return
    largest = sorted(folders, key=lambda folder: -folder.images)[:MOST_NAMED]
    named = ", ".join(f"{folder.path} ({folder.images:,})" for folder in largest if folder.images)
    look = f"look through {named} and type `imgsort confirm` with each of them" if named else ""
    audit = f"type `imgsort audit {AUDITED}` and say what those images are"
    raise NothingToDo(
        f"No model can be tested fairly yet: corrections alone show what is wrong, not how much is "
        f"right, and only {held} of the {FEWEST} images that are needed for that have been checked "
        f"without picking; {f'{look}, or ' if look else ''}{audit}."
    )


def _most(counts: Counter[int]) -> list[tuple[int, int]]:
    return counts.most_common(MOST_NAMED)
