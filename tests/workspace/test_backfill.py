"""An archive of real files, judged where it lies by a real model, and taken into the log."""

import csv
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from imgsort.workspace.workspace import Workspace
from tests.archives import each_once, in_units_of, pictures, query, rows, torn
from tests.cli_runner import Answer, asked, daemon_of, imgsort, wait_for

pytest.importorskip("pyarrow", reason="imgsort[backfill] is not installed")


@pytest.fixture
def photos(workspace: Workspace) -> Workspace:
    return in_units_of(workspace, 16)


@pytest.fixture
def archive(tmp_path: Path) -> list[Path]:
    """Forty small pictures."""
    return pictures(tmp_path / "archive", 40)


def backfill(workspace: Workspace, *arguments: str | Path) -> Answer:
    return asked("-C", workspace.root, "backfill", *arguments)


def test_every_picture_gets_the_row_that_the_daemon_would_give_it(
    photos: Workspace, test_data: Path, tmp_path: Path
) -> None:
    """Same label, same confidence, same decision and reason; unreadable ones as rejected."""
    photographs = sorted((test_data / "cats_dogs_snakes").rglob("*.*"))[::14]
    archive = tmp_path / "archive"
    archive.mkdir()
    for path in photographs:
        shutil.copy(path, archive / f"{path.parent.name}-{path.name}")
    (archive / "broken.jpg").write_bytes(photographs[0].read_bytes()[:900])
    said = backfill(photos, archive, "--job", "trial", "--json")
    assert said.code == 0, said.err
    for path in archive.iterdir():
        shutil.copy(path, photos.inbox)
    with daemon_of(photos.root):
        count = "SELECT count(*) FROM prediction_log"
        wait_for(lambda: query(photos, count) == [(len(photographs) + 1,)], "the last picture")
    statement = "SELECT name, label, confidence, decision, reason, reason_code FROM prediction_log"
    by_daemon = {tuple(row) for row in query(photos, statement)}
    names = ("label", "confidence", "decision", "reason", "reason_code")
    by_backfill = {
        (Path(row["path"]).name, *(row[name] for name in names)) for row in rows(photos, "trial")
    }
    assert by_backfill == by_daemon
    assert said.json["rejected"] == 1
    assert said.json["pictures"] == len(photographs) + 1


def test_the_report_is_in_plain_words(photos: Workspace, archive: list[Path]) -> None:
    """How many of each, why some were rejected, how fast, and where the results are."""
    archive[3].write_bytes(b"<html>no picture")
    said = backfill(photos, archive[0].parents[1], "--job", "trial", "--log", "none")
    assert said.code == 0
    assert "40 of 40 pictures of" in said.out
    assert "1 rejected." in said.out
    assert "rejected 1: the content is a web page" in said.out
    assert f"Results: {photos.backfill}/trial/parts/*.parquet" in said.out
    assert query(photos, "SELECT count(*) FROM archive_log") == [(0,)]


def test_the_same_command_goes_on(photos: Workspace, archive: list[Path]) -> None:
    """Only units without a part are judged; and where there is none, exit 4 says so."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder).code == 0
    (job,) = (path.parent.name for path in photos.backfill.glob("*/job.json"))
    before = rows(photos, job)
    parts = photos.backfill / job / "parts"
    (parts / "part-000001.parquet").unlink()
    (parts / ".part-000001.parquet.0123456789ab").touch()
    kept = (parts / "part-000000.parquet").stat()
    again = backfill(photos, folder, "--json")
    assert (again.code, again.json["judged"], again.json["units"]) == (0, 16, 1)
    assert (parts / "part-000000.parquet").stat() == kept
    assert rows(photos, job) == before
    assert torn(photos, job) == []
    third = backfill(photos, folder)
    assert third.code == 4
    assert "Every unit was done already." in third.out


def test_shards_do_a_job_together(photos: Workspace, archive: list[Path]) -> None:
    """Each its own units; the last of them finds nothing left, and one `ingest` takes all in."""
    folder = archive[0].parents[1]
    for shard in ("1/2", "2/2"):
        said = backfill(photos, folder, "--job", "shared", "--shard", shard)
        assert said.code == 0
        assert "imgsort backfill ingest shared" in said.err
    assert each_once(photos, "shared", archive)
    assert query(photos, "SELECT count(*) FROM archive_log") == [(0,)]
    assert backfill(photos, "ingest", "shared").code == 0
    assert query(photos, "SELECT count(DISTINCT path) FROM archive_log") == [(40,)]


def test_another_model_does_not_go_on_with_a_job(photos: Workspace, archive: list[Path]) -> None:
    """What differs is named, and nothing is run."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--job", "trial").code == 0
    (photos.backfill / "trial/parts/part-000000.parquet").unlink()
    text = photos.config_file.read_text()
    photos.config_file.write_text(text.replace("[model]\n", "[model]\nconfidence = 0.9\n", 1))
    said = backfill(photos, folder, "--job", "trial")
    assert said.code == 1
    assert "was begun otherwise (the model's thresholds" in said.err
    other = backfill(photos, folder.parent, "--job", "trial")
    assert (other.code, "the source was" in other.err) == (1, True)
    limited = backfill(photos, folder, "--job", "trial", "--limit", "3")
    assert "--limit was None, now 3" in limited.err
    assert not (photos.backfill / "trial/parts/part-000000.parquet").exists()


def test_what_had_changed_is_read_by_retry(photos: Workspace, archive: list[Path]) -> None:
    """A picture that is another than was listed, or gone, isn't judged as what it was."""
    folder = archive[0].parents[1]
    listing = folder.parent / "list.csv"
    lines = [f"{path},{path.stat().st_size}" for path in archive]
    listing.write_text("\n".join(["path,size", *lines, f"{folder}/late.jpg,"]) + "\n")
    shutil.copy(archive[1], folder / "kept.jpg")
    archive[1].write_bytes(archive[2].read_bytes() + b"more")
    said = backfill(photos, listing, "--job", "trial", "--json")
    assert said.code == 0
    assert (said.json["changed"], said.json["unread"]) == (1, 1)
    assert "imgsort backfill retry trial" in said.err
    shutil.copy(archive[5], folder / "late.jpg")
    again = backfill(photos, "retry", "trial", "--json")
    assert again.code == 0
    assert (again.json["changed"], again.json["unread"], again.json["pictures"]) == (0, 0, 41)
    assert backfill(photos, "ingest", "trial", "--json").json["parts"] == 2
    taken = query(photos, "SELECT count(*), count(DISTINCT path), count(sha256) FROM archive_log")
    assert taken == [(41, 41, 41)]


def test_a_disk_that_is_gone_is_no_row_of_lost_pictures(
    photos: Workspace, archive: list[Path], tmp_path: Path
) -> None:
    """Its units are left out and named, exit 1; once it is back `retry` judges them."""
    folder = archive[0].parents[1]
    listing = tmp_path / "list.csv"
    listing.write_text("path\n" + "".join(f"{path}\n" for path in archive[:32]))
    folder.rename(tmp_path / "away")
    said = backfill(photos, listing, "--job", "trial")
    assert said.code == 1
    assert "None of the 16 pictures of unit 0 can be read" in said.err
    assert rows(photos, "trial") == []
    state = backfill(photos, "status", "trial", "--json").json
    assert (state["failed"], state["left"], state["done"]) == ([0, 1], 0, 0)
    (tmp_path / "away").rename(folder)
    assert backfill(photos, "retry", "trial").code == 0
    assert each_once(photos, "trial", archive[:32])


def test_the_log_has_each_part_once(photos: Workspace, archive: list[Path]) -> None:
    """However often it is taken in; the same content at two places is one image, two rows."""
    shutil.copy(archive[0], archive[0].with_name("twin.jpg"))
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--job", "trial").code == 0
    assert backfill(photos, "ingest", "trial").code == 4
    assert query(photos, "SELECT count(*) FROM archive_log WHERE job = 'trial'") == [(41,)]
    assert query(photos, "SELECT count(*) FROM images") == [(40,)]
    assert query(photos, "SELECT count(*) FROM predictions") == [(40,)]
    assert query(photos, "SELECT count(*) FROM archive_parts") == [(3,)]


def test_a_part_from_elsewhere_is_left_out(photos: Workspace, archive: list[Path]) -> None:
    """By name, with exit 1; the others are taken in."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--job", "trial", "--log", "none").code == 0
    assert backfill(photos, folder, "--job", "other", "--log", "none").code == 0
    parts = photos.backfill / "trial/parts"
    shutil.copy(photos.backfill / "other/parts/part-000001.parquet", parts)
    cut = parts / "part-000002.parquet"
    cut.write_bytes(cut.read_bytes()[:200])
    said = backfill(photos, "ingest", "trial", "--json")
    assert said.code == 1
    assert (said.json["parts"], len(said.json["refused_parts"])) == (1, 2)
    assert "part-000001.parquet is no part of this job" in said.err
    assert query(photos, "SELECT count(*) FROM archive_log") == [(16,)]


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_an_archive_is_filed_through_the_journal(
    photos: Workspace, archive: list[Path], mode: str
) -> None:
    """Once each, as the daemon files; and `undo` brings back what was moved."""
    folder = archive[0].parents[1]
    contents = {path: path.read_bytes() for path in archive}
    said = backfill(photos, folder, "--job", "trial", "--file", mode)
    assert said.code == 0, said.err
    count = "SELECT count(*), count(DISTINCT sha256) FROM prediction_log"
    assert query(photos, count) == [(40, 40)]
    filed = [path for place in (photos.sorted, photos.unsure) for path in place.rglob("*.jpg")]
    assert sorted(path.read_bytes() for path in filed) == sorted(contents.values())
    assert all(path.exists() == (mode == "copy") for path in archive)
    assert query(photos, "SELECT DISTINCT mode FROM moves") == [(mode,)]
    assert backfill(photos, folder, "--job", "trial", "--file", mode).code == 4
    assert query(photos, count) == [(40, 40)]
    run_id = query(photos, "SELECT DISTINCT run_id FROM moves")[0][0]
    if mode == "move":
        assert asked("-C", photos.root, "undo", "--run", str(run_id)).code == 0
        assert not any(photos.sorted.rglob("*.jpg"))
    assert {path: path.read_bytes() for path in archive} == contents


def test_what_changed_since_it_was_judged_is_not_filed(
    photos: Workspace, archive: list[Path]
) -> None:
    """Its class would be another picture's."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--job", "trial", "--log", "none").code == 0
    archive[0].write_bytes(archive[1].read_bytes())
    said = backfill(photos, "ingest", "trial", "--file", "copy", "--json")
    assert (said.code, said.json["filed"], said.json["stayed"]) == (1, 39, 1)
    assert "it changed since it was judged" in said.err


def test_a_list_of_our_own_pictures_files_none_again(
    photos: Workspace, archive: list[Path], tmp_path: Path
) -> None:
    """What lies in sorted/ or unsure/ stays where it is, whatever names it."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--job", "first", "--file", "move").code == 0
    filed = [path for place in (photos.sorted, photos.unsure) for path in place.rglob("*.jpg")]
    listing = tmp_path / "own.csv"
    listing.write_text("path\n" + "".join(f"{path}\n" for path in filed))
    said = backfill(photos, listing, "--job", "own", "--file", "move")
    assert (said.code, "it lies in this workspace already" in said.err) == (1, True)
    assert all(path.exists() for path in filed)
    assert query(photos, "SELECT count(*) FROM arrivals") == [(40,)]


def test_a_folder_that_became_a_link_is_not_followed(
    photos: Workspace, archive: list[Path], tmp_path: Path
) -> None:
    """Between the listing and the reading: its pictures are told as not read."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--job", "trial", "--log", "none").code == 0
    (photos.backfill / "trial/parts/part-000000.parquet").unlink()
    archive[0].parent.rename(tmp_path / "elsewhere")
    archive[0].parent.symlink_to(tmp_path / "elsewhere")
    said = backfill(photos, folder, "--job", "trial", "--log", "none")
    assert (said.code, "None of the 16 pictures of unit 0 can be read" in said.err) == (1, True)


def test_a_dry_run_writes_nothing(photos: Workspace, archive: list[Path]) -> None:
    said = backfill(photos, archive[0].parents[1], "--dry-run", "--json")
    size = sum(path.stat().st_size for path in archive)
    assert (said.code, said.json["pictures"], said.json["size"]) == (0, 40, size)
    assert not photos.backfill.exists()


def test_a_limit_is_a_job_of_its_own(photos: Workspace, archive: list[Path]) -> None:
    """So that a trial of the first ten doesn't stand in the way of the rest."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--limit", "10", "--json").json["pictures"] == 10
    assert backfill(photos, folder, "--json").json["pictures"] == 40


def test_embeddings_are_kept_where_they_are_asked_for(
    photos: Workspace, archive: list[Path]
) -> None:
    """As half floats, of the backbone's width, for the pictures that could be read."""
    archive[0].write_bytes(b"no picture")
    assert backfill(photos, archive[0].parents[1], "--job", "wide", "--embeddings").code == 0
    widths = {len(row["embedding"] or ()) for row in rows(photos, "wide")}
    assert len(widths) == 2
    assert min(widths) == 0
    assert max(widths) >= 1280


def test_odd_names_come_back_byte_for_byte(photos: Workspace, tmp_path: Path) -> None:
    """In the parts, in the log, and in the folders where they are filed."""
    (one,) = pictures(tmp_path / "made", 1)
    archive = tmp_path / "archive"
    archive.mkdir()
    names = [b"caf\xe9.jpg", b"new\nline.jpg", "Zoë '\"$.jpg".encode()]
    for number, name in enumerate(names):
        content = one.read_bytes() + bytes([number])
        Path(os.fsdecode(os.fsencode(archive) + b"/" + name)).write_bytes(content)
    assert backfill(photos, archive, "--job", "odd", "--file", "copy").code == 0
    exact = {os.fsencode(archive) + b"/" + name for name in names}
    assert {row["path_bytes"] for row in rows(photos, "odd")} == exact
    assert {row[0] for row in query(photos, "SELECT path_bytes FROM archive_pictures")} == exact
    assert {row[0] for row in query(photos, "SELECT name_bytes FROM arrivals")} == set(names)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["gone"], 1, "doesn't exist; name a folder"),
        (["empty"], 4, "There is no picture in"),
        (["a.jpg"], 2, "is a file; a list of pictures ends in"),
        (["photos/sorted"], 2, "is this workspace's own, and its pictures are sorted already"),
        (["photos"], 2, "is this workspace's own"),
        (["archive", "--job", "../x"], 2, "A job can't be called"),
        (["archive", "--shard", "9/3"], 2, "--shard takes a part such as"),
        (["archive", "--shard", "1/3", "--file", "copy"], 2, "A shard can't file"),
        (["s3://pics", "--file", "move"], 2, "Pictures behind an address can't be filed"),
        (["status", "nothing"], 1, "There is no backfill job nothing; there is none yet"),
        (["nosuch://x"], 1, "Addresses of nosuch:// can't be read"),
    ],
)
def test_bad_input_gets_a_sentence(
    photos: Workspace, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """With the exit code that says whose fault it is, and nothing left behind."""
    (tmp_path / "empty").mkdir()
    pictures(tmp_path / "archive", 1)
    (tmp_path / "a.jpg").touch()
    places = [
        str(tmp_path / one) if (tmp_path / one).exists() or one == "gone" else one
        for one in arguments
    ]
    answer = backfill(photos, *places)
    assert (answer.code, said in answer.err) == (code, True), answer.err
    assert not any(path.is_dir() for path in photos.backfill.glob("*"))


def test_a_move_of_very_many_wants_a_word_more(photos: Workspace, tmp_path: Path) -> None:
    """Of 100,001 pictures, which a list names and nobody has: nothing is judged before."""
    listing = tmp_path / "list.csv"
    with listing.open("w", newline="") as file:
        csv.writer(file).writerows([["path"], *([f"/gone/{n}.jpg"] for n in range(100_001))])
    said = backfill(photos, listing, "--job", "many", "--file", "move")
    assert (said.code, "add --yes" in said.err) == (2, True)
    assert not list((photos.backfill / "many/parts").iterdir())


def test_status_tells_of_thousands_of_units_at_once(photos: Workspace, archive: list[Path]) -> None:
    """Under a second for 10,000 units, from the folder alone."""
    folder = archive[0].parents[1]
    assert backfill(photos, folder, "--job", "trial", "--log", "none").code == 0
    card_file = photos.backfill / "trial/job.json"
    card = json.loads(card_file.read_text())
    card_file.write_text(json.dumps({**card, "pictures": 160_016}))
    parts = photos.backfill / "trial/parts"
    for unit in range(3, 10_000):
        os.link(parts / "part-000000.parquet", parts / f"part-{unit:06d}.parquet")
    backfill(photos, "status", "trial")
    began = time.process_time()
    state = backfill(photos, "status", "trial", "--json").json
    took = time.process_time() - began
    assert (state["units"], state["done"], state["left"]) == (10_001, 10_000, 1)
    assert took < 1


@pytest.fixture
def without_extras(tmp_path: Path) -> dict[str, str]:
    """An environment in which pyarrow can't be imported."""
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import importlib.util as util, sys\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'pyarrow' else find(name, *rest)\n"
    )
    return {"PYTHONPATH": f"{hook}:{os.environ.get('PYTHONPATH', '')}"}


def test_what_is_not_installed_is_named(
    photos: Workspace, archive: list[Path], without_extras: dict[str, str]
) -> None:
    """With the line that installs it."""
    said = imgsort("-C", photos.root, "backfill", archive[0].parent, env=without_extras)
    assert said.code == 1
    assert 'run `pip install "imgsort[backfill]"`' in said.err


def test_a_bomb_and_an_odd_lot_are_rejected_with_reasons(
    photos: Workspace, test_data: Path, tmp_path: Path
) -> None:
    """Hundreds of hostile files: exit 0, each one row, a reason in words for each rejected."""
    store = test_data / "hostile.tar.gz"
    if not store.is_file():
        pytest.skip(f"no hostile.tar.gz in {test_data}")
    folder = tmp_path / "hostile"
    folder.mkdir()
    subprocess.run(["tar", "xzf", store, "-C", folder], check=False, capture_output=True)
    said = backfill(photos, folder, "--job", "hostile", "--json")
    assert said.code == 0, said.err
    found = rows(photos, "hostile")
    assert len(found) == said.json["pictures"] > 100
    assert all(row["reason"] for row in found if row["decision"] == "rejected")
    assert said.json["rejected"] > 20
    assert said.json["unread"] == 0


def test_help_shows_the_ways_to_use_it() -> None:
    """`imgsort backfill` alone shows them; what `backfill SOURCE` takes is one word away."""
    shown = asked("backfill", "--help").out
    assert all(word in shown for word in ("status", "ingest", "retry", "start"))
    assert "--shard" in asked("backfill", "start", "--help").out
