"""`check-config`: does the workspace fit its configuration?"""

from typing import TYPE_CHECKING

import typer

from imgsort.cli.app import Here, Json, app, opened, reported
from imgsort.cli.output import print_json

if TYPE_CHECKING:
    from imgsort.care.finding import Finding


@app.command("check-config")
@reported
def check_config(context: typer.Context, here: Here = None, as_json: Json = False) -> None:
    """Check config.toml, the folders, and that a file can really be moved between them."""
    from imgsort.care.check_config import checkup

    findings = checkup(opened(context, here))
    if as_json:
        print_json([{"level": _level(finding), "what": finding.what} for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{_level(finding):<7}  {finding.what}")
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(78)


def _level(finding: "Finding") -> str:
    return "wrong" if finding.level == "error" else finding.level
