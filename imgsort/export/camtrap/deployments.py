"""Deployments: a subfolder of the inbox is a station. What people have filled in is kept."""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from imgsort.errors import ImgsortError
from imgsort.export.camtrap.observations import Station, in_iso
from imgsort.records.log import harmless

DEPLOYMENTS = (
    *("deploymentID", "locationID", "locationName", "latitude", "longitude"),
    *("coordinateUncertainty", "deploymentStart", "deploymentEnd", "setupBy", "cameraID"),
    *("cameraModel", "cameraDelay", "cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading"),
    *("detectionDistance", "timestampIssues", "baitUse", "featureType", "habitat"),
    *("deploymentGroups", "deploymentTags", "deploymentComments"),
)
_RENEWED = ("deploymentID", "deploymentStart", "deploymentEnd")
_FROM_PICTURES = "start and end are those of the first and the last picture"
_FURTHEST = {"latitude": 90.0, "longitude": 180.0}


@dataclass(slots=True)
class Deployment:
    """What its pictures tell."""

    station: Station
    first: datetime
    last: datetime
    cameras: set[str] = field(default_factory=set)

    def sees(self, moment: datetime, camera: str | None) -> None:
        self.first, self.last = min(self.first, moment), max(self.last, moment)
        if camera:
            self.cameras.add(camera)

    def as_row(self, filled_in: Mapping[str, str]) -> dict[str, str]:
        """``filled_in``: its row in an earlier export, which a person may have completed."""
        told = {
            "deploymentID": self.station.id,
            "locationID": self.station.id,
            "locationName": self.station.name,
            "deploymentStart": in_iso(self.first),
            "deploymentEnd": in_iso(self.last),
            "cameraModel": harmless(next(iter(self.cameras))) if len(self.cameras) == 1 else "",
            "deploymentComments": _FROM_PICTURES,
        }
        kept = {key: value for key, value in filled_in.items() if value and key not in _RENEWED}
        return {column: {**told, **kept}.get(column, "") for column in DEPLOYMENTS}


def place_of(row: Mapping[str, str]) -> tuple[float, float] | None:
    """Longitude and latitude in degrees; None while nobody has filled them in."""
    if not row["latitude"] and not row["longitude"]:
        return None
    try:
        found = {name: float(row[name]) for name in _FURTHEST}
    except ValueError:
        found = {}
    if any(not abs(found.get(name, 1000.0)) <= most for name, most in _FURTHEST.items()):
        raise ImgsortError(
            f"deployments.csv has latitude {row['latitude']!r} and longitude "
            f"{row['longitude']!r} for {row['deploymentID']}; write decimal degrees such as "
            f"52.70442 and 23.84995."
        )
    return found["longitude"], found["latitude"]


def kept(filled: Mapping[str, Mapping[str, str]], found: Collection[str]) -> list[dict[str, str]]:
    """The rows with coordinates of deployments that this export has no picture of."""
    return [
        {column: row.get(column, "") for column in DEPLOYMENTS}
        for key, row in sorted(filled.items())
        if key not in found and (row.get("latitude") or row.get("longitude"))
    ]


def filled_in(path: Path) -> dict[str, dict[str, str]]:
    """What an earlier export's deployments.csv holds, by deploymentID; nothing if there is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, csv.Error):
        rows = [{}]
    if any(not row.get("deploymentID") for row in rows):
        raise ImgsortError(
            f"{path} is no CSV with commas, in UTF-8 and with a column deploymentID any more, so "
            f"what you filled in can't be kept; save it as that, or move it away."
        )
    return {
        row["deploymentID"]: {key: value for key, value in row.items() if isinstance(value, str)}
        for row in rows
    }
