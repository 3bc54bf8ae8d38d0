"""What a run of the daemon came to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from imgsort.daemon.inbox.left_over import told


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Images by what became of them, while the daemon ran."""

    filed: int
    unsure: int
    rejected: int
    left_in_place: int
    """Files that could not be taken: no permission, no regular file, a full destination."""
    left_for_kind: Mapping[str, int] = field(default_factory=dict)
    """Files that are no pictures, or that imgsort doesn't read, by kind: video, raw, other, or the
    name that decode.more_formats has for it."""
    still_written: tuple[str, ...] = ()
    """Files in the inbox that somebody was still writing at the end."""
    seconds: float = 0.0
    """From ready to the end."""
    labelled_by_hand: int = 0
    """Pictures that people had put into a class folder."""
    attention: tuple[str, ...] = ()
    """What somebody should know or decide about the folders, a sentence each."""
    interrupted: bool = False
    """`run --once` was told to stop while pictures waited."""

    @property
    def images(self) -> int:
        return self.filed + self.unsure + self.rejected

    def as_dict(self) -> dict[str, Any]:
        return {"images": self.images, **asdict(self)}

    def __str__(self) -> str:
        sentences = [
            f"{self.images:,} images in {self.seconds:.1f} s: {self.filed:,} filed, "
            f"{self.unsure:,} unsure, {self.rejected:,} rejected."
        ]
        if self.left_in_place:
            sentences.append(f"{self.left_in_place:,} could not be taken and stay in the inbox.")
        if self.left_for_kind:
            left = sum(self.left_for_kind.values())
            sentences.append(
                f"{left:,} file{' is' if left == 1 else 's are'} left in the inbox: "
                f"{told(self.left_for_kind)}."
            )
        if self.still_written:
            names = ", ".join(self.still_written)
            sentences.append(f"Still being written, so left for the next run: {names}.")
        if self.labelled_by_hand:
            sentences.append(f"{self.labelled_by_hand:,} were put into a class by hand: learned.")
        if self.interrupted:
            sentences.append("Stopped before the inbox was empty; run it again for the rest.")
        return " ".join((*sentences, *self.attention))
