"""datapackage.json and its three tables, in a folder of their own."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imgsort import __version__
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.export.camtrap.deployments import DEPLOYMENTS, Deployment, filled_in, kept, place_of
from imgsort.export.camtrap.observations import (
    MEDIA,
    OBSERVATIONS,
    media_of,
    observation_of,
    station_of,
    taken_at,
)
from imgsort.records.labels import HumanLabel
from imgsort.records.log import LogRow
from imgsort.workspace.workspace import Workspace

_STANDARD = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2/"
_DESCRIPTOR = "datapackage.json"
_TABLES = {"deployments": DEPLOYMENTS, "media": MEDIA, "observations": OBSERVATIONS}
_TO_FILL_IN = "to be filled in"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    media: int
    deployments: int
    without_time: int
    """Pictures left out: the standard wants a time of each."""
    without_place: int
    """Deployments whose coordinates are still to be filled in."""


def write_package(
    workspace: Workspace, rows: Iterable[LogRow], words: Mapping[str, HumanLabel], folder: Path
) -> Exported:
    """Write the package into a new or empty folder, or anew into an earlier export's.

    Of an earlier one what people filled in is kept: in deployments.csv and datapackage.json.
    Raises ImgsortError, NothingToDo, or OSError where nothing can be written.
    """
    before = _earlier(folder)
    filled = filled_in(folder / "deployments.csv")
    names = _scientific_names(before)
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Deployment] = {}
    media = without_time = 0
    with _table(folder, "media") as write_media, _table(folder, "observations") as write_seen:
        for row in rows:
            moment = taken_at(row)
            if row.decision == "rejected" or moment is None:
                without_time += row.decision != "rejected"
                continue
            station, word = station_of(row), words.get(row.sha256)
            deployment = found.setdefault(station.id, Deployment(station, moment, moment))
            deployment.sees(moment, row.camera)
            write_media(media_of(row, moment, _path(workspace, row.path)))
            labelled_at = None if word is None else word.labelled_at
            write_seen(observation_of(row, moment, labelled_at, names))
            media += 1
        if not found:
            raise NothingToDo(
                "There is no picture whose camera wrote down the time of day, which Camtrap DP "
                "wants of each."
            )
        deployments = [found[key].as_row(filled.get(key, {})) for key in sorted(found)]
        deployments += kept(filled, found)
        places = [place for one in deployments if (place := place_of(one)) is not None]
    with _table(folder, "deployments") as write:
        for one in deployments:
            write(one)
    _replace(folder / _DESCRIPTOR, _described(workspace, before, list(found.values()), places))
    return Exported(media, len(found), without_time, len(deployments) - len(places))


def _earlier(folder: Path) -> dict[str, Any]:
    """The descriptor of an earlier export; nothing for a new or empty folder."""
    try:
        text = (folder / _DESCRIPTOR).read_text(encoding="utf-8")
    except FileNotFoundError:
        text = "{}"
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ImgsortError(
                f"{folder} holds something else; name a new or empty folder with --output, or one "
                f"that holds an earlier Camtrap DP."
            ) from None
    except UnicodeDecodeError:
        text = ""
    try:
        descriptor = json.loads(text)
    except ValueError:
        descriptor = None
    if not isinstance(descriptor, dict):
        raise ImgsortError(
            f"{folder / _DESCRIPTOR} is no JSON object any more, so what you filled in can't be "
            f"kept; correct it, or move it away."
        )
    return descriptor


def _scientific_names(before: Mapping[str, Any]) -> dict[str, str]:
    """Label, casefolded -> scientific name, as ``taxonomic`` of an earlier export tells."""
    names: dict[str, str] = {}
    for taxon in before.get("taxonomic") or ():
        if isinstance(taxon, dict) and isinstance(name := taxon.get("scientificName"), str):
            vernacular = taxon.get("vernacularNames")
            others = vernacular.values() if isinstance(vernacular, dict) else ()
            names |= {str(one).casefold(): name for one in (name, *others)}
    return names


def _path(workspace: Workspace, path: str) -> str:
    """Relative to the workspace; below a picture folder that lies elsewhere, by that one's name."""
    for base in workspace.picture_folders:
        if path.startswith(f"{base}/"):
            return f"{base.name}{path[len(str(base)) :]}"
    return path


def _described(
    workspace: Workspace,
    before: Mapping[str, Any],
    found: Sequence[Deployment],
    places: Sequence[tuple[float, float]],
) -> str:
    """datapackage.json: what an earlier one had, but for what the tables tell."""
    title = workspace.root.name or "imgsort"
    usual = {
        "name": re.sub(r"[^a-z0-9._-]+", "-", title.lower()).strip("-") or "imgsort",
        "title": title,
        "contributors": [{"title": _TO_FILL_IN, "role": "contact"}],
        "sources": [{"title": "imgsort", "version": __version__}],
        "project": {
            "title": title,
            "samplingDesign": "opportunistic",
            "captureMethod": ["activityDetection"],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "taxonomic": [],
    }
    told = {
        "profile": f"{_STANDARD}camtrap-dp-profile.json",
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "spatial": {"type": "MultiPoint", "coordinates": [list(place) for place in places]},
        "temporal": {
            "start": min(one.first for one in found).date().isoformat(),
            "end": max(one.last for one in found).date().isoformat(),
        },
        "resources": [_resource(name) for name in _TABLES],
    }
    return json.dumps({**usual, **before, **told}, ensure_ascii=False, indent=2) + "\n"


def _resource(name: str) -> dict[str, str]:
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": f"{_STANDARD}{name}-table-schema.json",
    }


@contextmanager
def _table(folder: Path, name: str) -> Iterator[Any]:
    """Hands out what writes a row; the file takes its place once all are written."""
    part = folder / f".{name}.csv.part"
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _TABLES[name], restval="", lineterminator="\n")
            writer.writeheader()
            yield writer.writerow
        part.replace(folder / f"{name}.csv")
    finally:
        part.unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
