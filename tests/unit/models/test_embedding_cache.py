"""Embeddings are kept small, never mixed, and lost without harm."""

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.daemon.log_output import Notices
from imgsort.daemon.pipeline.embedding_writer import EmbeddingKeeper
from imgsort.models.embedding_cache import EmbeddingStore, victims
from imgsort.store.embeddings import Entry, files_of, size_on_disk

WIDTH = 64
Vectors = dict[str, NDArray[np.float32]]


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def vectors(first: int, count: int, width: int = WIDTH) -> Vectors:
    """Different for every number."""
    random = np.random.default_rng(first)
    rows = random.uniform(0, 5, (count, width)).astype(np.float32)
    return {key(first + place): row for place, row in enumerate(rows)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "embeddings.db"


@pytest.fixture
def store(path: Path) -> Iterator[EmbeddingStore]:
    with EmbeddingStore.open(path, checkpointer=True) as store:
        yield store


def test_what_is_put_comes_back(store: EmbeddingStore) -> None:
    """By content, to the precision of float16; what was never put is left out."""
    put = vectors(0, 1200)
    store.put("a" * 16, "float32", put)
    got = store.get("a" * 16, "float32", [*put, key(9999)])
    assert got.keys() == put.keys()
    assert {vector.dtype for vector in got.values()} == {np.dtype(np.float32)}
    assert max(float(np.abs(got[one] - put[one]).max()) for one in put) <= 5 * 2**-11


@pytest.mark.parametrize(
    ("backbone_id", "precision", "view"),
    [("other", "float32", 0), ("one", "bfloat16", 0), ("one", "float32", 1)],
)
def test_spaces_never_mix(
    store: EmbeddingStore, backbone_id: str, precision: str, view: int
) -> None:
    """Another backbone, precision or view knows nothing of the vector, and keeps its own."""
    mine, theirs = vectors(0, 1), vectors(1, 1)
    sha256 = key(0)
    store.put("one", "float32", mine)
    assert store.get(backbone_id, precision, [sha256], view) == {}
    store.put(backbone_id, precision, {sha256: theirs[key(1)]}, view)
    kept = store.get("one", "float32", [sha256])[sha256]
    assert np.allclose(kept, mine[sha256], atol=0.01)


def test_the_first_vector_of_a_picture_stays(store: EmbeddingStore) -> None:
    """Putting it again changes nothing: it is a function of the content."""
    store.put("one", "float32", {key(0): np.ones(WIDTH, np.float32)})
    store.put("one", "float32", {key(0): np.zeros(WIDTH, np.float32)})
    assert store.get("one", "float32", [key(0)])[key(0)].tolist() == [1.0] * WIDTH


@pytest.mark.parametrize("bad", [np.nan, np.inf, 70_000.0])
def test_what_float16_cannot_hold_is_left_out(store: EmbeddingStore, bad: float) -> None:
    """Rather computed again than remembered wrong."""
    sound = vectors(1, 1)
    store.put("one", "float32", {key(0): np.full(WIDTH, bad, np.float32), **sound})
    assert store.get("one", "float32", [key(0), key(1)]).keys() == sound.keys()


def test_a_deleted_file_is_made_again(store: EmbeddingStore, path: Path) -> None:
    """Deleted while it is open: what comes after is in the new file, for others too."""
    store.put("one", "float32", vectors(0, 3))
    for part in files_of(path):
        part.unlink(missing_ok=True)
    assert store.get("one", "float32", [key(0)]) == {}
    store.put("one", "float32", vectors(5, 1))
    with EmbeddingStore.open(path) as other:
        assert other.get("one", "float32", [key(0), key(5)]).keys() == {key(5)}


def _noise(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def _torn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 6] = os.urandom(4096 * 5)
    path.write_bytes(content)


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (id INTEGER PRIMARY KEY)")
    other.close()


@pytest.mark.parametrize("damage", [_noise, _torn, _foreign])
def test_a_damaged_file_is_made_anew_with_one_line(
    path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is in its place, the next use works, and the log has one line about it."""
    assert callable(damage)
    with EmbeddingStore.open(path, checkpointer=True) as store:
        store.put("one", "float32", vectors(0, 200))
    damage(path)
    with EmbeddingStore.open(path, checkpointer=True) as store:
        store.get("one", "float32", list(vectors(0, 200)))
        store.put("one", "float32", vectors(1000, 50))
        assert store.get("one", "float32", [key(1000)]).keys() == {key(1000)}
    assert [record.message.partition(" was damaged")[1] for record in caplog.records] == [
        " was damaged"
    ]


def test_a_flipped_bit_is_seen(store: EmbeddingStore, path: Path) -> None:
    """SQLite doesn't guard the inside of a value; a vector that isn't what was put is missing."""
    put = vectors(0, 4)
    store.put("one", "float32", put)
    store.close()
    with sqlite3.connect(path) as file:
        file.execute(
            "UPDATE embeddings SET vector = zeroblob(length(vector)) WHERE sha256 = ?",
            (bytes.fromhex(key(2)),),
        )
    file.close()
    assert store.get("one", "float32", list(put)).keys() == put.keys() - {key(2)}


def test_the_oldest_unlabelled_go_first(store: EmbeddingStore, path: Path) -> None:
    """Over its limit the file shrinks below it; labelled pictures and the newest stay."""
    for start in range(0, 1000, 100):
        store.put("one", "float32", vectors(start, 100, 1024))
    labelled = {key(number) for number in range(50)}
    limit = size_on_disk(path) / 2
    dropped = store.trim(limit / 1e9, lambda: labelled)
    assert size_on_disk(path) <= limit
    left = store.get("one", "float32", [key(number) for number in range(1000)]).keys()
    assert len(left) == 1000 - dropped
    assert left == labelled | {key(number) for number in range(50 + dropped, 1000)}


def test_below_the_limit_nobody_is_asked(store: EmbeddingStore) -> None:
    """Who is labelled is a question to the database, put only when something must go."""
    store.put("one", "float32", vectors(0, 10))

    def never() -> set[str]:
        raise AssertionError

    assert store.trim(1.0, never) == 0


def test_labelled_ones_go_last() -> None:
    """When that isn't enough, the oldest labelled follow."""
    entries = [Entry(number, key(number)) for number in range(5)]
    assert victims(entries, {key(0), key(3)}, 4) == [1, 2, 4, 0]


def test_threads_may_share_a_store(store: EmbeddingStore) -> None:
    """Each put is whole."""
    threads = [
        threading.Thread(target=store.put, args=("one", "float32", vectors(start, 50)))
        for start in range(0, 400, 50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.get("one", "float32", [key(number) for number in range(400)])) == 400


def test_the_keeper_stores_what_it_is_given(path: Path) -> None:
    """Everything that was handed over before it closes is in the file."""
    with EmbeddingKeeper(path, 1.0, set, Notices()) as keeper:
        for start in range(0, 320, 32):
            keeper.keep("one", "float32", vectors(start, 32))
    with EmbeddingStore.open(path) as store:
        assert len(store.get("one", "float32", [key(number) for number in range(320)])) == 320


def test_the_keeper_fails_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A place that can't be written costs a line a minute and nothing else."""
    (tmp_path / "folder").mkdir()
    with EmbeddingKeeper(tmp_path / "folder", 1.0, set, Notices()) as keeper:
        for start in range(0, 3200, 32):
            keeper.keep("one", "float32", vectors(start, 32))
    lines = [record.message for record in caplog.records if "not stored" in record.message]
    assert len(lines) == 1


def test_a_limit_of_nothing_stores_nothing(path: Path) -> None:
    """embeddings_max_gb = 0 leaves no file behind."""
    with EmbeddingKeeper(path, 0.0, set, Notices()) as keeper:
        keeper.keep("one", "float32", vectors(0, 3))
    assert not path.exists()
