"""The application, the options every command shares, and the one place that reports errors."""

import functools
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer

from imgsort import __version__
from imgsort.errors import ImgsortError
from imgsort.workspace import Workspace

P = ParamSpec("P")
R = TypeVar("R")

BUG = 3
INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Drop images into an inbox, find them sorted, ask the log.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Here = Annotated[
    Path | None,
    typer.Option(
        "-C", metavar="DIR", help="The workspace, as before the command.", show_default=False
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"imgsort {__version__}")
        raise typer.Exit


@app.callback()
def choose_workspace(
    context: typer.Context,
    directory: Annotated[
        Path,
        typer.Option("-C", metavar="DIR", envvar="IMGSORT_WORKSPACE", help="The workspace."),
    ] = Path(),
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Drop images into an inbox, find them sorted, ask the log."""
    context.obj = directory


def root_of(context: typer.Context, here: Path | None) -> Path:
    """The workspace folder the user named: after the command, before it, or by environment."""
    chosen = here if here is not None else context.obj
    return Path(chosen)


def opened(context: typer.Context, here: Path | None) -> Workspace:
    """The workspace the user named, checked."""
    return Workspace.open(root_of(context, here))


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """Turn every exception of a command into words and an exit code; nothing else does that."""

    @functools.wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return command(*arguments, **options)
        except ImgsortError as problem:
            say(str(problem))
            raise typer.Exit(problem.exit_code) from None
        except KeyboardInterrupt:
            say("Interrupted.")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # `imgsort log | head` is no error; closing stdout again at exit would print one.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as bug:
            if type(bug).__module__.startswith(("typer", "click")):
                raise  # a usage error: typer prints it and exits 2
            say(f"imgsort has a bug ({type(bug).__name__}); please send the file {_kept(bug)}.")
            raise typer.Exit(BUG) from None

    return run


def say(message: str) -> None:
    """One sentence to a person, on stderr; stdout belongs to results."""
    typer.echo(message.encode(errors="backslashreplace").decode(), err=True)


def _kept(bug: BaseException) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with tempfile.NamedTemporaryFile(
        "w", prefix=f"imgsort-{stamp}-", suffix=".log", delete=False, errors="backslashreplace"
    ) as log:
        log.write(f"imgsort {__version__}, Python {sys.version}\n{sys.argv!r}\n\n")
        log.writelines(traceback.format_exception(bug))
    return Path(log.name)
