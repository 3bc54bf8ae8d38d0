"""Models and backbones: are they what they were when they were written?"""

from collections.abc import Iterator

from imgsort.care.finding import Finding, ok
from imgsort.errors import ImgsortError
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.registry import Registry
from imgsort.workspace.way_back import way_back_to_a_model
from imgsort.workspace.workspace import Workspace


def check_models(workspace: Workspace) -> Iterator[Finding]:
    """Every version's checksums; damage to one that serves no more is a warning."""
    registry = Registry(workspace.models)
    active = registry.active()
    broken = registry.damaged()
    if active is None:
        yield _none_active(workspace, any_left=bool(broken or registry.versions()))
    backbones: set[str] = set()
    for version in sorted({*broken, *(card.version for card in registry.versions())}):
        try:
            backbones.add(registry.card(version).backbone_id)
            registry.load(version)
        except ImgsortError as problem:
            what = str(problem).partition("; ")[0]
            yield Finding(
                "error" if version == active else "warning",
                "models",
                f"{what}.",
                "Restore it from a backup (`imgsort restore FILE`), or activate another with "
                "`imgsort models activate V`.",
            )
        else:
            yield ok("models", f"Model v{version} is undamaged.")
    for backbone_id in sorted(backbones):
        yield _backbone(workspace, backbone_id)


def _none_active(workspace: Workspace, *, any_left: bool) -> Finding:
    if any_left:
        remedy = "See `imgsort models list` and activate one with `imgsort models activate V`."
        return Finding("error", "models", "No model is active.", remedy)
    remedy = way_back_to_a_model(workspace.root)
    return Finding("error", "models", "There is no model.", f"{remedy[:1].upper()}{remedy[1:]}.")


def _backbone(workspace: Workspace, backbone_id: str) -> Finding:
    try:
        backbone = InstalledBackbone.open(workspace.backbones, backbone_id)
        for name in backbone.card.files:
            backbone.verified(name)
    except ImgsortError as problem:
        what, _, remedy = str(problem).partition("; ")
        return Finding("error", "models", f"{what}.", f"{remedy[:1].upper()}{remedy[1:]}")
    return ok("models", f"The backbone {backbone.name} ({backbone_id}) is undamaged.")
