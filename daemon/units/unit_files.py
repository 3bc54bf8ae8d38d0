"""Units in the folders that systemd reads: written, replaced and removed, never somebody's work."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsort.daemon.units.escape import quoted
from imgsort.daemon.units.plan import UnitPlan
from imgsort.daemon.units.sealed import Seal, seal_of, sealed
from imgsort.disk.display import display
from imgsort.disk.durable import replace_file
from imgsort.errors import NothingToDo, UnitProblem

Fate = Literal["new", "changed", "same", "removed"]
_KEPT = ".edited"


@dataclass(frozen=True, slots=True)
class PlacedUnit:
    """One file, and what became of it."""

    path: Path
    fate: Fate
    kept: Path | None = None
    """Where the version that somebody had edited lies now."""


def folders_of(output: Path | None) -> dict[str, Path]:
    """Where the parts of ``rendered`` belong: systemd's folders, or below ``output``."""
    if output is not None:
        parts = ("system", "user", "sysusers.d", "tmpfiles.d")
        return {part: output.absolute() / part for part in parts}
    config = os.environ.get("XDG_CONFIG_HOME", "")
    home = Path(config) if config.startswith("/") else Path.home() / ".config"
    return {
        "system": Path("/etc/systemd/system"),
        "user": home / "systemd" / "user",
        "sysusers.d": Path("/etc/sysusers.d"),
        "tmpfiles.d": Path("/etc/tmpfiles.d"),
    }


def install(
    plan: UnitPlan, texts: Mapping[Path, str], folders: Mapping[str, Path], *, force: bool
) -> list[PlacedUnit]:
    """Write what differs; all of it, or nothing where a file is in the way. Raises UnitProblem."""
    targets = {
        folders[relative.parts[0]].joinpath(*relative.parts[1:]): sealed(text, plan.workspace)
        for relative, text in texts.items()
    }
    before = {path: _read(path) for path in targets}
    for path, text in before.items():
        if text is not None and not force:
            _require_ours(path, seal_of(text), plan)
    return [_put(path, before[path], text) for path, text in targets.items()]


def uninstall(plan: UnitPlan, folders: Mapping[str, Path], *, force: bool) -> list[PlacedUnit]:
    """Remove every file that ``install`` may have written. Raises UnitProblem, NothingToDo."""
    units = folders["user" if plan.scope == "user" else "system"]
    timer, retrain = f"{plan.name}-retrain.timer", f"{plan.name}-retrain.service"
    mine = [units / f"{plan.name}.service", units / retrain, units / timer]
    mine += [units / f"{plan.name}.service.d" / "gpu.conf", units / f"{retrain}.d" / "gpu.conf"]
    mine += [units / plan.review_service]
    if plan.scope == "system":
        mine += [folders[part] / f"{plan.name}.conf" for part in ("sysusers.d", "tmpfiles.d")]
    texts = {path: text for path in mine if (text := _read(path)) is not None}
    if not texts:
        raise NothingToDo(
            f"{units} has no {plan.name}.service, so there is nothing to remove; name another with "
            f"--name, or add --user for your own."
        )
    for path, text in texts.items():
        if not force:
            _require_ours(path, seal_of(text), plan)
    page = [plan.review_service] if units / plan.review_service in texts else []
    names = list(dict.fromkeys([*plan.services, *page]))
    switched_on = [name for name in names if any(units.glob(f"*.wants/{name}"))]
    if switched_on:
        systemctl = "systemctl --user" if plan.scope == "user" else "systemctl"
        raise UnitProblem(
            f"{' and '.join(switched_on)} would be started at every boot; type "
            f"`{systemctl} disable --now {' '.join(names)}` first."
        )
    return [_removed(path, text) for path, text in texts.items()]


def _require_ours(path: Path, seal: Seal, plan: UnitPlan) -> None:
    if seal.workspace is None:
        raise UnitProblem(
            f"{path} was not made by imgsort; choose another name with --name, or add --force (it "
            f"is kept as {path.name}{_KEPT})."
        )
    if seal.workspace != quoted(plan.workspace):
        raise UnitProblem(
            f"{path} serves another workspace, {seal.workspace}; choose another name with --name, "
            f"or add --force."
        )
    if not seal.intact:
        raise UnitProblem(
            f"{path} was edited since imgsort wrote it; put your changes into a drop-in with "
            f"`systemctl edit`, then add --force (the edited file is kept as {path.name}{_KEPT})."
        )


def _put(path: Path, before: str | None, text: str) -> PlacedUnit:
    if before == text:
        return PlacedUnit(path, "same")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = _keep(path, before)
        replace_file(path, text.encode())
        path.chmod(0o644)
    except OSError as problem:
        raise _refused(path, problem) from None
    return PlacedUnit(path, "new" if before is None else "changed", kept)


def _removed(path: Path, text: str) -> PlacedUnit:
    try:
        kept = _keep(path, text)
        path.unlink(missing_ok=True)
        if path.parent.name.endswith(".d") and path.name == "gpu.conf":
            _remove_if_empty(path.parent)
    except OSError as problem:
        raise _refused(path, problem) from None
    return PlacedUnit(path, "removed", kept)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _keep(path: Path, text: str | None) -> Path | None:
    """Put a version that isn't as imgsort wrote it aside, under a name systemd doesn't read."""
    if text is None or seal_of(text).intact:
        return None
    kept = path.with_name(path.name + _KEPT)
    return path.rename(kept)


def _read(path: Path) -> str | None:
    """None where there is no file. A link (`systemctl mask`, say) is somebody's too."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "" if path.is_symlink() else None
    except OSError as problem:
        raise _refused(path, problem) from None


def _refused(path: Path, problem: OSError) -> UnitProblem:
    return UnitProblem(
        f"{display(path)} can't be written ({problem.strerror}); type this as root, or add --user "
        f"for a service of your own."
    )
