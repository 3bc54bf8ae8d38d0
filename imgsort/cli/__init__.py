"""The command line: parse, call one function, print."""

import gc
import io
import sys
from importlib import import_module

import typer

from imgsort.cli.app import INTERRUPTED, app, say

_COMMANDS = (
    "init",
    "check_config",
    "migrate",
    "run",
    "status",
    "health",
    "log",
    "classify",
    "label",
    "export",
    "confirm",
    "audit",
    "import_",
    "backfill",
    "classes",
    "retrain",
    "report",
    "why",
    "next",
    "review",
    "undo",
    "refile",
    "models",
    "quantize",
    "service",
    "doctor",
    "backup",
    "restore",
    "rebuild_db",
    "retention",
    "bench",
    "demo",
    "help",
)


def registered() -> typer.Typer:
    """The application with every command, in the order of `--help`."""
    for module in _COMMANDS:
        import_module(f"imgsort.cli.{module}")
    return app


def main() -> None:
    """Entry point of the `imgsort` command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that isn't UTF-8, or a terminal that isn't, must not end in a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        registered()(prog_name="imgsort")
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()  # the last collection would look at every module's every object: 0.06 s
