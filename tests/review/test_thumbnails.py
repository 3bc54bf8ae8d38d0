"""What the page shows of a picture, and what it never does."""

import asyncio
import importlib
import io
import sqlite3
import struct
import threading
import time
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgsort.review.thumbnails import SIDES, Gallery
from imgsort.store.thumbnail_file import ThumbnailFile
from tests.review.visitor import Review, photograph, review_of

POLYGLOT = b"<html><script>alert(1)</script></html>"


def seen(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    return image


@pytest.mark.parametrize("side", SIDES)
def test_a_picture_is_made_anew(review: Review, side: int) -> None:
    """A JPEG that fits, in the picture's proportions, with nothing of the file's own bytes."""
    original = Image.new("RGB", (800, 400), (200, 40, 90))
    written = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    original.save(written, "JPEG", exif=exif, comment=POLYGLOT)
    digest = review.file("cat-1.jpg", written.getvalue() + POLYGLOT)
    answer = review.visitor.ask("GET", f"/thumb/{digest}?s={side}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert seen(answer.content).size == (min(side, 800), min(side, 800) // 2)
    assert b"alert" not in answer.content
    assert b"where I live" not in answer.content
    same = {"if-none-match": answer.headers["etag"]}
    assert review.visitor.ask("GET", f"/thumb/{digest}?s={side}", headers=same).status_code == 304


def test_only_what_the_log_knows_is_shown(review: Review) -> None:
    """A file that lies in the workspace, and a hash that is none, are answered alike: 4xx."""
    unknown = photograph("unknown")
    (review.desk.workspace.sorted / "there.jpg").write_bytes(unknown)
    assert review.visitor.ask("GET", f"/thumb/{'0' * 64}").status_code == 404
    for odd in ("%2e%2e", "%2e%2e%2fetc", "A" * 64, "a" * 63, "a" * 65, "a" * 10_000, "%00"):
        answer = review.visitor.ask("GET", f"/thumb/{odd}")
        assert answer.status_code in {400, 404}, odd
    digest = review.file("cat-1.jpg")
    for side in ("0", "191", "100000", "-1", "x", "1" * 5000, "192.5", "٣"):
        assert review.visitor.ask("GET", f"/thumb/{digest}?s={side}").status_code == 400, side


def nothing_is_seen(review: Review, digest: str, state: str) -> str:
    """The grey pixel; and the reason that the page shows beside it."""
    answer = review.visitor.ask("GET", f"/thumb/{digest}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.headers["x-imgsort-state"] == state
    assert answer.headers["cache-control"] == "no-store"
    assert Image.open(io.BytesIO(answer.content)).size == (1, 1)
    told = review.visitor.ask("GET", f"/api/thumb/{digest}").json()
    assert told["state"] == state
    return str(told["reason"])


def test_a_link_in_a_folder_is_not_followed(review: Review, tmp_path: Path) -> None:
    """A picture of the log that was swapped for a link to another file, or a folder that was."""
    digest = review.file("cat-1.jpg")
    path = review.path_of("cat-1.jpg")
    elsewhere = path.rename(tmp_path / "same-content.jpg")
    path.symlink_to(elsewhere)
    nothing_is_seen(review, digest, "unreadable")
    path.unlink()
    path.parent.rename(tmp_path / "cat")
    path.parent.symlink_to(tmp_path / "cat")
    (tmp_path / "cat" / "cat-1.jpg").write_bytes(elsewhere.read_bytes())
    nothing_is_seen(review, digest, "unreadable")


def test_another_picture_in_its_place_is_not_shown(review: Review) -> None:
    """By content, not by name."""
    digest = review.file("cat-1.jpg")
    review.path_of("cat-1.jpg").write_bytes(photograph("another"))
    nothing_is_seen(review, digest, "changed")
    review.path_of("cat-1.jpg").unlink()
    nothing_is_seen(review, digest, "gone")


def test_another_file_of_the_same_content_is_shown(review: Review) -> None:
    """Where one of two was replaced."""
    digest = review.file("cat-1.jpg", photograph("both"))
    assert review.file("cat-2.jpg", photograph("both")) == digest
    review.path_of("cat-2.jpg").write_bytes(photograph("another"))
    assert seen(review.visitor.ask("GET", f"/thumb/{digest}").content).size == (96, 96)


def bomb() -> bytes:
    """A PNG of a few kB that says it has 100 megapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 30_001, 9) * 2
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bomb(), id="bomb"),
        pytest.param(POLYGLOT, id="html"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', id="svg"),
        pytest.param(photograph("cut short")[:300], id="cut short"),
        pytest.param(b"", id="empty"),
        pytest.param(b"GIF89a" + POLYGLOT, id="polyglot"),
    ],
)
def test_what_is_no_picture_is_grey_with_the_reason(review: Review, content: bytes) -> None:
    """And its neighbours are seen."""
    digest, other = review.file("cat-1.jpg", content), review.file("cat-2.jpg")
    reason = nothing_is_seen(review, digest, "unreadable")
    assert reason
    assert "Traceback" not in reason
    assert seen(review.visitor.ask("GET", f"/thumb/{other}").content).size == (96, 96)


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "hooks")
    return importlib.import_module("decoder_hooks")


@pytest.mark.parametrize("hook", ["crash_on_magic", "hang_on_magic"])
def test_what_crashes_the_decoder_is_tried_twice_at_most(
    tmp_path: Path, hooks: Any, hook: str
) -> None:
    """However often it is looked at, and in whichever size; its neighbours are seen meanwhile."""
    written = io.BytesIO()
    Image.new("RGB", (64, 64), hooks.MAGIC).save(written, "PNG")
    config = "[decode]\nworkers = 1\ntimeout_seconds = 1.0\n"
    with review_of(tmp_path / "photos", config) as review:
        bad, good = review.file("cat-1.png", written.getvalue()), review.file("cat-2.jpg")
        with Gallery(review.desk.workspace, review.host.store, getattr(hooks, hook)) as gallery:

            async def looked(side: int) -> list[str | None]:
                found = await asyncio.gather(*(gallery.get(one, side) for one in (bad, good, bad)))
                return [one.state if one else None for one in found]

            for side in (192, 384, 192):
                assert asyncio.run(looked(side)) == ["unreadable", "here", "unreadable"]
            assert gallery.rebuilt() == 2


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    """Derived data: what can't be read is thrown away without a word."""
    path = tmp_path / "thumbnails.db"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with ThumbnailFile(path, 10**6) as kept:
        kept.put("a" * 64, 192, b"jpeg")
        assert kept.get("a" * 64, 192) == b"jpeg"
        assert kept.get("a" * 64, 384) is None
    with ThumbnailFile(path, 10**6) as again:
        assert again.get("a" * 64, 192) == b"jpeg"


def test_the_cache_keeps_to_its_limit(tmp_path: Path) -> None:
    """The oldest make room; 0 keeps none and makes no file."""
    path = tmp_path / "thumbnails.db"
    with ThumbnailFile(path, 10_000) as kept:
        for number in range(50):
            kept.put(f"{number:064x}", 192, bytes(1000))
        assert kept.get(f"{0:064x}", 192) is None
        assert kept.get(f"{49:064x}", 192) == bytes(1000)
    with closing(sqlite3.connect(path)) as file:
        assert 8_000 <= file.execute("SELECT sum(size) FROM thumbnails").fetchone()[0] <= 10_000
    with ThumbnailFile(tmp_path / "none.db", 0) as none:
        none.put("a" * 64, 192, b"jpeg")
        assert none.get("a" * 64, 192) is None
    assert not (tmp_path / "none.db").exists()


def test_a_second_look_decodes_nothing(review: Review) -> None:
    """Not even after a restart, and not when the picture's disk is away."""
    digest = review.file("cat-1.jpg")
    first = review.visitor.ask("GET", f"/thumb/{digest}").content
    review.path_of("cat-1.jpg").unlink()
    assert review.visitor.ask("GET", f"/thumb/{digest}").content == first
    with Gallery(review.desk.workspace, review.host.store) as again:
        found = asyncio.run(again.get(digest, 192))
        assert found is not None
        assert found.jpeg == first


def decoders() -> int:
    """Worker processes, each of which has a thread here."""
    return sum(one.name.startswith("decoder-") for one in threading.enumerate())


def test_workers_are_let_go_when_nobody_looks(review: Review) -> None:
    """After a while without a picture; whoever looks then has them back, and sees it."""
    digests = [review.file(f"cat-{number}.jpg") for number in range(3)]
    before = decoders()

    async def looked() -> None:
        with Gallery(review.desk.workspace, review.host.store, idle_seconds=0.3) as gallery:
            for digest in digests:
                found = await gallery.get(digest, 192)
                assert found is not None
                assert found.state == "here"
                assert decoders() > before
                deadline = time.monotonic() + 30
                while decoders() > before:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)

    asyncio.run(looked())


def test_the_first_asked_for_is_the_first_shown(review: Review) -> None:
    """What the keyboard stands on isn't kept waiting by the rest of its sheet."""
    digests = [review.file(f"cat-{number}.jpg") for number in range(20)]
    came: list[str] = []

    async def look(gallery: Gallery, digest: str) -> None:
        await gallery.get(digest, 192)
        came.append(digest)

    async def sheet() -> None:
        with Gallery(review.desk.workspace, review.host.store) as gallery:
            async with asyncio.TaskGroup() as every:
                for digest in digests:
                    every.create_task(look(gallery, digest))
                    await asyncio.sleep(0.05)

    asyncio.run(sheet())
    assert came[0] in digests[:4]
    assert came[-1] in digests[-4:]


def test_forty_at_once_are_all_shown(review: Review) -> None:
    """A whole sheet, asked for together; who leaves meanwhile keeps nobody waiting."""
    digests = [review.file(f"cat-{number}.jpg") for number in range(40)]

    async def sheet() -> list[str]:
        gallery = review.host.thumbnails
        left = [asyncio.ensure_future(gallery.get(digest, 384)) for digest in digests]
        await asyncio.sleep(0)
        for one in left:
            one.cancel()
        found = await asyncio.gather(*(gallery.get(digest, 192) for digest in digests))
        return [one.state for one in found if one is not None]

    assert asyncio.run(sheet()) == ["here"] * 40
