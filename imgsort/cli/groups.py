"""`imgsort --help`: the commands by what they are for, one whole line each."""

from collections.abc import Iterable, Mapping
from typing import Any

from typer.core import TyperGroup

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Every day": {
        "init": "Make a workspace with a first model that needs no label",
        "run": "Watch the inbox and file what arrives, until Ctrl-C",
        "status": "What lies where, is it alive, what waits, what went wrong",
        "log": "Ask the prediction log, newest first; as CSV or JSON too",
        "classify": "Predict pictures anywhere, moving and recording nothing",
        "review": "Go through pictures in the browser, by key",
        "why": "Everything about one picture, every move and every label",
    },
    "Correcting": {
        "label": "Say what pictures are; each moves to the folder of its class",
        "confirm": "Say that you looked through folders, and they are right",
        "undo": "Take moves back, newest first",
        "classes": "List, rename, merge, retire and restore classes",
        "backfill": "Classify an archive of any size where it lies",
        "import": "Take a labelled data set in, one folder a class",
        "export": "Print the labels as CSV, for another workspace",
    },
    "Learning": {
        "next": "The pictures whose label would teach the model most",
        "audit": "Draw pictures at random: the honest accuracy",
        "retrain": "Train on the labels; the better model serves",
        "refile": "What the active model would move; --apply moves it",
        "report": "The evaluation report of a trained model",
        "models": "List, show, activate and roll back model versions",
    },
    "Care": {
        "health": "For scripts: does a daemon run and file?",
        "check-config": "Check config.toml and the folders",
        "doctor": "Look for everything that could be wrong; --fix what is safe",
        "backup": "Database, models and configuration into one file",
        "restore": "Put a backup in place; nothing filed since is lost",
        "rebuild-db": "A new database from the folders, without a backup",
        "retention": "Let old rejects, trash and models go, if you said so",
        "migrate": "Bring the database to this program's schema",
        "service": "Write systemd units that keep it running",
    },
    "Measuring": {
        "bench": "Images per second on this machine, stage by stage",
        "quantize": "Make the faster int8 form of the network",
        "demo": "Sort real photographs in a throw-away workspace",
        "help": "This, or the help of one command",
    },
}
OTHERS = "More"


class Whole(TyperGroup):
    """Its help cuts no command's line short."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        for title, lines in self._sections(formatter.width).items():
            if lines:
                with formatter.section(title):
                    formatter.write_dl(list(lines.items()))

    def _sections(self, width: int) -> dict[str, dict[str, str]]:
        """Title -> name -> line."""
        return {"Commands": self._lines(self.commands, width)}

    def _lines(self, names: Iterable[str], width: int) -> dict[str, str]:
        shown = {name: self.commands[name] for name in names}
        return {
            name: command.get_short_help_str(limit=2 * width)
            for name, command in shown.items()
            if not command.hidden
        }


class Grouped(Whole):
    """Its help lists commands in groups; a command that is in none comes last."""

    def _sections(self, width: int) -> dict[str, dict[str, str]]:
        sections = {
            title: {name: line for name, line in group.items() if name in self.commands}
            for title, group in GROUPS.items()
        }
        named = {name for group in GROUPS.values() for name in group}
        rest = [name for name in self.commands if name not in named]
        return {**sections, OTHERS: self._lines(rest, width)}
