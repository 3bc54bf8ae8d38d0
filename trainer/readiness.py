"""May a training begin? What lacks is told with the next step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgsort.errors import NothingToDo
from imgsort.trainer.dataset import Labelled, Split
from imgsort.trainer.gate import FEWEST
from imgsort.trainer.lessons import LEAST

MOST_NAMED = 6
AUDITED = 50
"""Pictures drawn at random of which the split holds out enough, see ``holdout_share``."""
HOW_TO_LABEL = (
    "move wrongly sorted images to the right class folder, or look through a class folder and "
    "`imgsort confirm` it"
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A class folder that could be looked through."""

    path: str
    """As a user types it, such as ``sorted/cat``."""
    images: int
    """In it, without a representative label."""


def require_labels(labelled: Sequence[Labelled], names: Mapping[int, str]) -> None:
    """Raise NothingToDo where no two classes have anything to learn from."""
    counts = Counter(picture.label for picture in labelled)
    if not counts:
        raise NothingToDo(f"There are no labels to learn from yet; {HOW_TO_LABEL}.")
    if len(counts) == 1:
        name = names[next(iter(counts))]
        raise NothingToDo(
            f"All {counts.total()} labels are of one class, {name}, and a model needs at least two "
            f"to tell apart; label images of other classes too."
        )


def require_trainable(split: Split, names: Mapping[int, str]) -> None:
    """Raise NothingToDo unless two classes have enough labels outside the holdout."""
    counts = Counter(picture.label for picture in split.training)
    if sum(count >= LEAST for count in counts.values()) > 1:
        return
    every = Counter(
        picture.label for part in (split.training, split.holdout, split.waiting) for picture in part
    )
    named = ", ".join(f"{names[number]} {counts[number]}" for number, _ in _most(every))
    raise NothingToDo(
        f"Too few labels: at least two classes need {LEAST} to train on, beside those that are "
        f"held out for the test, and there are {named}; {HOW_TO_LABEL}."
    )


def require_representative(split: Split, folders: Sequence[Folder]) -> None:
    """Raise NothingToDo where too few held-out labels speak for all pictures."""
    held = len(split.holdout)
    if held >= FEWEST:
        return
    largest = sorted(folders, key=lambda folder: -folder.images)[:MOST_NAMED]
    named = ", ".join(f"{folder.path} ({folder.images:,})" for folder in largest if folder.images)
    look = f"look through {named} and type `imgsort confirm` with each of them" if named else ""
    audit = f"type `imgsort audit {AUDITED}` and say what those images are"
    raise NothingToDo(
        f"No model can be tested fairly yet: corrections alone show what is wrong, not how much is "
        f"right, and only {held} of the {FEWEST} test images that are needed have been checked "
        f"without picking; {f'{look}, or ' if look else ''}{audit}."
    )


def _most(counts: Counter[int]) -> list[tuple[int, int]]:
    return counts.most_common(MOST_NAMED)
