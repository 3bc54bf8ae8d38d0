"""Compiled models are used only as they were written."""

from pathlib import Path

from imgsort.models.runtimes.compiled_cache import forget_unknown, remember


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_blobs_that_are_as_recorded_stay(tmp_path: Path) -> None:
    """Changed, unrecorded and half-written ones are deleted; the rest stays."""
    (tmp_path / "good.blob").write_bytes(b"good")
    (tmp_path / "changed.blob").write_bytes(b"right")
    remember(tmp_path)
    (tmp_path / "changed.blob").write_bytes(b"wrong")
    (tmp_path / "new.blob").write_bytes(b"from a process that was killed")
    forget_unknown(tmp_path)
    assert _names(tmp_path) == ["good.blob", "sums.json"]


def test_a_damaged_record_makes_every_blob_unknown(tmp_path: Path) -> None:
    """Compiling again is cheap, trusting is not."""
    (tmp_path / "good.blob").write_bytes(b"good")
    remember(tmp_path)
    (tmp_path / "sums.json").write_text("{")
    forget_unknown(tmp_path)
    assert _names(tmp_path) == ["sums.json"]
