"""`next`: where a look of yours helps most."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.output import decoding, print_json, print_table
from imgsort.errors import NothingToDo

if TYPE_CHECKING:
    pass


@app.command("next")
@reported
def next_(
    context: typer.Context,
    count: Annotated[int, typer.Argument(metavar="N", help="How many.", min=1, max=1000)] = 10,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """List the pictures whose label would teach the model most, the best first."""
    workspace = opened(context, here)
    from imgsort.labels.suggest import suggestions
    from imgsort.models.serving import open_serving
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as store, decoding() as progress:
        serving = open_serving(workspace, store, idle=True)
        found = suggestions(workspace, store, serving, count, progress)
    if found.left_out:
        say(f"{found.left_out:,} pictures have no stored embedding and were not looked at.")
    if found.surer:
        say(f"{found.surer:,} pictures that models were surer of were not asked about.")
    if as_json:
        print_json([one.as_dict() for one in found.listed])
    else:
        print_table(
            ("id", "picture", "now", "between"),
            (
                (one.picture.arrival_id, one.picture.path, one.picture.decision, one.between)
                for one in found.listed
            ),
        )
    if not found.listed:
        raise NothingToDo("There is no picture that nobody has confirmed; drop some and run.")
