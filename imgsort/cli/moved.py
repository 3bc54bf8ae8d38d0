"""What commands that move pictures tell of it."""

from typing import TYPE_CHECKING, Any

import typer

from imgsort.cli.app import say
from imgsort.cli.output import print_table
from imgsort.disk.display import display

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgsort.filing.errand import Applied
    from imgsort.filing.move_table import MoveCount
    from imgsort.reconcile.apply import ReconcileSummary


SHOWN = 20


def tell_done(done: "Applied") -> None:
    print_list([f"{display(str(one.path))} stays: {one.reason}." for one in done.left])
    typer.echo(
        f"Moved {len(done.moved):,} pictures in run {done.run_id}; "
        f"`imgsort undo --run {done.run_id}` takes that back."
    )


def applied_dict(done: "Applied") -> dict[str, Any]:
    """For scripts."""
    return {
        "run": done.run_id,
        "moved": len(done.moved),
        "left": [{"path": display(one.path), "reason": one.reason} for one in done.left],
    }


def tell_seen(seen: "ReconcileSummary") -> None:
    if seen.learned:
        say(f"Learned from the folders first: {seen}.")
    for notice in seen.notices:
        say(notice)


def print_flows(flows: "Sequence[MoveCount]") -> None:
    if flows:
        print_table(("pictures", "from", "to", "for example"), (flow.cells() for flow in flows))


def print_list(lines: "Sequence[str]") -> None:
    for line in lines[:SHOWN]:
        say(line)
    if len(lines) > SHOWN:
        say(f"… and {len(lines) - SHOWN:,} more.")
