"""Units that were given up: a small file each, until `backfill retry`."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from imgsort.disk.durable import replace_file

_NAME = re.compile(r"unit-(\d{6,})\.json")


@dataclass(frozen=True, slots=True)
class UnitFailure:
    """A unit that was left out."""

    unit: int
    tries: int
    reason: str
    """A sentence."""


def write(folder: Path, failure: UnitFailure) -> None:
    folder.mkdir(exist_ok=True)
    text = json.dumps(asdict(failure), indent=2) + "\n"
    replace_file(folder / f"unit-{failure.unit:06d}.json", text.encode())


def there(folder: Path) -> dict[int, UnitFailure]:
    """By unit; a file that can't be read still says which."""
    found: dict[int, UnitFailure] = {}
    for path in sorted(folder.glob("unit-*.json")) if folder.is_dir() else ():
        if name := _NAME.fullmatch(path.name):
            unit = int(name[1])
            try:
                found[unit] = UnitFailure(**json.loads(path.read_text()))
            except (OSError, ValueError, TypeError):
                found[unit] = UnitFailure(unit, 0, "what was written of it is damaged")
    return found


def forget(folder: Path, unit: int) -> None:
    (folder / f"unit-{unit:06d}.json").unlink(missing_ok=True)
