"""`log --output`: spreadsheets and Camtrap DP, checked against what their readers demand."""

import csv
import json
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from imgsort.export.camtrap.observations import NO_ANIMAL
from imgsort.export.spreadsheet import write_xlsx
from imgsort.images import ImageFacts
from imgsort.records.labels import NewLabel
from tests.cli_runner import asked
from tests.logbook import Workplace, file_all, new_store, sha256, verdict

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
AT = "2026-05-06T07:08:09"
NAMES = {2: "=cmd()..jpg"}


@pytest.fixture(autouse=True)
def _in_nairobi(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Africa/Nairobi")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """Two stations and the inbox itself; filed, unsure, rejected, corrected, without a time."""
    root = tmp_path / "survey"
    root.mkdir()
    (root / "config.toml").touch()
    work = Workplace(root)
    kinds: list[tuple[str, str, float | None, str | None]] = [
        ("north", "fox", 0.95, AT),
        ("north", "fox", 0.35, "2026-05-07T00:00:00"),
        ("=cmd()", "empty", 0.9, AT),
        ("", "human", 0.9, AT),
        ("north", "fox", None, AT),
        ("north", "fox", 0.9, None),
        ("north", "fox", 0.9, "2026-05-06"),
    ]
    plans = []
    for number, (subfolder, label, confidence, taken) in enumerate(kinds):
        judged = None if confidence is None else verdict(label, confidence)
        plan = work.plan(number, judged, name=NAMES.get(number, f"a{number}.jpg"))
        assert plan.arrival is not None
        facts = ImageFacts(40, 30, "JPEG", taken, "Reconyx HF2X", number)
        arrival = replace(plan.arrival, subfolder=subfolder.encode(), facts=facts)
        plans.append(replace(plan, arrival=arrival))
    with new_store(root) as store:
        file_all(store, plans)
        run = store.runs.begin("label")
        store.labels.add(run, [NewLabel(sha256("0"), "label", "badger", "cli", False)])
    return root


def cells(path: Path) -> list[dict[str, tuple[str, str]]]:
    """Each row: column letter -> type and text of the cell, as the file has them."""
    with zipfile.ZipFile(path) as book:
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - ours
    rows = []
    for row in tree.iter(f"{SHEET}row"):
        found = {}
        for cell in row.iter(f"{SHEET}c"):
            assert cell.find(f"{SHEET}f") is None
            text = "".join(each.text or "" for each in cell.iter() if each.text)
            letters = re.sub(r"\d", "", cell.attrib["r"])
            found[letters] = (cell.attrib.get("t", "n"), text)
        rows.append(found)
    return rows


def test_a_spreadsheet_has_text_as_text_and_times_as_dates(logged: Path, tmp_path: Path) -> None:
    """No name is run as a formula, no hash or number is taken for a quantity."""
    target = tmp_path / "log.xlsx"
    said = asked("-C", logged, "log", "--format", "xlsx", "--output", target)
    assert (said.code, said.out) == (0, ""), said.err
    head, *rows = cells(target)
    names = {text: letters for letters, (_, text) in head.items()}
    assert {"id", "name", "arrived_at (UTC)", "captured_at", "final_label"} <= set(names)
    by_id = {row[names["id"]][1]: row for row in rows}
    assert {row[names["id"]][0] for row in rows} == {"inlineStr"}
    assert by_id["3"][names["name"]] == ("inlineStr", "=cmd()..jpg")
    assert by_id["3"][names["subfolder"]] == ("inlineStr", "=cmd()")
    assert by_id["1"][names["sha256"]] == ("inlineStr", sha256("0"))
    kind, days = by_id["1"][names["captured_at"]]
    taken = datetime(1899, 12, 30) + timedelta(days=float(days))  # noqa: DTZ001 - as a sheet has it
    assert (kind, round((taken - datetime.fromisoformat(AT)).total_seconds())) == ("n", 0)
    kind, days = by_id["1"][names["arrived_at (UTC)"]]
    came = datetime(1899, 12, 30) + timedelta(days=float(days))  # noqa: DTZ001
    assert (kind, came.isoformat(timespec="seconds")) == ("n", "2026-11-22T12:00:00")
    assert by_id["7"][names["captured_at"]][0] == "n"
    assert by_id["1"][names["is_correct"]] == ("b", "0")
    assert not list(tmp_path.glob(".*.part"))


def test_a_spreadsheet_holds_so_many_rows_and_says_so(
    tmp_path: Path, logged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than to leave the last ones out; what was there before stays."""
    monkeypatch.setattr("imgsort.export.spreadsheet.MOST_ROWS", 3)
    target = tmp_path / "log.xlsx"
    target.write_text("before")
    said = asked("-C", logged, "log", "--format", "xlsx", "--output", target)
    assert said.code == 1
    assert "more than the 3 rows that a spreadsheet holds; narrow it down" in said.err
    assert target.read_text() == "before"
    assert write_xlsx([], tmp_path / "none.xlsx") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--format xlsx", "--format xlsx is no text; say where to with --output log.xlsx."),
        ("--format camtrap-dp", "say where to with --output package."),
        ("--output a.txt", "--output is for --format csv, json, xlsx or camtrap-dp"),
        ("--format xlsx -o /proc/nowhere/a.xlsx", "can't be written"),
    ],
)
def test_what_can_not_be_written_is_told(logged: Path, options: str, said: str) -> None:
    """In a sentence, with nothing binary on a terminal."""
    answer = asked("-C", logged, "log", *options.split())
    assert (answer.code, answer.out) == (1, "")
    assert said in answer.err


@pytest.mark.parametrize("form", ["csv", "json"])
def test_text_goes_into_a_file_too(logged: Path, tmp_path: Path, form: str) -> None:
    """The same as on stdout."""
    target = tmp_path / "log"
    assert asked("-C", logged, "log", "--format", form, "-o", target).code == 0
    printed = asked("-C", logged, "log", "--format", form).out
    assert target.read_text().splitlines() == printed.splitlines()


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


REQUIRED = {
    "deployments": ("deploymentID", "deploymentStart", "deploymentEnd"),
    "media": (
        *("mediaID", "deploymentID", "timestamp", "filePath", "filePublic"),
        "fileMediatype",
    ),
    "observations": (
        *("observationID", "deploymentID", "eventStart", "eventEnd"),
        *("observationLevel", "observationType"),
    ),
}
KEYS = {"deployments": "deploymentID", "media": "mediaID", "observations": "observationID"}
ENUMS = {
    "observationLevel": {"media", "event"},
    "observationType": {"animal", "human", "vehicle", "blank", "unknown", "unclassified"},
    "classificationMethod": {"human", "machine", ""},
    "filePublic": {"true", "false"},
}
TIMES = (
    *("deploymentStart", "deploymentEnd", "timestamp", "eventStart", "eventEnd"),
    "classificationTimestamp",
)
FILE_PATH = re.compile(r"^(?=^[^./~])(^((?!\.{2}).)*$).*$")


def test_camtrap_dp_keeps_the_standards_rules(logged: Path, tmp_path: Path) -> None:
    """Required columns, unique keys, foreign keys, vocabularies, times and paths, as 1.0.2 has
    them; coordinates are all that is missing."""
    folder = tmp_path / "package"
    said = asked("-C", logged, "log", "--format", "camtrap-dp", "--output", folder)
    assert (said.code, said.out) == (0, ""), said.err
    assert "4 pictures of 3 deployments written to" in said.err
    assert "2 pictures in which the camera wrote no time of day are left out." in said.err
    assert "3 deployments have no coordinates" in said.err
    tables = {name: table(folder, name) for name in REQUIRED}
    for name, rows in tables.items():
        assert all(row[column] for row in rows for column in REQUIRED[name])
        assert len({row[KEYS[name]] for row in rows}) == len(rows)
        for row in rows:
            assert all(row[key] in allowed for key, allowed in ENUMS.items() if key in row)
            for key in TIMES:
                if row.get(key):
                    moment = datetime.strptime(row[key], "%Y-%m-%dT%H:%M:%S%z")
                    assert moment.tzinfo is not None
    stations = {row["deploymentID"] for row in tables["deployments"]}
    media = {row["mediaID"]: row for row in tables["media"]}
    assert {row["deploymentID"] for rows in tables.values() for row in rows} == stations
    assert {row["mediaID"] for row in tables["observations"]} == set(media)
    assert all(FILE_PATH.match(row["filePath"]) for row in media.values())
    assert media["1"]["timestamp"] == f"{AT}+03:00"
    package = json.loads((folder / "datapackage.json").read_text())
    assert package["profile"].endswith("/1.0.2/camtrap-dp-profile.json")
    assert {"created", "contributors", "project", "spatial", "temporal", "taxonomic"} <= set(
        package
    )
    assert package["temporal"] == {"start": "2026-05-06", "end": "2026-05-07"}
    assert {one["name"]: one["path"] for one in package["resources"]} == {
        name: f"{name}.csv" for name in tables
    }


def test_camtrap_dp_says_who_saw_what(logged: Path, tmp_path: Path) -> None:
    """A person's word before the model's; what it was not sure of is unknown, not an animal."""
    asked("-C", logged, "log", "--format", "camtrap-dp", "--output", tmp_path / "package")
    seen = {row["observationID"]: row for row in table(tmp_path / "package", "observations")}
    told = {
        key: (row["observationType"], row["classificationMethod"], row["observationTags"])
        for key, row in seen.items()
    }
    assert told == {
        "1": ("animal", "human", "label:badger"),
        "2": ("unknown", "machine", ""),
        "3": ("blank", "machine", "label:empty"),
        "4": ("human", "machine", "label:human"),
    }
    assert (seen["1"]["classificationProbability"], seen["1"]["classifiedBy"]) == ("", "")
    assert seen["1"]["classificationTimestamp"].endswith("+03:00")
    assert seen["2"]["observationComments"] == "the best guess is fox"
    assert seen["3"]["classifiedBy"] == "imgsort model v1"
    assert (seen["3"]["classificationProbability"], seen["3"]["deploymentID"]) == ("0.9", "'=cmd()")
    assert all(words for words in NO_ANIMAL.values())


def test_camtrap_dp_written_anew_keeps_what_was_filled_in(logged: Path, tmp_path: Path) -> None:
    """Coordinates, the project, and the scientific names of classes."""
    folder = tmp_path / "package"
    words = ("-C", logged, "log", "--format", "camtrap-dp", "--output", folder)
    assert asked(*words).code == 0
    rows = table(folder, "deployments")
    for row in rows:
        row |= {"latitude": "-1.28", "longitude": "36.82", "habitat": "savanna"}
    with (folder / "deployments.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    package = json.loads((folder / "datapackage.json").read_text())
    package["project"]["samplingDesign"] = "systematicRandom"
    package["taxonomic"] = [{"scientificName": "Meles meles", "vernacularNames": {"eng": "Badger"}}]
    (folder / "datapackage.json").write_text(json.dumps(package))

    again = asked(*words)
    assert again.code == 0, again.err
    assert "coordinates" not in again.err
    assert {row["latitude"] for row in table(folder, "deployments")} == {"-1.28"}
    assert {row["habitat"] for row in table(folder, "deployments")} == {"savanna"}
    after = json.loads((folder / "datapackage.json").read_text())
    assert after["project"]["samplingDesign"] == "systematicRandom"
    assert after["spatial"] == {"type": "MultiPoint", "coordinates": [[36.82, -1.28]] * 3}
    assert asked(*words, "--label", "badger").code == 4
    assert asked(*words, "--label", "human").code == 0
    assert {row["latitude"] for row in table(folder, "deployments")} == {"-1.28"}
    assert len(table(folder, "deployments")) == 3
    assert asked(*words).code == 0
    names = {row["observationID"]: row["scientificName"] for row in table(folder, "observations")}
    assert names == {"1": "Meles meles", "2": "", "3": "", "4": ""}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("deployments.csv", "a;b\n1;2\n", "is no CSV with commas, in UTF-8 and with a column"),
        ("deployments.csv", "deploymentID,latitude,longitude\nnorth,52°,4\n", "decimal degrees"),
        ("datapackage.json", "[", "is no JSON object any more"),
    ],
)
def test_what_was_filled_in_is_never_lost(
    logged: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    """A file that can't be understood any more is left as it is, and so are the others."""
    folder = tmp_path / "package"
    words = ("-C", logged, "log", "--format", "camtrap-dp", "--output", folder)
    assert asked(*words).code == 0
    (folder / name).write_text(text)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    answer = asked(*words)
    assert (answer.code, said in answer.err) == (1, True), answer.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_camtrap_dp_never_mixes_with_other_files(logged: Path, tmp_path: Path) -> None:
    """Nor is a package without a picture written."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "media.csv").write_text("mine")
    answer = asked("-C", logged, "log", "--format", "camtrap-dp", "--output", other)
    assert (answer.code, (other / "media.csv").read_text()) == (1, "mine")
    assert "holds something else; name a new or empty folder" in answer.err
    words = ("--label", "fox", "--below", "0.1", "--format", "camtrap-dp", "-o", tmp_path / "none")
    assert asked("-C", logged, "log", *words).code == 4
