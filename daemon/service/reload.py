"""SIGHUP: which of a new configuration can be used at once, and which needs a restart."""

from dataclasses import dataclass

from imgsort.workspace.config import Config

_FIXED = {
    "folders": ("inbox", "sorted", "unsure", "rejected"),
    "watch": ("poll",),
    "decode": (
        *("workers", "timeout_seconds", "memory_mb", "max_megapixels", "max_file_mb"),
        "more_formats",
    ),
    "model": ("backbone", "device", "precision", "batch_size"),
    "filing": ("mode",),
}


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A configuration that the running daemon can take over, and the keys that it can't."""

    config: Config
    waiting: tuple[str, ...]
    """Keys such as ``model.backbone`` that keep their old value until a restart."""


def reloaded(old: Config, new: Config) -> Reloaded:
    """``new``, with the old values of what can't change while the daemon runs."""
    sections = {}
    waiting: list[str] = []
    for name, keys in _FIXED.items():
        before, after = getattr(old, name), getattr(new, name)
        kept = {key: getattr(before, key) for key in keys}
        waiting += [f"{name}.{key}" for key in keys if kept[key] != getattr(after, key)]
        sections[name] = after.model_copy(update=kept)
    return Reloaded(new.model_copy(update=sections), tuple(waiting))
