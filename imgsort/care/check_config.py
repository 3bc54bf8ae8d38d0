"""Does this workspace work? What `check-config` looks at, a real rename among it."""

import os
from collections.abc import Mapping
from pathlib import Path

from imgsort.care.finding import Finding, Level, ok
from imgsort.disk.mounts import is_network, type_of
from imgsort.disk.read_only import is_read_only
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


def checkup(workspace: Workspace) -> list[Finding]:
    """Everything `run` relies on, whether or not an earlier check failed."""
    findings = [ok("config", f"{workspace.config_file} is valid.")]
    folders = [_folder(folder) for folder in (*workspace.picture_folders, workspace.state)]
    findings += folders
    if all(finding.level == "ok" for finding in folders):
        findings += [_rename(workspace.inbox, folder) for folder in workspace.picture_folders[1:]]
        findings.append(_state(workspace.state))
    findings += [_database(workspace), _model(workspace), *_confidence(workspace)]
    return findings


def _wrong(check: str, what: str) -> Finding:
    """``what`` says how to correct it, too."""
    return Finding("error", check, what)


def _folder(folder: Path) -> Finding:
    if not folder.is_dir():
        return _wrong("folders", f"{folder} is missing; put it back (mount it?) or make it.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        if is_read_only(folder):
            return _wrong("folders", f"{folder} is mounted read-only; mount it writable.")
        return _wrong(
            "folders",
            f"{folder} can't be written by this user; correct its owner or mode.",
        )
    return ok("folders", f"{folder} can be written.")


_WAYS: Mapping[Ability, tuple[Level, str]] = {
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


def _rename(source: Path, target: Path) -> Finding:
    """Move an empty hidden file for real; hidden names are never taken for pictures."""
    try:
        level, sentence = _WAYS[ability(source, target)]
    except OSError as problem:
        return _wrong(
            "file systems",
            f"A file can't go from {source} to {target} ({problem.strerror}).",
        )
    return Finding(
        level, "file systems", sentence.format(source=source, target=target, kind=type_of(target))
    )


def _state(state: Path) -> Finding:
    if is_network(state):
        return _wrong(
            "file systems",
            f"{state} is on a network file system ({type_of(state)}), where SQLite can be damaged; "
            f"keep the workspace on a local disk.",
        )
    return ok("file systems", f"{state} is on a local file system.")


def _database(workspace: Workspace) -> Finding:
    try:
        require_current(workspace.database)
    except ImgsortError as problem:
        return _wrong("database", str(problem))
    return ok("database", "The database has this program's schema.")


def _require_precision(workspace: Workspace, backbone: InstalledBackbone, card: ModelCard) -> None:
    """What serving would find out, without starting a runtime."""
    if workspace.config.model.precision == INT8:
        record = required_record(backbone)
        verified_graph(backbone, record)
        require_compatible(card, backbone, record.precision)
    else:
        require_compatible(card, backbone, "float32")


def _model(workspace: Workspace) -> Finding:
    try:
        registry = Registry(workspace.models)
        active = registry.active()
        if active is None and not (registry.versions() or registry.damaged()):
            remedy = way_back_to_a_model(workspace.root)
            return _wrong("models", f"There is no model; {remedy}.")
        if active is None:
            return _wrong(
                "models",
                "No model is active; activate one with `imgsort models activate V`.",
            )
        registry.load(active)
        card = registry.card(active)
        backbone = InstalledBackbone.open(workspace.backbones, card.backbone_id)
        _require_precision(workspace, backbone, card)
    except ImgsortError as problem:
        return _wrong("models", str(problem))
    if backbone.name != workspace.config.model.backbone:
        return Finding(
            "warning",
            "models",
            f"Model v{card.version} looks through {backbone.name}, whatever model.backbone says; "
            f'write backbone = "{backbone.name}", or make a new workspace for another backbone.',
        )
    return ok("models", f"Model v{card.version} on {backbone.name} is active and undamaged.")


def _confidence(workspace: Workspace) -> list[Finding]:
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
    return [ok("models", f"Pictures are filed from a confidence of {said}.")]
