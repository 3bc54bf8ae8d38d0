"""Databases that are damaged, newer than the program, or gone: one sentence, and hands off."""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from imgsort.daemon.service import run as service
from imgsort.errors import DatabaseProblem
from imgsort.workspace.workspace import Workspace
from tests.chaos.books import Books
from tests.chaos.ledger import Ledger
from tests.chaos.program import run_once, typed

PAGE = 4096
SEEDS = 200


@pytest.fixture
def filled(books: Books) -> Books:
    """A log with some history."""
    books.drop(5)
    run_once(books.workspace)
    return books


def test_a_newer_database_is_left_as_it_is(filled: Books, ledger: Ledger) -> None:
    """Exit 78, both revisions named in one sentence, not a byte written, no image moved."""
    workspace = filled.workspace
    with closing(sqlite3.connect(workspace.database)) as log:
        [[revision]] = log.execute("SELECT version_num FROM alembic_version").fetchall()
        log.execute("UPDATE alembic_version SET version_num = 'ffff'")
        log.commit()
    before = _digest(workspace)
    filled.drop(1)
    answer = typed(workspace, "run", "--once")
    assert (answer.returncode, answer.stdout) == (78, "")
    assert len(answer.stderr.splitlines()) == 1
    assert "ffff" in answer.stderr
    assert str(revision) in answer.stderr
    assert _digest(workspace) == before
    assert filled.waiting() == 1
    with closing(sqlite3.connect(workspace.database)) as log:
        log.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        log.commit()
    run_once(workspace)
    ledger.fault("newer database", filled.harm())


def test_a_damaged_database_is_told_in_one_sentence(filled: Books, ledger: Ledger) -> None:
    """Exit 78; with the sound copy back in its place it goes on."""
    workspace = filled.workspace
    sound = shutil.copy(workspace.database, workspace.root / "sound.db")
    with workspace.database.open("r+b") as file:
        file.write(b"no database at all")
    filled.drop(2)
    answer = typed(workspace, "run", "--once")
    assert (answer.returncode, answer.stdout) == (78, "")
    assert len(answer.stderr.splitlines()) == 1
    assert "damaged" in answer.stderr
    assert filled.waiting() == 2
    shutil.copy(sound, workspace.database)
    run_once(workspace)
    ledger.fault("damaged database", filled.harm())


@pytest.mark.chaos
def test_noise_in_any_page_is_noticed(filled: Books, ledger: Ledger) -> None:
    """4 kB of noise at a random page, many times: it never runs, and never moves a file."""
    workspace = filled.workspace
    sound = workspace.database.read_bytes()
    filled.drop(1)
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        page = int(random.integers(0, len(sound) // PAGE))
        noisy = bytearray(sound)
        noisy[page * PAGE : (page + 1) * PAGE] = random.bytes(PAGE)
        workspace.database.write_bytes(noisy)
        _drop_wal(workspace)
        with pytest.raises(DatabaseProblem, match="damaged"):
            service.run(workspace, once=True)
        assert filled.waiting() == 1, f"seed {seed}, page {page}"
    workspace.database.write_bytes(sound)
    _drop_wal(workspace)
    run_once(workspace)
    ledger.fault("damaged database", filled.harm(), SEEDS)


def _drop_wal(workspace: Workspace) -> None:
    for tail in ("-wal", "-shm"):
        workspace.database.with_name(f"imgsort.db{tail}").unlink(missing_ok=True)


def _digest(workspace: Workspace) -> str:
    with workspace.database.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
