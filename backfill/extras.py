"""The libraries that only a backfill needs: a sentence where they are not installed."""

from importlib.util import find_spec

from imgsort.errors import BackfillProblem


def require_backfill() -> None:
    """Raise BackfillProblem unless `imgsort[backfill]` is installed."""
    _require(("pyarrow", "fsspec"), "backfill")


def require_ray() -> None:
    """Raise BackfillProblem unless `imgsort[ray]` is installed."""
    _require(("pyarrow", "fsspec", "ray"), "ray")


def _require(modules: tuple[str, ...], extra: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise BackfillProblem(
            f"`imgsort backfill` needs {' and '.join(missing)}, which isn't installed; run "
            f'`pip install "imgsort[{extra}]"`.'
        )
