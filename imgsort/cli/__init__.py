"""The command line: parse, call one function, print."""

import io
import sys
from importlib import import_module

from imgsort.cli.app import INTERRUPTED, app, say

_COMMANDS = ("workspace", "daemon", "asking", "models", "measuring")


def main() -> None:
    """Entry point of the `imgsort` command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that isn't UTF-8, or a terminal that isn't, must not end in a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        for module in _COMMANDS:  # each registers its commands, in the order of `--help`
            import_module(f"imgsort.cli.{module}")
        app(prog_name="imgsort")
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(INTERRUPTED)
