"""What is kept of an audit: which pictures were drawn, so that answers find them again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """One draw of pictures at random."""

    run_id: int
    seed: int
    candidates: int
    """How many pictures it was drawn from."""
    arrival_ids: tuple[int, ...]
    """In the order drawn."""
