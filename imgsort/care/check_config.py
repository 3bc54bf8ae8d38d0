"""Does this workspace work? What `check-config` looks at, a real rename among it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsort.disk.mounts import is_network, type_of
from imgsort.errors import ImgsortError
from imgsort.filing.abilities import Ability, ability
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import INT8, required_record, verified_graph
from imgsort.models.floor import filed_from
from imgsort.models.registry import ModelCard, Registry
from imgsort.models.serving import require_compatible
from imgsort.store.schema import require_current
from imgsort.workspace.way_back import way_back_to_a_model
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at, and in words how it stands."""

    level: Literal["ok", "warning", "wrong"]
    what: str


def checkup(workspace: Workspace) -> list[Check]:
    """Everything `run` relies on, whether or not an earlier check failed."""
    findings = [Check("ok", f"{workspace.config_file} is valid.")]
    folders = [_folder(folder) for folder in (*workspace.picture_folders, workspace.state)]
    findings += folders
    if all(finding.level == "ok" for finding in folders):
        findings += [_rename(workspace.inbox, folder) for folder in workspace.picture_folders[1:]]
        findings.append(_state(workspace.state))
    findings += [_database(workspace), _model(workspace), *_confidence(workspace)]
    return findings


def _folder(folder: Path) -> Check:
    if not folder.is_dir():
        return Check("wrong", f"{folder} is missing; put it back (mount it?) or make it.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check("wrong", f"{folder} can't be written by this user; correct its owner or mode.")
    return Check("ok", f"{folder} can be written.")


_WAYS: Mapping[Ability, tuple[Literal["ok", "warning"], str]] = {
    "rename": ("ok", "A file can be renamed from {source} to {target}."),
    "link": (
        "ok",
        "A file can go from {source} to {target} by a hard link ({kind} can't rename without "
        "replacing).",
    ),
    "look": (
        "warning",
        "{target} ({kind}) can neither make hard links nor rename without replacing: imgsort looks "
        "whether a name is free and then renames; let no other program write there meanwhile.",
    ),
    "copy": (
        "warning",
        "{source} and {target} are on different file systems: every picture is copied, checked and "
        "then removed, which is safe but slower.",
    ),
}


def _rename(source: Path, target: Path) -> Check:
    """Move an empty hidden file for real; hidden names are never taken for pictures."""
    try:
        level, sentence = _WAYS[ability(source, target)]
    except OSError as problem:
        return Check("wrong", f"A file can't go from {source} to {target} ({problem.strerror}).")
    return Check(level, sentence.format(source=source, target=target, kind=type_of(target)))


def _state(state: Path) -> Check:
    if is_network(state):
        return Check(
            "wrong",
            f"{state} is on a network file system ({type_of(state)}), where SQLite can be damaged; "
            f"keep the workspace on a local disk.",
        )
    return Check("ok", f"{state} is on a local file system.")


def _database(workspace: Workspace) -> Check:
    try:
        require_current(workspace.database)
    except ImgsortError as problem:
        return Check("wrong", str(problem))
    return Check("ok", "The database has this program's schema.")


def _require_precision(workspace: Workspace, backbone: InstalledBackbone, card: ModelCard) -> None:
    """What serving would find out, without starting a runtime."""
    if workspace.config.model.precision == INT8:
        record = required_record(backbone)
        verified_graph(backbone, record)
        require_compatible(card, backbone, record.precision)
    else:
        require_compatible(card, backbone, "float32")


def _model(workspace: Workspace) -> Check:
    try:
        registry = Registry(workspace.models)
        active = registry.active()
        if active is None and not (registry.versions() or registry.damaged()):
            remedy = way_back_to_a_model(workspace.root)
            return Check("wrong", f"There is no model; {remedy}.")
        if active is None:
            return Check(
                "wrong", "No model is active; activate one with `imgsort models activate V`."
            )
        registry.load(active)
        card = registry.card(active)
        backbone = InstalledBackbone.open(workspace.backbones, card.backbone_id)
        _require_precision(workspace, backbone, card)
    except ImgsortError as problem:
        return Check("wrong", str(problem))
    if backbone.name != workspace.config.model.backbone:
        return Check(
            "warning",
            f"Model v{card.version} looks through {backbone.name}, whatever model.backbone says; "
            f'write backbone = "{backbone.name}", or make a new workspace for another backbone.',
        )
    return Check("ok", f"Model v{card.version} on {backbone.name} is active and undamaged.")


def _confidence(workspace: Workspace) -> list[Check]:
    """What ``model.confidence`` does, or that it does nothing; a damaged model is told already."""
    registry = Registry(workspace.models)
    try:
        active = registry.active()
        card = None if active is None else registry.card(active)
    except ImgsortError:
        return []
    if card is None:
        return []
    said = filed_from(card, workspace.config.model.confidence)
    return [Check("ok", f"Pictures are filed from a confidence of {said}.")]
