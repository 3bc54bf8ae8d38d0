"""`restore`: put a backup in the place of the log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, reported, root_of, say, tell_preparing
from imgsort.cli.output import print_json
from imgsort.disk.display import display
from imgsort.errors import ImgsortError

if TYPE_CHECKING:
    pass


@app.command()
@reported
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `imgsort backup` made.")],
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Put a backup's database in place of the present one, which is kept aside."""
    from imgsort.care.restore import restore as restored

    root = root_of(context, here)
    done = restored(root, file.absolute())
    problem = _backbone_put_back(root)
    if problem is not None:
        say(f"The log is restored, but no picture can be judged yet. {problem}")
    if as_json:
        print_json(done.as_dict() | {"backbone_problem": problem})
        return
    refound = done.refound
    typer.echo(
        f"Restored the log of {done.manifest.created_at}. Of the folders it then learned: "
        f"{refound.found:,} pictures filed since, {refound.moved:,} at another place, "
        f"{refound.missing:,} gone. None of that was taken for a label."
    )
    if done.models:
        typer.echo(f"From the backup too: models {', '.join(f'v{v}' for v in done.models)}.")
    if done.config:
        typer.echo("config.toml came from the backup.")
    typer.echo(f"What was there before is in {display(done.aside)}.")


def _backbone_put_back(root: Path) -> str | None:
    """No backup holds the backbone. The answer is what is in the way."""
    from imgsort.models import reinstall as reinstalling
    from imgsort.workspace.workspace import Workspace

    try:
        workspace = Workspace.open(root)
        card = reinstalling.card_of(workspace, None)
        reinstalling.reinstall(workspace, card, preparing=tell_preparing)
        for problem in reinstalling.reinstall_others(workspace, card, preparing=tell_preparing):
            say(problem)
    except ImgsortError as problem:
        return str(problem)
    return None
