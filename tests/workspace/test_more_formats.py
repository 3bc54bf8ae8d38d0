"""JPEG 2000, TGA and Netpbm on the whole way: inbox, folders, import, classify."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsort.care.heartbeat import read_status
from imgsort.care.status import status_of
from imgsort.daemon.service import run as service
from imgsort.images.outcome import Picture
from imgsort.images.thumbnails import views
from imgsort.models.classify import classify, pictures_in
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.workspace.config import load_config
from imgsort.workspace.workspace import Workspace
from tests.album import new_album
from tests.desk import Desk

ON = '[decode]\nmore_formats = ["jpeg2000", "tga", "netpbm"]\n'
NAMES = ("a.jp2", "b.J2K", "c.tga", "d.ppm", "e.pgm")


def made(folder: Path) -> Path:
    """A picture of each name."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 60, 3), np.uint8)
        mode = "L" if name.endswith("pgm") else "RGB"
        form = {".jp2": "JPEG2000", ".J2K": "JPEG2000", ".tga": "TGA"}.get(name[1:], "PPM")
        Image.fromarray(pixels).convert(mode).save(folder / name, form)
        os.utime(folder / name, (1_700_000_000, 1_700_000_000 + number))
    return folder


def test_unasked_they_stay_and_are_named_and_asked_for_they_are_judged(
    workspace: Workspace,
) -> None:
    """With their sidecars; one that is cut short is rejected with the reason."""
    made(workspace.inbox)
    (workspace.inbox / "a.xmp").write_text("<x/>")

    left = service.run(workspace, once=True)
    assert left.images == 0
    assert left.left_for_kind == {"jpeg2000": 2, "tga": 1, "netpbm": 2, "other": 1}
    assert '2 JPEG 2000, 1 TGA, 2 Netpbm (to be read with "jpeg2000", "tga", "netpbm" in' in str(
        left
    )

    looked = replace(status_of(workspace, read_status(workspace.status_file)), pid=1)
    assert dict(looked.lines())["could be read"].startswith("2 JPEG 2000, 1 TGA, 2 Netpbm (to be")

    with workspace.config_file.open("a") as file:
        file.write(f"{ON}[watch]\nreject_seconds = 0.1\n")
    whole = (workspace.inbox / "c.tga").read_bytes()
    (workspace.inbox / "cut.tga").write_bytes(whole[:2000])
    asked = Workspace.open(workspace.root)
    done = service.run(asked, once=True)
    assert (done.images, done.rejected, dict(done.left_for_kind)) == (6, 1, {})
    with Store.open(asked.database, root=asked.root) as store:
        rows = {row.name: row for row in store.log.rows(LogFilter())}
    assert rows["cut.tga"].reason == "the file is cut short"
    assert set(rows) == {*NAMES, "cut.tga"}
    assert (workspace.root / rows["a.jp2"].path).with_suffix(".xmp").exists()
    assert list(asked.inbox.rglob("*")) == []


@pytest.mark.parametrize("config", ["", ON])
def test_classify_and_views_follow_what_is_switched_on(
    workspace: Workspace, tmp_path: Path, config: str
) -> None:
    """A folder's pictures are those that can be read; one that is named is judged or refused."""
    with workspace.config_file.open("a") as file:
        file.write(config)
    workspace = Workspace.open(workspace.root)
    folder = made(tmp_path / "scans")
    found = pictures_in([folder], workspace.config.decode.suffixes)
    assert len(found) == (len(NAMES) if config else 0)
    answers = list(classify(workspace, [folder / "a.jp2", folder / "c.tga"]))
    assert Counter(one.verdict is not None for one in answers) == {bool(config): 2}
    [seen] = views([folder / "d.ppm"], 30, workspace.config.decode)
    assert isinstance(seen, Picture) == bool(config)


def test_an_import_takes_them_or_says_what_it_takes(tmp_path: Path) -> None:
    """Rather than to say that there is no picture."""
    data = made(tmp_path / "data" / "cat").parent
    refused = Desk.at(tmp_path / "off").type("import", data)
    assert refused.code == 1
    assert '2 JPEG 2000, 1 TGA, 2 Netpbm (to be read with "jpeg2000"' in refused.err
    desk = Desk.at(tmp_path / "on", ON)
    said = desk.type("import", data)
    assert said.code == 0, said.err
    assert len(desk.tree()) == len(NAMES)
    assert desk.log("SELECT DISTINCT format FROM images ORDER BY 1") == [
        *(("JPEG2000",), ("PPM",), ("TGA",))
    ]


@pytest.mark.parametrize(("config", "words"), [("", 0), (ON, len(NAMES))])
def test_put_into_a_class_by_hand_they_are_labels_if_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, words: int
) -> None:
    """What imgsort can't open teaches nothing; off, it is no picture."""
    monkeypatch.setattr("imgsort.reconcile.adoption.SETTLE_SECONDS", -1.0)
    with new_album(tmp_path / "photos") as album:
        album.filed("first.jpg")
        album.workspace.config_file.write_text(config)
        workspace = Workspace(album.workspace.root, load_config(album.workspace.config_file))
        made(workspace.sorted / "cat")
        switched = type(album)(workspace, album.store)
        switched.look()
        assert len(switched.words()) == words
