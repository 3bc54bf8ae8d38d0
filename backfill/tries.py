"""A unit is tried a few times; then it is a failure with a reason, and the job goes on."""

from collections.abc import Callable

from imgsort.backfill.failures import UnitFailure
from imgsort.backfill.judge import UnitSummary
from imgsort.disk.display import display
from imgsort.errors import ImgsortError

Judged = UnitSummary | UnitFailure


def once(unit: int, act: Callable[[int], UnitSummary]) -> Judged:
    """Errors as values: what is raised in an actor would take others' work with it."""
    try:
        return act(unit)
    except Exception as problem:  # noqa: BLE001 - one unit must not end a job of days
        return UnitFailure(unit, 1, in_words(problem))


def in_words(problem: Exception) -> str:
    if isinstance(problem, ImgsortError):
        return str(problem)
    if isinstance(problem, OSError) and problem.strerror:
        where = f" ({display(str(problem.filename))})" if problem.filename else ""
        return f"{problem.strerror}{where}"
    return display(f"{type(problem).__name__}: {' '.join(str(problem).split())}")
