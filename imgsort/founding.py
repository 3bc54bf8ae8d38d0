"""Make a workspace: its folders, database, backbone, and a first model that needs no label."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgsort.backbones import BACKBONES, InstalledBackbone, install, resolve_auto
from imgsort.config import Config, load_config
from imgsort.errors import ImgsortError, WorkspaceProblem
from imgsort.registry import ClassEntry, ModelCard, ModelDraft, Registry
from imgsort.schema import migrate
from imgsort.store import Store
from imgsort.vocabulary import Row, Vocabulary, imagenet_names
from imgsort.workspace import Workspace

CONFIG = """\
# imgsort workspace. Every other key, with its default and reason, is in the sample config.toml
# of the project and in docs/configuration.md. `imgsort check-config` checks this file.

[model]
backbone = "{backbone}"   # what looks at the pictures; chosen by `imgsort init`, leave it
confidence = 0.7          # a picture the model is less sure about goes to unsure/

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


def found(
    root: Path, vocabulary: Vocabulary | None, backbone: str, weights: Path | None
) -> Founded:
    """Make the workspace at ``root``.

    ``vocabulary`` None means the 1,000 ImageNet classes by their own names. ``state/`` is built
    aside and renamed when it is whole, config.toml comes last: a kill leaves no workspace.
    Raises WeightsMissing, WorkspaceProblem.
    """
    refuse_existing(root)
    name, reason = resolve_auto(weights) if backbone == "auto" else (backbone, None)
    if name not in BACKBONES:
        raise ImgsortError(
            f"There is no backbone {name!r}; choose one of {', '.join(BACKBONES)} or auto."
        )
    workspace = Workspace(root.absolute(), Config())
    made_root = not root.exists()
    _make(workspace.root)
    try:
        with tempfile.TemporaryDirectory(prefix=".imgsort-init-", dir=workspace.root) as staging:
            card = _built(Path(staging), vocabulary, name, weights)
            (Path(staging) / "state").rename(workspace.state)
    except BaseException:
        if made_root:
            with suppress(OSError):  # somebody put something there meanwhile: it stays
                workspace.root.rmdir()
        raise
    for folder in workspace.picture_folders:
        _make(folder)
    if vocabulary is not None:
        for word in vocabulary.names:
            _make(workspace.sorted / word)
    _write_config(workspace.config_file, name)
    config = load_config(workspace.config_file)
    return Founded(Workspace(workspace.root, config), card, reason)


def _built(
    staging: Path, vocabulary: Vocabulary | None, name: str, weights: Path | None
) -> ModelCard:
    draft = Workspace(staging, Config())
    _make(draft.models)
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
        ids = store.ensure_classes(words)
        registry = Registry(workspace.models)
        draft = ModelDraft.imagenet(
            installed.name,
            installed.id,
            tuple(ClassEntry(ids[word], word) for word in words),
            installed.imagenet_head(),
            None if vocabulary is None else vocabulary.groups(),
        )
        card = registry.publish(draft)
        store.add_model(card)
        registry.activate(card.version)
        return card
    finally:
        store.close()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise WorkspaceProblem(
            f"{folder} can't be made ({problem.strerror}); choose another folder with -C or "
            f"correct its mode."
        ) from None


def _write_config(path: Path, backbone: str) -> None:
    part = path.with_name("config.toml.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(CONFIG.format(backbone=backbone))
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def summary(founded: Founded, vocabulary: Vocabulary | None) -> dict[str, Any]:
    """What `init --json` prints."""
    card = founded.card
    return {
        "workspace": str(founded.workspace.root),
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
