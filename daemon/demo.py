"""`imgsort demo`: real photographs and a real network in a throw-away workspace."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imgsort.care.init import found
from imgsort.daemon.service import run as service
from imgsort.errors import ImgsortError
from imgsort.models.classify import pictures_in
from imgsort.models.vocabulary import Row, Vocabulary, resolve, split_words
from imgsort.records.log import LogFilter, LogRow
from imgsort.store import Store

CLASSES = "cat,coffee,vehicle,tripod,building,clothing"
PICTURES = (
    ("skimage", "data/chelsea.png"),
    ("skimage", "data/coffee.png"),
    ("skimage", "data/camera.png"),
    ("skimage", "data/motorcycle_left.png"),
    ("skimage", "data/motorcycle_right.png"),
    ("sklearn", "datasets/images/china.jpg"),
    ("sklearn", "datasets/images/flower.jpg"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
)


@dataclass(frozen=True)
class Demo:
    """What the demo did."""

    workspace: Path
    vocabulary: Vocabulary
    log: tuple[LogRow, ...]

    def rows(self) -> Iterator[tuple[str, str, str, str, str]]:
        """The table: picture, best class, confidence, folder, why."""
        for row in self.log:
            confidence = "" if row.confidence is None else f"{row.confidence:.2f}"
            folder = f"{Path(row.path).parent}/"
            yield row.name, row.label or "", confidence, folder, row.reason or "sure enough"

    def lines(self) -> list[str]:
        """What to try next."""
        root = self.workspace
        tries = (
            (f"{program()} -C {root} review", "look through them in the browser, by key"),
            (f"{program()} -C {root} log --unsure", "what it didn't dare to file, and why"),
            (f"{program()} demo --from ~/Pictures", "the same with copies of your own pictures"),
            (f"{program()} -C photos init --classes cat,dog", "a workspace to keep"),
        )
        width = max(len(command) for command, _ in tries)
        return [
            "",
            f"Everything is in {root}; throw it away with: rm -r {root}",
            "Four things to try next:",
            *(f"  {command:<{width}}   {what}" for command, what in tries),
        ]

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {"workspace": str(self.workspace), "log": [asdict(row) for row in self.log]}


def demo(
    source: Path | None, classes: str | None, backbone: str, say: Callable[[str], None]
) -> Demo:
    """Make a workspace in the temporary folder, copy pictures into its inbox, and empty that.

    Raises ImgsortError where there is no picture to show.
    """
    pictures = bundled() if source is None else pictures_in([source])
    if not pictures:
        raise ImgsortError(_nothing_to_show(source))
    vocabulary = resolve(split_words(CLASSES if classes is None else classes))
    vocabulary.require_clear()
    root = Path(tempfile.mkdtemp(prefix="imgsort-demo-"))
    say(f"Making a throw-away workspace in {root} (once, about half a minute)…")
    founded = found(root, vocabulary, backbone, None)
    for row in vocabulary.rows():
        say(f"  {row.word:<9} stands for {_counted(row)}")
    _drop(pictures, founded.workspace.inbox)
    say(f"Sorting {len(pictures)} photographs…")
    service.run(founded.workspace, once=True)
    with Store.open(founded.workspace.database, root=root) as store:
        log = tuple(store.log.rows(LogFilter()))
    return Demo(root, vocabulary, tuple(sorted(log, key=_by_folder)))


def program() -> str:
    """How the user types imgsort here: by name where the shell finds it, else by its path."""
    if shutil.which("imgsort"):
        return "imgsort"
    typed = Path(sys.argv[0])
    here = Path.cwd()
    return shlex.quote(str(typed.relative_to(here) if typed.is_relative_to(here) else typed))


def bundled() -> list[Path]:
    """Photographs that installed packages carry; those that are missing are left out."""
    specs = [(find_spec(package), name) for package, name in PICTURES]
    paths = [
        Path(folder, name)
        for spec, name in specs
        if spec is not None
        for folder in spec.submodule_search_locations or ()
    ]
    return [path for path in paths if path.is_file()]


def _counted(row: Row) -> str:
    examples = ", ".join(row.examples)
    if row.classes == 1:
        return f"the ImageNet class {examples}"
    return f"{row.classes} ImageNet classes, such as {examples}" if row.classes else row.note


def _nothing_to_show(source: Path | None) -> str:
    if source is None:
        return (
            "The demo's pictures come with scikit-image; install it: pip install 'imgsort[demo]'."
        )
    return f"{source} holds no picture imgsort reads; name another folder with --from."


def _drop(pictures: Sequence[Path], inbox: Path) -> None:
    """Copy, never move; a name that is there already gets a number."""
    for picture in pictures:
        target, number = inbox / picture.name, 1
        while target.exists():
            number += 1
            target = inbox / f"{picture.stem}_{number}{picture.suffix}"
        shutil.copy2(picture, target)


def _by_folder(row: LogRow) -> tuple[bool, str, float]:
    return row.decision != "filed", row.path, -(row.confidence or 0)
