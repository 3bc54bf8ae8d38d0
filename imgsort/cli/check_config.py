"""`check-config`: does the workspace fit its configuration?"""

from typing import TYPE_CHECKING

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import print_json

if TYPE_CHECKING:
    pass


@app.command("check-config")
@reported
def check_config(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Check config.toml, the folders, and that a file can really be moved between them."""
    from imgsort.care.check_config import checkup

    findings = checkup(opened(context, here))
    if as_json:
        print_json([{"level": finding.level, "what": finding.what} for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{finding.level:<7}  {finding.what}")
    if any(finding.level == "wrong" for finding in findings):
        raise typer.Exit(78)
