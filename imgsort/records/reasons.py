"""Why a picture lies where it does: a code that programs go by, beside the sentence for people."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class ReasonCode(StrEnum):
    """What ``reason_code`` says in the log; the words are an interface and never change."""

    LOW_CONFIDENCE = "low_confidence"
    NOTHING_FITS = "nothing_fits"
    NOTHING_KNOWN = "nothing_known"
    NOT_FINITE = "not_finite"
    UNLIKE = "unlike"
    NOT_FILED_YET = "not_filed_yet"
    CLASS_RETIRED = "class_retired"
    SENT_BACK = "sent_back"
    UNREADABLE = "unreadable"
    IMPORTED = "imported"
    PUT_HERE = "put_here"
    PUT_HERE_UNREADABLE = "put_here_unreadable"
    FOUND_AGAIN = "found_again"
    FOUND_AGAIN_UNREADABLE = "found_again_unreadable"
    CHANGED_UNREADABLE = "changed_unreadable"
    OTHER = "other"
    """A sentence that no version of imgsort is known to have written."""

    @classmethod
    def _missing_(cls, value: object) -> Self:  # noqa: ARG003
        return cls("other")


@dataclass(frozen=True, slots=True)
class Reason:
    """A code and its sentence."""

    code: ReasonCode
    sentence: str

    @classmethod
    def of(cls, code: str | None, sentence: str | None) -> Self | None:
        """As the log has it; None where it has no sentence."""
        return None if sentence is None else cls(ReasonCode(code or ReasonCode.OTHER), sentence)


PUT_HERE = Reason(ReasonCode.PUT_HERE, "put here by hand")
"""Of an adopted arrival."""
FOUND_AGAIN = Reason(ReasonCode.FOUND_AGAIN, "found again after the log was lost")
"""Of an arrival that restore or rebuild-db made for a file in its place."""
SENT_BACK = Reason(ReasonCode.SENT_BACK, "sent back")
"""Of a picture that was filed, and lay in the inbox again."""
