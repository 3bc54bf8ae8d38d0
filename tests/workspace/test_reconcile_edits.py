"""Programs write into pictures that lie in the folders: what was said of them follows."""

import io
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsort.images import ImageLimits
from imgsort.images.outcome import NoAttempts, Picture
from imgsort.images.pool import DecoderPool
from imgsort.reconcile import adoption
from imgsort.reconcile.apply import ReconcileSummary
from imgsort.reconcile.examine import examine_adopted
from imgsort.records.labels import NewLabel
from imgsort.records.log import LogFilter
from tests.album import Album, made, new_album, sha256
from tests.logbook import NOON


@pytest.fixture(scope="module")
def decoder() -> Iterator[DecoderPool]:
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    with DecoderPool(
        size=224,
        limits=limits,
        workers=1,
        timeout_seconds=20,
        memory_mb=1024,
        attempts=NoAttempts(),
    ) as pool:
        yield pool


@dataclass(frozen=True)
class Studio:
    album: Album
    decoder: DecoderPool

    def filed(self, name: str, said: str, seed: int, taken: str = "") -> Path:
        """A real picture, filed by the model."""
        content = picture(seed, taken=taken)
        beside = self.album.workspace.root / name
        beside.write_bytes(content)
        outcome = self.decoder.submit(beside).result()
        assert isinstance(outcome, Picture)
        beside.unlink()
        return self.album.filed(name, said, content, facts=outcome.facts)

    def look(self) -> ReconcileSummary:
        seen = self.album.look()
        examine_adopted(self.album.workspace, self.album.store, self.decoder)
        return seen

    def says(self, path: Path, kind: str, name: str | None, *, drawn: bool = False) -> None:
        word = NewLabel(sha256(path), kind, name, "confirm", drawn)  # type: ignore[arg-type]
        self.album.store.labels.add(self.album.store.runs.begin("confirm"), [word])

    def word(self, path: Path) -> tuple[str | None, bool] | None:
        word = self.album.store.labels.current().get(sha256(path))
        return None if word is None else (word.class_name or word.kind, word.representative)


@pytest.fixture
def studio(
    tmp_path: Path, decoder: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    monkeypatch.setattr(adoption, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(adoption, "COPY_SECONDS", 0.0)
    with new_album(tmp_path / "photos") as album:
        yield Studio(album, decoder)


def picture(seed: int, *, rating: int = 0, taken: str = "", turned: bool = False) -> bytes:
    """A JPEG; pictures of other seeds look quite different."""
    pixels = np.random.default_rng(seed).integers(0, 255, (9, 8, 3), np.uint8)
    image = Image.fromarray(pixels).resize((160, 120), Image.Resampling.BICUBIC)
    if turned:
        image = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x4746] = rating
    if taken:
        exif[0x010F], exif[0x0110] = "Canon", "Canon EOS R5"
        exif.get_ifd(0x8769)[0x9003] = taken
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92, exif=exif)
    return file.getvalue()


def in_place(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def by_a_new_file(path: Path, content: bytes) -> None:
    """As most programs save: another file takes the name."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.rename(path)


def after_its_removal(path: Path, content: bytes) -> None:
    """And somebody looks in between."""
    path.unlink()


WAYS: list[Callable[[Path, bytes], None]] = [in_place, by_a_new_file, after_its_removal]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    ("said", "kind", "name"),
    [
        ("cat", "label", "cat"),
        ("unsure", "withdrawn", None),
        ("rejected", "never_use", None),
        ("cat", "label", "dog"),
    ],
)
def test_a_rating_takes_no_word_away(
    studio: Studio, way: Callable[[Path, bytes], None], said: str, kind: str, name: str | None
) -> None:
    """Word, representative flag, side of the split and what the model said hold for the new bytes;
    the row is the same one, and nothing is missing or new."""
    path = studio.filed("a.jpg", said, 1)
    studio.says(path, kind, name, drawn=True)
    with closing(sqlite3.connect(studio.album.workspace.database)) as log, log:
        log.execute("UPDATE images SET split = 'holdout'")
    before = studio.album.store.log.rows(LogFilter())
    way(path, picture(1, rating=5))
    if not path.exists():
        assert studio.look().missing == 1
        path.write_bytes(picture(1, rating=5))
    summary = studio.look()
    assert (summary.labelled, summary.adopted, summary.missing) == (0, 0, 0)
    assert studio.word(path) == (name or kind, True)
    records = studio.album.store.training.records()
    assert records[sha256(path)].side == "holdout"
    [row], [was] = studio.album.store.log.rows(LogFilter()), before
    assert (row.id, row.sha256, row.human_label) == (was.id, sha256(path), was.human_label)
    assert (row.label, row.predicted_at, row.reason) == (was.label, was.predicted_at, was.reason)
    assert not studio.look().learned


def test_a_rated_picture_is_one_label(studio: Studio) -> None:
    """Its former bytes count for nothing, and keep their word all the same, should they come again
    from the camera's card."""
    path = studio.filed("a.jpg", "cat", 1)
    studio.says(path, "label", "dog")
    former = sha256(path)
    in_place(path, picture(1, rating=3))
    studio.look()
    store = studio.album.store
    assert set(store.labels.current()) == {sha256(path)}
    assert store.counts.overview(NOON).labels_since_training == 1
    assert store.labels.current([former])[former].class_name == "dog"


def test_refile_keeps_its_hands_off_a_rated_picture(studio: Studio) -> None:
    """It is confirmed, whatever its bytes are now."""
    path = studio.filed("a.jpg", "cat", 1)
    studio.says(path, "label", "cat")
    by_a_new_file(path, picture(1, rating=3))
    studio.look()
    assert studio.album.store.history.unconfirmed() == []


def test_the_undo_of_a_word_reaches_the_rated_picture(studio: Studio) -> None:
    """The word was said in a run, and is still of that run."""
    path = studio.filed("a.jpg", "cat", 1)
    studio.says(path, "label", "dog")
    in_place(path, picture(1, rating=3))
    studio.look()
    [history] = studio.album.store.history.of([1])
    assert [sorted(word.runs) for word in history.words] == [[2]]


def test_a_picture_that_was_turned_is_the_same(studio: Studio) -> None:
    """Its pixels lie otherwise; camera and moment say that it is this shot."""
    taken = "2026:11:20 10:00:00"
    path = studio.filed("a.jpg", "cat", 1, taken=taken)
    studio.says(path, "label", "cat")
    in_place(path, picture(1, taken=taken, turned=True))
    studio.look()
    assert studio.word(path) == ("cat", False)


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.__name__)
def test_another_picture_under_the_same_name_inherits_nothing(
    studio: Studio, way: Callable[[Path, bytes], None]
) -> None:
    """The one that was there is missing, the other one new, and nobody has spoken of it."""
    path = studio.filed("a.jpg", "cat", 1)
    studio.says(path, "label", "cat", drawn=True)
    former = sha256(path)
    way(path, picture(2))
    studio.look()
    assert studio.word(path) is None
    rows = {one.sha256: one for one in studio.album.store.files.known()}
    assert (rows[former].missing, rows[sha256(path)].missing) == (True, False)
    assert (rows[sha256(path)].decision, rows[sha256(path)].class_name) == ("filed", None)
    assert studio.album.paths() == studio.album.tree()
    way(path, picture(1))  # and back from a backup
    studio.look()
    assert studio.word(path) == ("cat", True)
    assert not studio.look().learned


def test_many_that_are_edited_at_once_are_no_library(studio: Studio) -> None:
    """More than would be asked about, had they been put there."""
    paths = [studio.album.filed(f"{number}.jpg", "cat") for number in range(120)]
    for path in paths:
        path.write_bytes(path.read_bytes() + b"\\0" * 7)
    summary = studio.album.look()
    assert (summary.edited, summary.missing, summary.notices) == (120, 0, ())
    assert studio.album.paths() == studio.album.tree()


@pytest.mark.parametrize("seconds", [adoption.SAVING_SECONDS, 0.0])
@pytest.mark.parametrize("folder", ["sorted/cat", "unsure"])
def test_a_slow_save_over_a_known_picture(
    studio: Studio, folder: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several parts, with looks in between: no label nobody gave, and none lost; also when the
    pause is longer than anybody waits."""
    monkeypatch.setattr(adoption, "SAVING_SECONDS", seconds)
    said = "cat" if folder == "sorted/cat" else "unsure"
    path = studio.filed("a.jpg", said, 1)
    studio.says(path, "label", "cat", drawn=True)
    whole = picture(1, rating=4)
    for content in (b"", whole[:900], whole[:1500], whole):
        path.write_bytes(content)
        studio.look()
        studio.look()
    assert studio.word(path) == ("cat", True)
    assert studio.album.paths() == studio.album.tree()
    assert len(list(studio.album.store.files.known())) == 1
    assert len(studio.album.store.labels.current()) == 1


@pytest.mark.parametrize("seconds", [adoption.SAVING_SECONDS, 0.0])
@pytest.mark.parametrize(("folder", "word"), [("sorted/cat", ("cat", False)), ("unsure", None)])
def test_a_slow_save_of_a_new_picture(
    studio: Studio,
    folder: str,
    word: tuple[str, bool] | None,
    seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The half says nothing; the whole one says what its folder says, once. Also when the pause is
    longer than anybody waits."""
    monkeypatch.setattr(adoption, "SAVING_SECONDS", seconds)
    path = made(studio.album.workspace.root / folder) / "new.jpg"
    whole = picture(3)
    path.write_bytes(whole[:900])
    assert studio.look().waiting == (seconds > 0)
    assert studio.album.store.labels.current() == {}
    if seconds:
        assert list(studio.album.store.files.known()) == []
    path.write_bytes(whole)
    studio.look()
    assert studio.word(path) == word
    assert len(studio.album.store.labels.current()) == (word is not None)
    [row] = studio.album.store.files.known()
    assert row.decision == ("filed" if word else "unsure")
    assert not studio.look().learned


def test_a_file_that_was_just_written_is_waited_for(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program may be at it still: it is neither missing nor something else yet."""
    path = studio.filed("a.jpg", "cat", 1)
    monkeypatch.setattr(adoption, "SETTLE_SECONDS", 2.0)
    path.write_bytes(picture(1, rating=1))
    summary = studio.look()
    assert (summary.waiting, summary.missing, summary.edited) == (1, 0, 0)
    later = time.time() + 10
    monkeypatch.setattr(time, "time", lambda: later)
    assert studio.look().edited == 1


def test_a_broken_picture_is_opened_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an edit has broken isn't opened at each look; a repair is seen."""
    path = studio.filed("a.jpg", "cat", 1)
    studio.says(path, "label", "cat")
    path.write_bytes(b"broken by a program")
    studio.look()
    assert studio.album.store.files.unexamined() == {}
    [row] = studio.album.store.log.rows(LogFilter())
    assert (row.reason or "").startswith("changed in its place, but it can't be read")
    path.write_bytes(picture(1, rating=1))
    os.utime(path)
    studio.look()
    [row] = studio.album.store.log.rows(LogFilter())
    assert (row.reason, row.human_label) == (None, "cat")


@pytest.mark.parametrize("by_hand", ["in place, then moved", "saved there, original removed"])
@pytest.mark.parametrize(
    ("folder", "word"),
    [("sorted/dog", "dog"), ("unsure", "withdrawn"), ("rejected", "never_use")],
)
def test_a_picture_edited_and_moved_in_one_go(
    studio: Studio, by_hand: str, folder: str, word: str
) -> None:
    """It is the picture it was: still drawn without regard to its class, on its side of the split,
    with what the model said of it, in one row; its sidecar goes after it."""
    path = studio.filed("a.jpg", "cat", 1)
    path.with_name("a.xmp").write_text("stars")
    studio.says(path, "label", "cat", drawn=True)
    [was] = studio.album.store.log.rows(LogFilter())
    new = made(studio.album.workspace.root / folder) / "a.jpg"
    if by_hand.startswith("in place"):
        in_place(path, picture(1, rating=5))
        path.rename(new)
    else:
        new.write_bytes(picture(1, rating=5))
        path.unlink()
    studio.look()
    assert studio.word(new) == (word, True)
    [row] = studio.album.store.log.rows(LogFilter())
    assert (row.id, row.label, row.confidence) == (was.id, "cat", was.confidence)
    assert studio.album.paths() == {f"{folder}/a.jpg"}
    assert new.with_name("a.xmp").read_text() == "stars"
    assert set(studio.album.store.labels.current()) == {sha256(new)}
    assert not studio.look().learned


def test_an_edit_and_another_name_in_one_go_say_nothing(studio: Studio) -> None:
    """It lies in its class as before: nobody has spoken of it; nor after a second edit."""
    path = studio.filed("a.jpg", "cat", 1)
    in_place(path, picture(1, rating=5))
    new = path.rename(path.with_name("best.jpg"))
    studio.look()
    assert studio.word(new) is None
    assert [row.label for row in studio.album.store.log.rows(LogFilter())] == ["cat"]
    in_place(new, picture(1, rating=4))
    studio.look()
    assert studio.word(new) is None


def test_an_edit_in_several_looks_and_a_move(studio: Studio) -> None:
    """Missing in one look, and there again, elsewhere, in the next."""
    path = studio.filed("a.jpg", "cat", 1)
    studio.says(path, "label", "cat", drawn=True)
    path.unlink()
    assert studio.look().missing == 1
    new = made(studio.album.workspace.root / "sorted/dog") / "a.jpg"
    new.write_bytes(picture(1, rating=5))
    studio.look()
    assert studio.word(new) == ("dog", True)


def test_another_picture_of_that_name_elsewhere_is_another(studio: Studio) -> None:
    """One was deleted, one was put there: nothing is handed on."""
    path = studio.filed("a.jpg", "cat", 1)
    studio.says(path, "label", "cat", drawn=True)
    path.unlink()
    new = made(studio.album.workspace.root / "sorted/dog") / "a.jpg"
    new.write_bytes(picture(2))
    studio.look()
    assert studio.word(new) == ("dog", False)
    assert len([*studio.album.store.log.rows(LogFilter())]) == 2


def test_which_of_two_it_was_is_not_guessed(studio: Studio) -> None:
    """Two that look alike and are called alike are gone, one is new."""
    for said in ("cat", "snake"):
        path = studio.filed("a.jpg", said, 1, taken=said)
        studio.says(path, "label", said, drawn=True)
        path.unlink()
    new = made(studio.album.workspace.root / "sorted/dog") / "a.jpg"
    new.write_bytes(picture(1, rating=5))
    studio.look()
    assert studio.word(new) == ("dog", False)
