"""`doctor`: what is wrong, and its remedy."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from imgsort.cli.app import FAILED, Here, Json, app, reported, root_of
from imgsort.cli.output import counted, print_json
from imgsort.disk.display import display

if TYPE_CHECKING:
    from imgsort.care.doctor import Finding


@app.command()
@reported
def doctor(
    context: typer.Context,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Do what is safe: see docs/care.md for what that is."),
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Look for everything that could be wrong, and say what to do about it."""
    from imgsort.care import doctor as care

    found = care.examine(root_of(context, here))
    findings = []
    for finding in care.fixed(found) if fix else found:
        findings.append(finding)
        if not as_json:
            _tell(finding)
    counts = Counter(one.level for one in findings if not one.fixed)
    if as_json:
        print_json(
            {
                "findings": [one.as_dict() for one in findings],
                "counts": {level: counts[level] for level in care.LEVELS},
            }
        )
    else:
        typer.echo(
            f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}, "
            f"{counted(counts['note'], 'note')}; {counts['ok']} checks found all well."
        )
    if counts["error"]:
        raise typer.Exit(FAILED)


def _tell(finding: "Finding") -> None:
    typer.echo(f"{finding.level:<7}  {display(finding.what)}")
    if finding.fixed:
        typer.echo("         Fixed.")
    elif finding.remedy:
        typer.echo(f"         {display(finding.remedy)}")
