"""`service`: systemd units for a workspace, and the commands to type next."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.groups import Whole
from imgsort.cli.output import print_json
from imgsort.disk.display import display

if TYPE_CHECKING:
    from imgsort.daemon.units import PlacedUnit, UnitPlan

service = typer.Typer(
    cls=Whole, no_args_is_help=True, help="Run imgsort as a systemd service.", rich_markup_mode=None
)
app.add_typer(service, name="service")

User = Annotated[
    bool, typer.Option("--user", help="A service of your own, without root: while you are there.")
]
Name = Annotated[str, typer.Option(help="Of the service; each workspace needs its own.")]
Force = Annotated[
    bool, typer.Option("--force", help="Also where somebody edited a file; that one is kept.")
]
Output = Annotated[
    Path | None,
    typer.Option(help="Write below this folder instead of systemd's.", show_default=False),
]


@service.command("install")
@reported
def install_units(
    context: typer.Context,
    user: User = False,
    shared: Annotated[
        bool,
        typer.Option("--shared", help="Several people drop and move: a user imgsort of its own."),
    ] = False,
    gpu: Annotated[bool, typer.Option("--gpu", help="Let it use an NVIDIA GPU.")] = False,
    review: Annotated[
        bool,
        typer.Option("--review", help="With --user: keep `imgsort review` running as well."),
    ] = False,
    if_new_labels: Annotated[
        int, typer.Option(help="Retrain at night once there are so many new labels.", min=1)
    ] = 20,
    name: Name = "imgsort",
    program: Annotated[
        Path | None,
        typer.Option(help="The imgsort command to start. Default: this one.", show_default=False),
    ] = None,
    output: Output = None,
    only_print: Annotated[
        bool, typer.Option("--print", "--dry-run", help="Show the units, write nothing.")
    ] = False,
    force: Force = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Write the units for this workspace, and say what to type next."""
    if user and (shared or gpu):
        raise typer.BadParameter("--shared and --gpu are for the system's service, not for --user.")
    if review and not user:
        raise typer.BadParameter("--review goes with --user: the page is its user's alone.")
    from imgsort.daemon import units

    workspace = opened(context, here)
    config = workspace.config
    plan = units.UnitPlan(
        name=_service_name(name),
        scope="user" if user else "system",
        workspace=workspace.root.resolve(),
        picture_folders=tuple(folder.resolve() for folder in workspace.picture_folders),
        other_folders=tuple(
            (workspace.root / name).resolve()
            for name in (config.backup.folder, str(Path(config.metrics.textfile).parent))
        ),
        program=program.absolute() if program else units.program_here(),
        account=units.account_of(workspace, "user" if user else "system", shared=shared),
        shared=shared,
        gpu=gpu,
        loopback=config.metrics.port > 0,
        review=review,
        new_labels=if_new_labels,
        libraries=(program.resolve(),) if program else units.libraries_here(),
    )
    texts = units.rendered(plan)
    if only_print:
        if as_json:
            print_json({str(path): text for path, text in texts.items()})
        else:
            typer.echo("\n".join(f"# {path}\n{text}" for path, text in texts.items()))
        return
    placed = units.install(plan, texts, units.folders_of(output), force=force)
    _tell(placed, after_install(plan), as_json)


@service.command("uninstall")
@reported
def uninstall_units(
    context: typer.Context,
    user: User = False,
    name: Name = "imgsort",
    output: Output = None,
    force: Force = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Remove the units of this workspace; pictures, log and models stay."""
    from imgsort.daemon import units

    workspace = opened(context, here)
    plan = units.UnitPlan(
        name=_service_name(name),
        scope="user" if user else "system",
        workspace=workspace.root.resolve(),
        picture_folders=(),
        program=Path(),
        account=units.Account("", ""),
    )
    placed = units.uninstall(plan, units.folders_of(output), force=force)
    _tell(placed, [f"{_systemctl(plan)} daemon-reload"], as_json)


def after_install(plan: "UnitPlan") -> list[str]:
    """What to type, in order."""
    commands = []
    systemctl = _systemctl(plan)
    if plan.shared:
        root = shlex.quote(str(plan.workspace))
        folders = " ".join(shlex.quote(str(folder)) for folder in plan.picture_folders)
        commands += [
            "systemd-sysusers",
            f"chown -R imgsort:imgsort {root}",
            f"find {folders} -type d -exec chmod 2775 {{}} +",
            "systemd-tmpfiles --create",
            "usermod -aG imgsort USER",
        ]
    commands += [
        f"{systemctl} daemon-reload",
        f"{systemctl} enable --now {' '.join(plan.services)}",
    ]
    if plan.scope == "user":
        commands += ["loginctl enable-linger", f"journalctl --user -u {plan.name} -f"]
    else:
        commands.append(f"journalctl -u {plan.name} -f")
    return commands


def _systemctl(plan: "UnitPlan") -> str:
    return "systemctl --user" if plan.scope == "user" else "systemctl"


def _service_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise typer.BadParameter(
            f"{name!r} is no name for a service; use letters, digits, dots, hyphens."
        )
    return name.removesuffix(".service")


def _tell(placed: "list[PlacedUnit]", commands: list[str], as_json: bool) -> None:
    if as_json:
        files = [
            {"path": str(one.path), "fate": one.fate, "kept": one.kept and str(one.kept)}
            for one in placed
        ]
        print_json({"files": files, "commands": commands})
        return
    for one in placed:
        kept = f" (the edited one is kept as {display(one.kept)})" if one.kept else ""
        typer.echo(f"{one.fate:<8} {display(one.path)}{kept}")
    typer.echo("Now type:")
    for command in commands:
        typer.echo(f"  {display(command)}")
