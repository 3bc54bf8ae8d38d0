"""One row of the log becomes a media file and an observation of it. Pure."""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from imgsort.records.log import LogRow, harmless

MEDIA = (
    *("mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic"),
    *("fileName", "fileMediatype", "exifData", "favorite", "mediaComments"),
)
OBSERVATIONS = (
    *("observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd"),
    *("observationLevel", "observationType", "cameraSetupType", "scientificName", "count"),
    *("lifeStage", "sex", "behavior", "individualID", "individualPositionRadius"),
    *("individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight"),
    *("classificationMethod", "classifiedBy", "classificationTimestamp"),
    *("classificationProbability", "observationTags", "observationComments"),
)
NO_ANIMAL = {
    "blank": ("blank", "empty", "nothing", "none"),
    "human": ("human", "humans", "person", "persons", "people", "homo sapiens"),
    "vehicle": ("vehicle", "vehicles", "car", "cars"),
    "unknown": ("unknown", "unidentified"),
}
"""Classes that are no animals; any other class is one."""
_TYPES = {word: kind for kind, words in NO_ANIMAL.items() for word in words}
_NOT_AT_THE_START = re.compile(r"^[./~]")
_MEDIATYPES = {
    **dict.fromkeys((".heic", ".heics", ".hif"), "image/heic"),
    **{".heif": "image/heif", ".avif": "image/avif", ".webp": "image/webp"},
    **dict.fromkeys((".jpe", ".jfif", ".mpo"), "image/jpeg"),
    **dict.fromkeys((".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), "image/jp2"),
    **{".tga": "image/x-tga", ".apng": "image/apng"},
}


@dataclass(frozen=True, slots=True)
class Station:
    """A deployment, as one row tells of it."""

    id: str
    name: str


def station_of(row: LogRow) -> Station:
    """``.`` is the inbox itself, which no folder can be called."""
    return Station(harmless(row.subfolder or "."), harmless(row.subfolder or "inbox"))


def taken_at(row: LogRow) -> datetime | None:
    """The camera's clock in this machine's time zone; None where the picture has no time of day."""
    if row.captured_at is None or "T" not in row.captured_at:
        return None
    try:
        return datetime.fromisoformat(row.captured_at).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def in_iso(moment: datetime) -> str:
    """``2026-11-22T18:30:00+01:00``"""
    return moment.isoformat(timespec="seconds")


def media_of(row: LogRow, moment: datetime, file_path: str) -> dict[str, object]:
    """A row of media.csv."""
    return {
        "mediaID": str(row.id),
        "deploymentID": station_of(row).id,
        "timestamp": in_iso(moment),
        "filePath": _as_relative(file_path),
        "filePublic": "false",
        "fileName": harmless(row.name),
        "fileMediatype": _mediatype(row.name),
        "mediaComments": f"the file was missing on {row.missing_at[:10]}" if row.missing_at else "",
    }


def observation_of(
    row: LogRow, moment: datetime, labelled_at: datetime | None, names: Mapping[str, str]
) -> dict[str, object]:
    """A row of observations.csv; ``names``: label, casefolded -> scientific name."""
    label = row.final_label
    seen = {
        "observationID": str(row.id),
        "deploymentID": station_of(row).id,
        "mediaID": str(row.id),
        "eventStart": in_iso(moment),
        "eventEnd": in_iso(moment),
        "observationLevel": "media",
        "observationType": _type_of(row),
    }
    if label is not None:
        seen["scientificName"] = names.get(label.casefold(), "")
        seen["observationTags"] = f"label:{label.replace('|', '/')}"
    return {**seen, **_classification(row, labelled_at)}


def _type_of(row: LogRow) -> str:
    if row.final_label is not None:
        return _TYPES.get(row.final_label.casefold(), "animal")
    return "unknown" if row.decision == "unsure" else "unclassified"


def _classification(row: LogRow, labelled_at: datetime | None) -> dict[str, object]:
    """By whom, when and how surely."""
    if row.human_label is not None:
        when = "" if labelled_at is None else in_iso(labelled_at.astimezone())
        return {"classificationMethod": "human", "classificationTimestamp": when}
    told = row.final_label is not None or row.decision == "unsure"
    if row.model is None or row.predicted_at is None or not told:
        return {}
    best = f"the best guess is {row.label}" if row.label and row.final_label is None else ""
    return {
        "classificationMethod": "machine",
        "classifiedBy": f"imgsort model v{row.model}",
        "classificationTimestamp": in_iso(datetime.fromisoformat(row.predicted_at)),
        "classificationProbability": "" if row.confidence is None else round(row.confidence, 4),
        "observationComments": best,
    }


def _as_relative(path: str) -> str:
    """As the standard wants it: it begins with none of . / ~ and nowhere has two dots in a row."""
    path = path.lstrip("/").replace("..", ".%2E")
    return _NOT_AT_THE_START.sub(lambda found: f"%{ord(found[0]):02X}", path)


def _mediatype(name: str) -> str:
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    guessed = _MEDIATYPES.get(suffix) or mimetypes.guess_type(f"a{suffix}")[0] or ""
    return guessed if guessed.startswith("image/") else "image/*"
