"""The command line: parse, call one function, print."""

from importlib import import_module

from typer import Typer

from imgsort.cli.app import app

_COMMANDS = (
    "workspace",
    "daemon",
    "asking",
    "labels",
    "confirms",
    "audits",
    "datasets",
    "training",
    "looking",
    "putting_back",
    "models",
    "measuring",
)


def whole() -> Typer:
    """The application with all its commands, in the order of `--help`."""
    for module in _COMMANDS:  # each registers its commands on `app`
        import_module(f"imgsort.cli.{module}")
    return app


def main() -> None:
    """Entry point of the `imgsort` command."""
    whole()(prog_name="imgsort")
