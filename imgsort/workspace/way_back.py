"""What to do when state/, or the log in it, is gone: one advice, whoever notices it."""

import shlex
from pathlib import Path

from imgsort.errors import ConfigProblem
from imgsort.workspace.config import Config, load_config

SUFFIX = ".tar"
"""How backups end."""


def way_back(root: Path) -> str:
    """The end of a sentence. ``root`` is the workspace's folder."""
    folder = _backups(root)
    newest = _newest(folder)
    if newest is not None:
        return _restored(newest)
    return (
        f"bring it back with `imgsort restore FILE`, or, where there is no backup (there is none "
        f"in {folder}), make a new log from the folders with `imgsort rebuild-db`"
    )


def way_back_to_a_model(root: Path) -> str:
    """The same where a log may be, but no model: no command makes one in a workspace that is."""
    newest = _newest(_backups(root))
    if newest is not None:
        return _restored(newest)
    return (
        "bring it back with `imgsort restore FILE`, or, where there is no backup, make a new "
        "workspace with `imgsort init` and `imgsort import` the class folders of this one"
    )


def _restored(backup: Path) -> str:
    return f"bring it back with `imgsort restore {shlex.quote(str(backup))}`"


def _backups(root: Path) -> Path:
    try:
        config = load_config(root / "config.toml")
    except ConfigProblem:
        config = Config()
    return root / config.backup.folder


def _newest(folder: Path) -> Path | None:
    try:
        made = [path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(".")]
        return max(made, key=lambda path: path.stat().st_mtime_ns, default=None)
    except OSError:
        return None
