"""A reason in its two columns."""

from imgsort.records.reasons import Reason


def reason_columns(reason: Reason | None) -> dict[str, str | None]:
    """The sentence, and the code that queries go by."""
    if reason is None:
        return {"reason": None, "reason_code": None}
    return {"reason": reason.sentence, "reason_code": reason.code.value}
