"""The command line: parse, call one function, print."""

from importlib import import_module

import typer

from imgsort.cli.app import app

_COMMANDS = ("workspace", "daemon", "asking", "models", "measuring")


def registered() -> typer.Typer:
    """The application with every command, in the order of `--help`."""
    for module in _COMMANDS:
        import_module(f"imgsort.cli.{module}")
    return app


def main() -> None:
    """Entry point of the `imgsort` command."""
    registered()(prog_name="imgsort")
