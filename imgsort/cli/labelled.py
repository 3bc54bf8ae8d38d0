"""What commands that label tell of it."""

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import typer

from imgsort.cli.app import say
from imgsort.cli.output import counted, print_json
from imgsort.disk.display import display
from imgsort.labels.session import CommandSession

if TYPE_CHECKING:
    from imgsort.filing.errand import Applied


def require_plain(now: CommandSession, names: Collection[str], allowed: bool) -> None:
    """Say which classes are new; refuse what may be a slip for a known one."""
    from imgsort.labels.named_classes import new_classes

    for name in new_classes(now.store, names, allowed=allowed):
        say(f"{display(name)} is a new class.")


def tell_labelled(now: CommandSession, done: "Applied", as_json: bool) -> None:
    """What was written down and what moved."""
    for one in done.left:
        say(f"{display(os.fspath(one.path))} is labelled but stays where it is: {one.reason}.")
    counts = done.by_class()
    now.summary = f"{len(done.labels):,} labelled, {files_moved(len(done.moved)).rstrip('.')}"
    if as_json:
        print_json(labelled_dict(done))
        return
    listed = ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"
    typer.echo(f"Labelled: {display(listed)}. {files_moved(len(done.moved))}")


def files_moved(number: int) -> str:
    return f"{counted(number, 'file')} moved."


def labelled_dict(done: "Applied") -> dict[str, Any]:
    """For scripts."""
    return {
        "labelled": len(done.labels),
        "by_class": done.by_class(),
        "moved": [
            {
                "id": one.errand.arrival_id,
                "from": display(os.fspath(one.errand.source)),
                "to": display(os.fspath(one.path)),
            }
            for one in done.moved
        ],
        "left": [
            {"id": o.errand.arrival_id, "path": display(os.fspath(o.path)), "reason": o.reason}
            for o in done.left
        ],
    }
