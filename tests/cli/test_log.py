"""`imgsort log`: every filter and every form."""

import csv
import io
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from imgsort.logquery import COLUMNS
from tests.cli_runner import asked, command, environment, imgsort
from tests.logbook import Workplace, card, file_all, new_store, verdict


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
        store.add_model(card(2, parent=1, created_at="2026-11-10T00:00:00Z"))
        file_all(store, plans)
    return root


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("--label cat", [3, 1]),
        ("--label nobody", []),
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
