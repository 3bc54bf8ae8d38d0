"""Make a workspace: its folders, database, backbone, and a first model that needs no label."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgsort.disk.display import display
from imgsort.disk.durable import sync_folder, write_synced
from imgsort.errors import ImgsortError, StoreFull, WeightsMissing, WorkspaceProblem
from imgsort.models.backbones import BACKBONES, InstalledBackbone, install, resolve_auto
from imgsort.models.registry import ClassEntry, ModelCard, ModelDraft, Registry
from imgsort.models.vocabulary import Row, Vocabulary, imagenet_names
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.config import Config, load_config
from imgsort.workspace.workspace import Workspace

OFFLINE = "efficientnet-lite0"
STAGING = ".imgsort-init-"
ROOM_MB = {"resnet50": 400, OFFLINE: 60}
"""What a fresh workspace takes, the compiled model that the first run adds included."""
CONFIG = """\
# imgsort workspace. Every other key, with its default and reason, is in the sample config.toml
# of the project and in docs/configuration.md. `imgsort check-config` checks this file.

[model]
backbone = "{backbone}"   # what looks at the pictures; chosen by `imgsort init`, leave it
# confidence = 0.7        # what any model is less sure about than this goes to unsure/

[filing]
mode = "move"             # "copy" leaves the original in the inbox
template = "{{label}}/{{name}}"   # for example "{{label}}/{{year}}/{{month}}/{{name}}"
"""


@dataclass(frozen=True)
class Founded:
    """What ``init`` made."""

    workspace: Workspace
    card: ModelCard
    backbone_reason: str | None
    """Why ``auto`` chose this backbone, in one line."""

    @property
    def knows_nothing(self) -> bool:
        """The weights came without the classification top: no class is known until labelled."""
        return not self.card.classes


def refuse_existing(root: Path) -> None:
    """Raise WorkspaceProblem where a workspace, or a file, already stands."""
    if (root / "config.toml").exists():
        raise WorkspaceProblem(
            f"{root.absolute()} is a workspace already; use it, or name another folder with -C."
        )
    if (root / "state").exists():
        raise WorkspaceProblem(
            f"{root.absolute()} has a state folder but no config.toml; put that back (an empty "
            f"one holds the defaults), or name another folder with -C."
        )
    if root.exists() and not root.is_dir():
        raise WorkspaceProblem(f"{root.absolute()} is a file; name a folder with -C.")


def check(root: Path, backbone: str, weights: Path | None) -> None:
    """Everything that can be wrong with ``init``'s arguments, before anything takes its time.

    Raises WorkspaceProblem, WeightsMissing or ImgsortError.
    """
    refuse_existing(root)
    if backbone not in {*BACKBONES, "auto"}:
        raise ImgsortError(
            f"There is no backbone {backbone!r}; choose one of {', '.join(BACKBONES)} or auto."
        )
    if weights is None:
        return
    if backbone == OFFLINE:
        raise ImgsortError(
            f"--weights is for resnet50, {OFFLINE} brings its own; leave --weights out, or choose "
            f"--backbone resnet50."
        )
    if not weights.is_file():
        raise WeightsMissing(
            f"{weights} is no file; name the file with ResNet50's weights, or leave --weights out."
        )


def found(
    root: Path, vocabulary: Vocabulary | None, backbone: str, weights: Path | None
) -> Founded:
    """Make the workspace at ``root``.

    ``vocabulary`` None means the 1,000 ImageNet classes by their own names. Everything is built
    aside and renamed when it is whole, config.toml last: a kill leaves no workspace, and a failure
    leaves nothing at all. Raises WeightsMissing, WorkspaceProblem.
    """
    check(root, backbone, weights)
    name, reason = resolve_auto(weights) if backbone == "auto" else (backbone, None)
    workspace = Workspace(root.absolute(), Config())
    made: list[Path] = []
    try:
        _make(workspace.root, made)
        with _alone_in(workspace.root):
            card = _founded(workspace, vocabulary, name, weights, made)
    except BaseException as problem:
        for folder in reversed(made):
            with suppress(OSError):  # somebody put something there meanwhile: it stays
                folder.rmdir()
        if isinstance(problem, OSError | StoreFull):
            raise WorkspaceProblem(
                f"The workspace {workspace.root} could not be made ({_why(problem)}); look after "
                f"that, then try again: nothing was left behind."
            ) from None
        raise
    return Founded(Workspace(workspace.root, load_config(workspace.config_file)), card, reason)


def _founded(
    workspace: Workspace,
    vocabulary: Vocabulary | None,
    name: str,
    weights: Path | None,
    made: list[Path],
) -> ModelCard:
    refuse_existing(workspace.root)
    _require_room(workspace.root, name)
    words = () if vocabulary is None else vocabulary.names
    for folder in (*workspace.picture_folders, *(workspace.sorted / word for word in words)):
        _make(folder, made)
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=workspace.root) as aside:
        staging = Path(aside)
        card = _built(staging, vocabulary, name, weights)
        write_synced(staging / "config.toml", CONFIG.format(backbone=name).encode())
        (staging / "state").rename(workspace.state)
        (staging / "config.toml").rename(workspace.config_file)
        sync_folder(workspace.root)
    return card


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    """Keep a second ``init`` out, and clear away what a killed one left."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for leftover in root.glob(f"{STAGING}*"):
            shutil.rmtree(leftover)
        yield
    except BlockingIOError:
        raise WorkspaceProblem(
            f"Another `imgsort init` is making {root}; wait until it is done."
        ) from None
    finally:
        os.close(descriptor)


def _built(
    staging: Path, vocabulary: Vocabulary | None, name: str, weights: Path | None
) -> ModelCard:
    draft = Workspace(staging, Config())
    draft.models.mkdir(parents=True)
    installed = install(name, draft.backbones, weights)
    migrate(draft.database)
    return first_model(draft, installed, vocabulary)


def first_model(
    workspace: Workspace, installed: InstalledBackbone, vocabulary: Vocabulary | None
) -> ModelCard:
    """Publish and activate the model that needs no label. The database must stand."""
    words = vocabulary.names if vocabulary is not None else imagenet_names()
    store = Store.open(workspace.database, root=workspace.root, checkpointer=True)
    try:
        ids = store.classes.ensure(words)
        registry = Registry(workspace.models)
        draft = ModelDraft.imagenet(
            installed.name,
            installed.id,
            tuple(ClassEntry(ids[word], word) for word in words),
            installed.imagenet_head(),
            None if vocabulary is None else vocabulary.groups(),
        )
        card = registry.publish(draft)
        store.predictions.add_model(card)
        registry.activate(card.version)
        return card
    finally:
        store.close()


def _require_room(root: Path, backbone: str) -> None:
    free, needed = shutil.disk_usage(root).free // 1_000_000, ROOM_MB[backbone]
    if free < needed:
        raise WorkspaceProblem(
            f"The disk of {root} has {free} MB free, but a workspace with {backbone} takes "
            f"{needed} MB; make room, or choose a folder on another disk with -C."
        )


def _make(folder: Path, made: list[Path]) -> None:
    """Make the folder and those above it; the new ones go to the end of ``made``."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            made.append(each)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except OSError as problem:
        raise WorkspaceProblem(
            f"{folder} can't be made ({problem.strerror}); choose another folder with -C or "
            f"correct its mode."
        ) from None


def _why(problem: OSError | StoreFull) -> str:
    if isinstance(problem, OSError):
        return problem.strerror or str(problem)
    return os.strerror(errno.ENOSPC)


def summary(founded: Founded, vocabulary: Vocabulary | None) -> dict[str, Any]:
    """What `init --json` prints."""
    card = founded.card
    return {
        "workspace": display(founded.workspace.root),
        "backbone": card.backbone,
        "model": card.version,
        "classes": [row_dict(row) for row in vocabulary.rows()]
        if vocabulary
        else len(card.classes),
    }


def row_dict(row: Row) -> dict[str, Any]:
    """One word of ``--classes`` and what it stands for."""
    return {
        "name": row.word,
        "imagenet_classes": row.classes,
        "examples": list(row.examples),
        "note": row.note,
    }
