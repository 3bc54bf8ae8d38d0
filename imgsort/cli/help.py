"""`help`: what `--help` shows, of everything, of one command, or as a manual page."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from imgsort import __version__
from imgsort.cli.app import app, reported


@app.command("help")
@reported
def help_(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]...", help="Such as log, or models show."),
    ] = None,
    man: Annotated[
        bool, typer.Option("--man", help="Print the manual page of all commands (roff).")
    ] = False,
) -> None:
    """Show the help of imgsort or of one command."""
    top = context.find_root()
    if man:
        typer.echo("\n".join(_page(top)))
        return
    typer.echo(_meant(top, words or ()).get_help())


def _meant(top: Any, words: Sequence[str]) -> Any:
    found = top
    for word in words:
        command = found.command
        below = command.commands.get(word) if isinstance(command, TyperGroup) else None
        if below is None:
            raise typer.BadParameter(
                f"there is no command {' '.join(words)!r}; `imgsort help` lists those there are."
            )
        found = _context(below, found, word)
    return found


def _context(command: Any, above: Any, name: str) -> Any:
    return typer.Context(command, parent=above, info_name=name)


def _page(top: Any) -> Iterator[str]:
    """roff, as man(7) has it."""
    yield f'.TH IMGSORT 1 "" "imgsort {__version__}" "User Commands"'
    yield ".SH NAME"
    yield "imgsort \\- drop images into an inbox, find them sorted, ask the log"
    yield ".SH SYNOPSIS"
    yield ".B imgsort"
    yield "[\\-C DIR] COMMAND [ARGUMENT]..."
    yield ".SH COMMANDS"
    yield from _below(top, "imgsort")
    yield ".SH EXIT STATUS"
    yield _escaped(
        "0 done, 1 an expected failure told in one sentence, 2 wrong usage, 3 a bug, 4 nothing to "
        "do, 73 another daemon holds the workspace, 78 the configuration or the database doesn't "
        "fit, 130 Ctrl-C."
    )
    yield ".SH ENVIRONMENT"
    yield _escaped("IMGSORT_WORKSPACE names the workspace where -C does not.")


def _below(above: Any, path: str) -> Iterator[str]:
    if not isinstance(above.command, TyperGroup):
        return
    for name, command in above.command.commands.items():
        context = _context(command, above, name)
        yield f".SS {_escaped(f'{path} {name}')}"
        yield _escaped((command.help or "").strip())
        for parameter in command.get_params(context):
            if (record := parameter.get_help_record(context)) is not None:
                yield ".TP"
                yield f".B {_escaped(record[0])}"
                yield _escaped(record[1] or "")
        yield from _below(context, f"{path} {name}")


def _escaped(text: str) -> str:
    """No line may begin with a control character, and hyphens are minus signs."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in {".", "'"} else line for line in plain.split("\n"))
