"""`imgsort log`: every filter and every form."""

import csv
import io
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imgsort.cli.log_lines import lines
from imgsort.records.labels import NewLabel
from imgsort.records.log import COLUMNS, LogRow
from tests.cli_runner import asked, command, environment, imgsort
from tests.logbook import Workplace, card, file_all, new_store, sha256, verdict


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose log has five arrivals; no model, no backbone, no picture."""
    root = tmp_path_factory.mktemp("logged")
    (root / "config.toml").touch()
    work = Workplace(root)
    said = [("cat", 0.95), ("dog", 0.75), ("cat", 0.35)]
    plans = [work.plan(number, verdict(*words)) for number, words in enumerate(said)]
    plans.append(work.plan(3, None, name="=cmd.jpg"))
    newest = work.plan(4, verdict("chat 猫", 0.8))
    assert newest.arrival is not None
    odd = replace(newest.arrival, name=b"caf\xe9\n\x1b.jpg", model=2)
    target = root / "sorted" / os.fsdecode(b"caf\xe9\n\x1b.jpg")
    plans.append(replace(newest, arrival=odd, target=target))
    with new_store(root) as store:
        store.predictions.add_model(card(2, parent=1, created_at="2026-11-10T00:00:00Z"))
        file_all(store, plans)
    return root


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("--label cat", [3, 1]),
        ("--below 0.5", [3]),
        ("--since 2026-11-22T12:00:02Z", [5, 4, 3]),
        ("--since 1m", []),
        ("--model 2", [5]),
        ("--model v2", [5]),
        ("--model v0001", [3, 2, 1]),
        ("--unsure", [3]),
        ("--corrected", []),
        ("--limit 2", [5, 4]),
        ("--limit 0", [5, 4, 3, 2, 1]),
        ("--label cat --below 0.5 --unsure", [3]),
    ],
)
def test_filters(logged: Path, options: str, ids: list[int]) -> None:
    """Each narrows the log, newest first; several must all hold."""
    answer = asked("-C", logged, "log", "--format", "csv", *options.split())
    assert answer.code == 0, answer.err
    assert [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.out))] == ids


def test_json_and_csv_have_the_views_columns(logged: Path) -> None:
    """--json is --format json; names that are no UTF-8 and formulas harm nobody."""
    answer = imgsort("-C", logged, "log", "--json")
    assert answer.loaded == frozenset()
    assert answer.out == asked("-C", logged, "log", "--format", "json").out
    newest, rejected, *_ = answer.json
    assert tuple(newest) == COLUMNS
    assert (newest["name"], newest["path"]) == (r"caf\xe9\n\x1b.jpg", r"sorted/caf\xe9\n\x1b.jpg")
    assert newest["arrived_at"] == "2026-11-22T12:00:04.000Z"
    assert (rejected["name"], rejected["decision"]) == ("=cmd.jpg", "rejected")
    rows = list(csv.reader(io.StringIO(asked("-C", logged, "log", "--format", "csv").out)))
    assert tuple(rows[0]) == COLUMNS
    assert rows[2][1] == "'=cmd.jpg"


def test_the_table_is_one_line_a_row(logged: Path) -> None:
    """Piped: columns below each other, nothing after the last word, nothing cut or wrapped."""
    lines = asked("-C", logged, "log").out.splitlines()
    assert len(lines) == 6
    assert [line for line in lines if line != line.rstrip()] == []
    start = lines[0].index("path")  # 猫 takes two columns
    assert lines[1][start - 1 :] == r"sorted/caf\xe9\n\x1b.jpg"
    assert lines[2][start:] == "rejected/=cmd.jpg         the file is cut short"


def test_a_class_that_is_not_there_is_no_empty_log(logged: Path) -> None:
    """A slip is told, with the class that may have been meant."""
    assert asked("-C", logged, "log", "--label", "kat").said == (
        1,
        "There is no class kat, but there is cat; name that, or see `imgsort classes`.",
    )
    assert asked("-C", logged, "log", "--label", "zzz", "--json").said == (
        1,
        "There is no class zzz; `imgsort classes` lists those there are.",
    )


def test_programs_get_every_row(tmp_path: Path) -> None:
    """CSV and JSON have no silent limit; a table says that there is more."""
    (tmp_path / "config.toml").touch()
    work = Workplace(tmp_path)
    with new_store(tmp_path) as store:
        file_all(store, [work.plan(number, verdict("cat")) for number in range(60)])
    assert len(asked("-C", tmp_path, "log", "--json").json) == 60
    assert len(asked("-C", tmp_path, "log", "--format", "csv").out.splitlines()) == 61
    table = asked("-C", tmp_path, "log")
    assert (len(table.out.splitlines()), table.err) == (
        51,
        "These are the newest 50; --limit 0 shows all.\n",
    )
    assert asked("-C", tmp_path, "log", "--limit", "60").err == ""


def test_where_a_picture_came_from_and_what_it_is_in_the_end(tmp_path: Path) -> None:
    """Station, time and camera; a person's word before the model's, unsure before neither."""
    (tmp_path / "config.toml").touch()
    work = Workplace(tmp_path)
    with new_store(tmp_path) as store:
        plans = [work.plan(number, verdict("cat"), subfolder=b"north/7") for number in range(3)]
        file_all(store, [*plans, work.plan(3, verdict("cat", 0.4))])
        run = store.runs.begin("label")
        store.labels.add(run, [NewLabel(sha256("1"), "label", "dog", "cli", False)])
        store.labels.add(run, [NewLabel(sha256("2"), "withdrawn", None, "move", False)])
        store.files.mark_missing([1])
    rows = asked("-C", tmp_path, "log", "--json").json[::-1]
    assert [row["final_label"] for row in rows] == ["cat", "dog", None, None]
    assert [row["subfolder"] for row in rows] == ["north/7"] * 3 + [""]
    assert {(row["captured_at"], row["camera"]) for row in rows} == {
        ("2026-11-20T10:00:00", "Canon EOS R5")
    }
    assert [row["missing_at"] is not None for row in rows] == [True, False, False, False]


def test_a_terminal_shows_the_whole_path_in_80_columns() -> None:
    """Two lines a picture, local time; a reason that would not fit has a line of its own."""
    row = LogRow(
        id=12, name="IMG_0001.JPG", path="unsure/IMG_0001.JPG", sha256="ab", label="pitted_surface",
        confidence=0.41, decision="unsure", reason="confidence 0.41 is below 0.70", model=1,
        arrived_at="2026-11-28T04:13:00.000Z", predicted_at=None,
        filed_at="2026-11-28T04:13:01.000Z", human_label=None, is_correct=None,
        missing_at="2026-11-28T05:00:00.000Z",
    )  # fmt: skip
    when = datetime(2026, 11, 28, 4, 13, tzinfo=UTC).astimezone()
    assert list(lines(row, when, 80)) == [
        f"    12  {when:%d %b %H:%M}  pitted_surface 0.41  unsure, gone",
        "        confidence 0.41 is below 0.70",
        "        unsure/IMG_0001.JPG",
    ]
    assert next(lines(row, when, 120)).endswith("unsure, gone: confidence 0.41 is below 0.70")
    assert all(len(line) <= 80 for line in lines(row, when, 80))


def test_any_locale_will_do(logged: Path) -> None:
    """Where the terminal isn't UTF-8, JSON stays JSON and a table is written all the same."""
    plain = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    answer = imgsort("-C", logged, "log", "--json", "--limit", "1", env=plain)
    assert answer.json[0]["label"] == "chat 猫"
    assert r"chat \u732b" in imgsort("-C", logged, "log", env=plain).out


def test_a_bad_time_is_a_usage_error(logged: Path) -> None:
    """Exit code 2, with the forms there are."""
    code, said = asked("-C", logged, "log", "--since", "yesterday").said
    assert (code, said[:33]) == (2, "--since 'yesterday' is no time; g")


@pytest.mark.parametrize("options", ["--format csv", "--json", ""])
def test_a_reader_may_leave_early(logged: Path, options: str) -> None:
    """`imgsort log | head -1` ends without a word on stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("-C", logged, "log", *options.split()),
        env=environment(IMGSORT_TEST_LOADED=os.devnull),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("options", ["--format csv", ""])
def test_a_full_disk_behind_stdout_is_told(logged: Path, options: str) -> None:
    """`imgsort log > file` on a full disk: one sentence, exit code 1."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("-C", logged, "log", *options.split()),
            env=environment(IMGSORT_TEST_LOADED=os.devnull),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "imgsort could not go on (No space left on device); look after that, then try again.\n",
    )


def test_the_workspace_is_chosen_in_four_ways(logged: Path, tmp_path: Path) -> None:
    """-C after the command, before it, IMGSORT_WORKSPACE, the folder one is in: in this order."""
    wrong = {"IMGSORT_WORKSPACE": str(tmp_path)}
    right = {"IMGSORT_WORKSPACE": str(logged)}
    limit = ("log", "--limit", "1", "--format", "csv")
    expected = asked("-C", logged, *limit).out
    assert imgsort("-C", tmp_path, *limit, "-C", logged, env=wrong).out == expected
    assert imgsort("-C", logged, *limit, env=wrong).out == expected
    assert imgsort(*limit, env=right).out == expected
    assert imgsort(*limit, cwd=logged).out == expected
    assert imgsort(*limit, cwd=tmp_path).said == (
        1,
        f"{tmp_path} is no imgsort workspace (it has no config.toml); make one with "
        f"`imgsort -C {tmp_path} init`, or name another with -C.",
    )
