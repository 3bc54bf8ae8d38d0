"""What to do when state/, or the log in it, is gone: one advice, whoever notices it."""

import shlex
from pathlib import Path

from imgsort.errors import ConfigProblem
from imgsort.workspace.config import Config, load_config

SUFFIX = ".tar"
"""How backups end."""


def way_back(root: Path) -> str:
    """The end of a sentence. ``root`` is the workspace's folder."""
    try:
        config = load_config(root / "config.toml")
    except ConfigProblem:
        config = Config()
    folder = root / config.backup.folder
    newest = _newest(folder)
    if newest is not None:
        return f"bring it back with `imgsort restore {shlex.quote(str(newest))}`"
    return (
        f"bring it back with `imgsort restore FILE`, or, where there is no backup (there is none "
        f"in {folder}), make a new log from the folders with `imgsort rebuild-db`"
    )


def _newest(folder: Path) -> Path | None:
    try:
        made = [path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(".")]
        return max(made, key=lambda path: path.stat().st_mtime_ns, default=None)
    except OSError:
        return None
