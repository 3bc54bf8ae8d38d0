"""The command line: parse, call one function, print."""

from importlib import import_module

from imgsort.cli.app import app

_COMMANDS = ("workspace", "daemon", "asking", "models", "measuring")


def main() -> None:
    """Entry point of the `imgsort` command."""
    for module in _COMMANDS:  # each registers its commands on `app`, in the order of `--help`
        import_module(f"imgsort.cli.{module}")
    app(prog_name="imgsort")
