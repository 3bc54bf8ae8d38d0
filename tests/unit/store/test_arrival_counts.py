"""`arrival_counts` says what counting would say, whatever happens to the rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsort.store import Store
from imgsort.store.care import CareLog
from imgsort.store.schema import migrate

ADD = (
    "INSERT INTO arrivals (image_id, name, name_bytes, subfolder, subfolder_bytes, path,"
    " path_bytes, arrived_at, decision, class_id, state)"
    " VALUES (1, 'a', '', '', '', 'a', '', '2026-11-22T12:00:00.000Z', ?, ?, ?)"
)
CHANGE = "UPDATE arrivals SET decision = ?, class_id = ?, state = ? WHERE id % 3 = ?"
TAKE = "DELETE FROM arrivals WHERE id % 4 = ?"

KINDS = st.tuples(
    st.sampled_from(["filed", "unsure", "rejected"]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["decided", "filed"]),
)
STEPS = st.lists(
    st.one_of(
        KINDS.map(lambda kind: (ADD, kind)),
        st.tuples(KINDS, st.integers(0, 2)).map(lambda one: (CHANGE, (*one[0], one[1]))),
        st.integers(0, 3).map(lambda rest: (TAKE, (rest,))),
    ),
    min_size=1,
    max_size=30,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("counting") / "imgsort.db"
    migrate(path)
    with closing(sqlite3.connect(path)) as log:
        log.execute("INSERT INTO images (id, sha256, size, first_seen_at) VALUES (1, 'ab', 9, '')")
        log.execute("INSERT INTO classes (id, name, created_at) VALUES (1, 'a', ''), (2, 'b', '')")
        log.commit()
    return path


def counted(log: sqlite3.Connection) -> tuple[dict[tuple[str, int], int], ...]:
    """What the table says, and what there is."""
    told = log.execute("SELECT decision, class_id, arrivals FROM arrival_counts WHERE arrivals")
    there = log.execute(
        "SELECT decision, coalesce(class_id, 0), count(*) FROM arrivals WHERE state = 'filed'"
        " GROUP BY 1, 2"
    )
    return tuple({(row[0], row[1]): row[2] for row in rows} for rows in (told, there))


@given(steps=STEPS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_counts_follow_every_change(
    database: Path, steps: list[tuple[str, tuple[object, ...]]]
) -> None:
    """After each statement, however many rows it touches; a rollback takes the counts back too."""
    with closing(sqlite3.connect(database, isolation_level=None)) as log:
        before = counted(log)
        log.execute("BEGIN")
        for statement, values in steps:
            log.execute(statement, values)
            told, there = counted(log)
            assert told == there
        log.execute("ROLLBACK")
        assert counted(log) == before == ({}, {})


def test_classes_with_as_many_pictures_are_told_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """However their first pictures came, and after counting anew too."""
    path = tmp_path / "imgsort.db"
    migrate(path)
    with closing(sqlite3.connect(path)) as log:
        log.execute("INSERT INTO images (id, sha256, size, first_seen_at) VALUES (1, 'ab', 9, '')")
        for number in range(12, 0, -1):
            log.execute("INSERT INTO classes VALUES (?, ?, 0, 0, '', NULL)", (number, f"c{number}"))
            log.execute(ADD, ("filed", number, "filed"))
        log.commit()
    for _ in range(2):
        with Store.open(path, root=tmp_path) as reader:
            names = [one.name for one in reader.counts.overview().classes]
        assert names == [f"c{number}" for number in range(1, 11)]
        with CareLog(path, tmp_path) as care:
            care.recount()


def test_a_miscount_is_found_and_mended(tmp_path: Path) -> None:
    """By a program that has taken the triggers away, or has changed the counts themselves."""
    path = tmp_path / "imgsort.db"
    migrate(path)
    with CareLog(path, tmp_path) as care, closing(sqlite3.connect(path)) as log:
        assert care.miscounted() == 0
        log.execute("INSERT INTO images (id, sha256, size, first_seen_at) VALUES (1, 'ab', 9, '')")
        log.execute("INSERT OR REPLACE INTO arrival_counts VALUES ('filed', 7, 3)")
        log.execute("DROP TRIGGER arrival_counts_insert")
        log.commit()
        assert care.miscounted() is None
        log.execute(ADD, ("unsure", None, "filed"))
        log.execute(
            "CREATE TRIGGER arrival_counts_insert AFTER INSERT ON arrivals BEGIN SELECT 1; END"
        )
        log.commit()
        assert care.miscounted() == 2
        care.recount()
        assert care.miscounted() == 0
        log.execute(ADD, ("unsure", None, "filed"))
        log.commit()
        assert counted(log) == ({("unsure", 0): 2},) * 2
