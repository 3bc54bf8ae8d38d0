"""The application, the options every command shares, and the one place that reports errors."""

import errno
import functools
import gc
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn, ParamSpec, TypeVar

import typer

from imgsort import __version__
from imgsort.cli.groups import Grouped
from imgsort.disk.display import display
from imgsort.errors import ImgsortError
from imgsort.workspace.workspace import Workspace

P = ParamSpec("P")
R = TypeVar("R")

FAILED = 1
BUG = 3
INTERRUPTED = 130
SURROUNDINGS = {
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE),
    *(errno.EMFILE, errno.ENFILE, errno.ENAMETOOLONG),
}
"""What a disk or a permission may say at any moment: no bug of ours."""

app = typer.Typer(
    cls=Grouped,
    context_settings={"help_option_names": ["--help", "-h"]},
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


def version_number(text: str) -> int:
    """A model's version as people type it: ``2``, ``v2`` or ``v0002``."""
    digits = text.lower().removeprefix("v")
    if not (digits.isascii() and digits.isdigit() and int(digits) > 0):
        raise typer.BadParameter(f"{text!r} is no model version; give one such as 2 or v2.")
    return int(digits)


def root_of(context: typer.Context, here: Path | None) -> Path:
    """The workspace folder the user named: after the command, before it, or by environment."""
    chosen = here if here is not None else context.obj
    return Path(chosen)


def opened(context: typer.Context, here: Path | None) -> Workspace:
    """The workspace the user named, checked."""
    return Workspace.open(root_of(context, here))


def at_once() -> None:
    """For commands that only read: looking for garbage takes a tenth of their time."""
    gc.disable()


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """Turn every exception of a command into words and an exit code; nothing else does that."""

    @functools.wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            result = command(*arguments, **options)
            sys.stdout.flush()  # what can't be written shows here, not at exit
        except ImgsortError as problem:
            _leave(problem.exit_code, str(problem))
        except (KeyboardInterrupt, typer.Abort):
            _leave(INTERRUPTED, "Interrupted.")
        except BrokenPipeError:
            _silence_stdout()  # `imgsort log | head` is no error
            raise typer.Exit from None
        except OSError as problem:
            _silence_stdout()
            if problem.errno not in SURROUNDINGS:
                _leave(BUG, _bug(problem))
            where = f"{problem.filename}: " if problem.filename else ""
            _leave(
                FAILED,
                f"imgsort could not go on ({where}{problem.strerror}); look after that, then try "
                f"again.",
            )
        except typer.Exit:
            raise
        except Exception as bug:
            if type(bug).__module__.startswith(("typer", "click")):
                raise  # a usage error: typer prints it and exits 2
            _leave(BUG, _bug(bug))
        return result

    return run


def say(message: str) -> None:
    """One sentence to a person, on stderr; stdout belongs to results."""
    typer.echo("\n".join(display(line) for line in message.split("\n")), err=True)


def tell_preparing() -> None:
    """Before a backbone is installed."""
    say("Preparing the backbone (about half a minute)…")


def _leave(code: int, message: str) -> NoReturn:
    say(message)
    raise typer.Exit(code) from None


def _silence_stdout() -> None:
    """What is left in its buffer would fail once more at exit, with a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug(bug: BaseException) -> str:
    # A service's /tmp is its own, and gone when it ends: the journal keeps the lines.
    if not _stderr_is_the_journal():
        with suppress(OSError):
            return f"imgsort has a bug ({type(bug).__name__}); please send the file {_kept(bug)}."
    traceback.print_exception(bug)
    return f"imgsort has a bug ({type(bug).__name__}); please send the lines above."


def _stderr_is_the_journal() -> bool:
    """systemd names the stream in JOURNAL_STREAM (systemd.exec(5))."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _kept(bug: BaseException) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with tempfile.NamedTemporaryFile(
        "w", prefix=f"imgsort-{stamp}-", suffix=".log", delete=False, errors="backslashreplace"
    ) as log:
        log.write(f"imgsort {__version__}, Python {sys.version}\n{sys.argv!r}\n\n")
        log.writelines(traceback.format_exception(bug))
    return Path(log.name)
