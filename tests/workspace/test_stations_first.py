"""Stations before classes: ``sorted/A/cat`` and ``sorted/B/cat``, and what people do there."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from imgsort.filing import recover
from imgsort.reconcile import adoption
from imgsort.reconcile.apply import ReconcileSummary, reconcile_folders
from imgsort.store.layouts import layout_of
from imgsort.workspace.workspace import Workspace
from tests.album import made
from tests.desk import Desk

BY_FOLDER = '[filing]\ntemplate = "{folder1}/{label}/{name}"\n'
BY_WAY = '[filing]\ntemplate = "{subfolder}/{label}/{name}"\n'


@pytest.fixture(
    params=[BY_FOLDER, pytest.param(BY_WAY, marks=pytest.mark.slow)], ids=["folder1", "subfolder"]
)
def desk(request: pytest.FixtureRequest, tmp_path: Path, at_once: None) -> Desk:
    """Three cats and two dogs at station A, two cats at B."""
    desk = Desk.at(tmp_path / "photos", request.param)
    desk.file("A/cat-1.jpg", "A/cat-2.jpg", "A/cat-3.jpg", "A/dog-1.jpg", "A/dog-2.jpg")
    desk.file("B/cat-4.jpg", "B/cat-5.jpg")
    assert not look(desk).notices
    return desk


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "COPY_SECONDS", 0.0)
    monkeypatch.setattr(adoption, "SETTLE_SECONDS", 0.0)


def look(desk: Desk) -> ReconcileSummary:
    with desk.store() as store:
        seen = reconcile_folders(desk.workspace, store, None)
    assert desk.agrees() or seen.missing or seen.notices
    return seen


def words(desk: Desk) -> dict[str, str | None]:
    return {name: word for name, (word, _, _) in desk.labels().items()}


def with_template(desk: Desk, template: str) -> Desk:
    config = desk.workspace.config_file
    config.write_text(f'[filing]\ntemplate = "{template}"\n')
    return Desk(Workspace.open(desk.workspace.root))


def move(desk: Desk, before: str, after: str) -> None:
    target = desk.workspace.sorted / after
    made(target.parent)
    (desk.workspace.sorted / before).rename(target)


def test_pictures_are_filed_by_station_and_class(desk: Desk) -> None:
    """And nothing of that looks as if a person had done it."""
    assert desk.tree()[:2] == ["sorted/A/cat/cat-1.jpg", "sorted/A/cat/cat-2.jpg"]
    assert desk.tree()[-1] == "sorted/B/cat/cat-5.jpg"
    assert not desk.labels()
    counted = {one["name"]: one["pictures"] for one in desk.type("classes", "--json").json}
    assert (counted["cat"], counted["dog"]) == (5, 2)


@pytest.mark.parametrize("station", ["A", "B", "C"])
def test_another_class_in_any_station_is_a_correction(desk: Desk, station: str) -> None:
    """Once, and to the class of that name."""
    move(desk, "A/cat/cat-1.jpg", f"{station}/dog/cat-1.jpg")
    assert look(desk).labelled == 1
    assert words(desk) == {"cat-1.jpg": "dog"}
    assert not look(desk).learned


@pytest.mark.parametrize("place", ["B/cat/cat-1.jpg", "C/cat/cat-1.jpg", "A/cat/nice/cat-1.jpg"])
def test_the_same_class_elsewhere_is_only_a_move(desk: Desk, place: str) -> None:
    """In another station, or in a folder within the class."""
    move(desk, "A/cat/cat-1.jpg", place)
    seen = look(desk)
    assert (seen.moved, seen.labelled, seen.notices) == (1, 0, ())
    assert not desk.labels()


def test_a_renamed_station_says_nothing(desk: Desk) -> None:
    """Its pictures lie elsewhere, as the same classes, and nobody has to read them for that."""
    (desk.workspace.sorted / "A").rename(desk.workspace.sorted / "C")
    seen = look(desk)
    assert (seen.moved, seen.labelled, seen.renamed, seen.retired) == (5, 0, (), ())
    assert not desk.labels()
    assert not look(desk).learned


@pytest.mark.parametrize("name", ["lynx", "dog"])
def test_a_class_folder_renamed_in_one_station_corrects_its_pictures(desk: Desk, name: str) -> None:
    """While the class has a folder elsewhere: to a new class, or to one there is."""
    shutil.rmtree(desk.workspace.sorted / "A" / "dog")
    look(desk)
    (desk.workspace.sorted / "A" / "cat").rename(desk.workspace.sorted / "A" / name)
    seen = look(desk)
    assert (seen.labelled, seen.renamed) == (3, ())
    assert words(desk) == dict.fromkeys(["cat-1.jpg", "cat-2.jpg", "cat-3.jpg"], name)
    assert "sorted/B/cat/cat-4.jpg" in desk.tree()


def test_a_class_renamed_in_every_station_is_renamed(desk: Desk) -> None:
    """No label for any of its pictures, its labels follow, and undo finds its way."""
    desk.type("label", "cat-5.jpg", "dog")
    desk.type("label", "cat-1.jpg", "cat")
    for station in "AB":
        folder = desk.workspace.sorted / station / "cat"
        folder.rename(folder.with_name("kitten"))
    seen = look(desk)
    assert (seen.renamed, seen.labelled) == (("cat -> kitten",), 0)
    assert words(desk) == {"cat-1.jpg": "kitten", "cat-5.jpg": "dog"}
    assert desk.type("undo", "--path", desk.workspace.sorted / "B/dog/cat-5.jpg").code == 0
    assert "sorted/B/kitten/cat-5.jpg" in desk.tree()
    assert desk.agrees()


def test_new_pictures_in_class_folders_are_labelled_by_them(desk: Desk) -> None:
    """Of a known or a new class, in a known or a new station, and in a class's folder that somebody
    made right in sorted/."""
    for place in ("A/cat", "A/lynx", "C/dog", "dog"):
        path = made(desk.workspace.sorted / place) / f"{place.replace('/', '-')}.jpg"
        path.write_text(place)
    assert look(desk).adopted == 4
    expected = {"A-cat.jpg": "cat", "A-lynx.jpg": "lynx", "C-dog.jpg": "dog", "dog.jpg": "dog"}
    assert words(desk) == expected


def test_a_picture_put_into_a_station_by_hand_stays_in_it(desk: Desk) -> None:
    """It counts as that station's, whatever it is called later."""
    Image.new("RGB", (64, 48), "green").save(made(desk.workspace.sorted / "C/cat") / "mine.jpg")
    look(desk)
    assert desk.log("SELECT subfolder FROM arrivals WHERE name = 'mine.jpg'") == [("C",)]
    assert desk.type("label", "mine.jpg", "dog").code == 0
    assert "sorted/C/dog/mine.jpg" in desk.tree()


def test_a_picture_out_of_unsure_into_a_new_class(desk: Desk) -> None:
    """A new folder in a station makes a class once a picture lies in it; an empty one doesn't."""
    desk.file("A/unsure-cat-1.jpg")
    made(desk.workspace.sorted / "A" / "lynx")
    look(desk)
    assert "lynx" not in desk.type("classes").out
    (desk.workspace.unsure / "unsure-cat-1.jpg").rename(desk.workspace.sorted / "A/lynx/u.jpg")
    assert look(desk).labelled == 1
    assert words(desk) == {"unsure-cat-1.jpg": "lynx"}


def test_what_cannot_be_told_is_asked_and_no_label(desk: Desk) -> None:
    """Loose in a station, or in two classes at once: at every look until it is clear."""
    move(desk, "A/cat/cat-1.jpg", "A/cat-1.jpg")
    move(desk, "A/cat/cat-2.jpg", "dog/cat/cat-2.jpg")
    for _ in range(2):
        seen = look(desk)
        assert seen.labelled == 0
        assert "2 pictures lie where it can't be told which of their folders is the class" in (
            " ".join(seen.notices)
        )
    assert not desk.labels()
    move(desk, "A/cat-1.jpg", "A/cat/cat-1.jpg")
    assert desk.type("label", "cat-2.jpg", "dog").code == 0
    assert not look(desk).notices
    assert words(desk)["cat-2.jpg"] == "dog"
    assert "sorted/A/dog/cat-2.jpg" in desk.tree()


def test_a_class_emptied_in_all_stations_is_retired(desk: Desk) -> None:
    """Not while one of its folders is there."""
    for one in (1, 2):
        move(desk, f"A/dog/dog-{one}.jpg", f"A/cat/dog-{one}.jpg")
    made(desk.workspace.sorted / "B" / "dog")
    look(desk)
    (desk.workspace.sorted / "A" / "dog").rmdir()
    assert look(desk).retired == ()
    (desk.workspace.sorted / "B" / "dog").rmdir()
    assert look(desk).retired == ("dog",)


def test_a_class_folder_of_few_pictures_renamed_corrects_them(desk: Desk) -> None:
    """Two dogs prove no renamed class: they are lynxes now, and the empty class is retired."""
    folder = desk.workspace.sorted / "A" / "dog"
    folder.rename(folder.with_name("lynx"))
    seen = look(desk)
    assert (seen.labelled, seen.renamed, seen.retired) == (2, (), ("dog",))
    assert words(desk) == {"dog-1.jpg": "lynx", "dog-2.jpg": "lynx"}


def test_rename_renames_the_folders_of_all_stations(desk: Desk) -> None:
    """And undo gives them their name back, with what was labelled meanwhile."""
    said = desk.type("classes", "rename", "cat", "kitten", "--json")
    assert said.code == 0
    assert "sorted/A/kitten/cat-1.jpg" in desk.tree()
    assert "sorted/B/kitten/cat-5.jpg" in desk.tree()
    assert not look(desk).learned
    assert not desk.labels()
    assert desk.type("undo", "--run", said.json["run"]).code == 0
    assert "sorted/A/cat/cat-1.jpg" in desk.tree()
    assert not look(desk).learned
    assert desk.agrees()


@pytest.mark.parametrize(
    "failpoint", ["class-renamed-in-log", "class-folder-renamed", "class-folder-renamed:2"]
)
def test_a_rename_that_was_killed_is_completed(desk: Desk, failpoint: str) -> None:
    """After any number of folders: no half of a class is taken for corrected."""
    killed = subprocess.run(
        [sys.executable, "-m", "imgsort", "classes", "rename", "cat", "kitten"],
        cwd=desk.workspace.root,
        env=os.environ | {"IMGSORT_FAILPOINT": failpoint},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    for _ in range(2):
        assert look(desk).labelled == 0
    assert {path for path in desk.tree() if "kitten" in path} == {
        *(f"sorted/A/kitten/cat-{one}.jpg" for one in (1, 2, 3)),
        *(f"sorted/B/kitten/cat-{one}.jpg" for one in (4, 5)),
    }
    assert desk.agrees()
    assert not desk.labels()


def test_a_rename_waits_for_a_station_that_is_away(desk: Desk) -> None:
    """Nothing is renamed by halves."""
    station = desk.workspace.sorted / "B"
    station.rename(desk.workspace.root / "away")
    made(station)
    with desk.store() as store, store.files.write() as connection:
        connection.exec_driver_sql("UPDATE arrivals SET dev = 4711 WHERE path LIKE 'sorted/B/%'")
    said = desk.type("classes", "rename", "cat", "kitten")
    assert said.code != 0
    assert "can't be reached; put it back (mount its disk?)" in said.err
    assert "sorted/A/cat/cat-1.jpg" in desk.tree()


def test_merge_brings_the_pictures_of_every_station(desk: Desk) -> None:
    """To the other class of their station; undo brings them back and the class too."""
    desk.type("label", "cat-4.jpg", "cat")
    said = desk.type("classes", "merge", "cat", "dog", "--json")
    assert (said.json["moved"], said.json["labels"]) == (5, 1)
    assert "sorted/B/dog/cat-5.jpg" in desk.tree()
    assert not (desk.workspace.sorted / "A" / "cat").exists()
    assert words(desk) == {"cat-4.jpg": "dog"}
    assert desk.type("undo", "--run", said.json["run"]).code == 0
    assert "sorted/B/cat/cat-5.jpg" in desk.tree()
    assert words(desk) == {"cat-4.jpg": "cat"}
    assert not look(desk).learned
    assert desk.agrees()


def test_a_retired_class_keeps_its_pictures_in_every_station(desk: Desk) -> None:
    """They stay, and say nothing."""
    before = desk.tree()
    assert desk.type("classes", "retire", "cat").code == 0
    assert not look(desk).learned
    assert desk.tree() == before
    assert desk.type("classes", "restore", "cat").code == 0


def test_confirming_a_station_labels_each_picture_as_its_class(desk: Desk) -> None:
    """A class is looked through as a whole once all its stations are."""
    assert desk.type("confirm", "sorted/A").code == 0
    assert words(desk) == {f"cat-{one}.jpg": "cat" for one in (1, 2, 3)} | {
        "dog-1.jpg": "dog",
        "dog-2.jpg": "dog",
    }
    drawn = {name: representative for name, (_, _, representative) in desk.labels().items()}
    assert drawn["dog-1.jpg"]
    assert not drawn["cat-1.jpg"]
    assert desk.type("confirm", "cat").code == 0
    assert all(representative for _, _, representative in desk.labels().values())


def test_label_and_undo_stay_within_the_station(desk: Desk) -> None:
    """A picture is brought to the class of its own station, and back."""
    desk.type("label", "cat-4.jpg", "dog")
    assert "sorted/B/dog/cat-4.jpg" in desk.tree()
    assert desk.type("undo", "--last").code == 0
    assert "sorted/B/cat/cat-4.jpg" in desk.tree()
    assert desk.agrees()


def test_undo_brings_back_into_a_retired_class_that_still_has_its_folder(desk: Desk) -> None:
    """Else a slip there could not be taken back: the word would stay, and teach."""
    assert desk.type("classes", "retire", "cat").code == 0
    desk.type("label", desk.workspace.sorted / "A/cat/cat-1.jpg", "dog")
    assert desk.workspace.sorted.joinpath("A/dog/cat-1.jpg").exists()
    assert desk.type("undo", "--last").code == 0
    assert desk.workspace.sorted.joinpath("A/cat/cat-1.jpg").exists()
    assert "cat-1.jpg" not in desk.labels()


def test_a_station_whose_disk_is_away_loses_nothing(desk: Desk) -> None:
    """A naked mount point: nothing in it is missing, no class is given up, nothing is put there."""
    away = desk.workspace.root / "away"
    sorted_ = desk.workspace.sorted
    with desk.store() as store, store.files.write() as connection:
        connection.exec_driver_sql("UPDATE arrivals SET dev = 4711 WHERE path LIKE 'sorted/B/%'")
        connection.exec_driver_sql("UPDATE arrivals SET dev = 4711 WHERE path LIKE 'sorted/A/dog%'")
    (sorted_ / "B").rename(away)
    made(sorted_ / "B")
    shutil.move(sorted_ / "A" / "dog", away / "dog of A")
    made(sorted_ / "A" / "dog")
    seen = look(desk)
    assert (seen.missing, seen.labelled, seen.retired) == (0, 0, ())
    assert "2 folders are empty because their disk isn't mounted" in seen.notices[0]
    desk.file("B/cat-6.jpg", "A/dog-3.jpg")
    assert (desk.workspace.inbox / "B/cat-6.jpg").exists()
    assert (desk.workspace.inbox / "A/dog-3.jpg").exists()


def test_stations_that_are_all_away_lose_nothing(desk: Desk) -> None:
    """As after a start without any of their disks; sorted/ itself has never held a picture."""
    with desk.store() as store, store.files.write() as connection:
        connection.exec_driver_sql("UPDATE arrivals SET dev = 4711")
        connection.exec_driver_sql("UPDATE classes SET folder_dev = 4711")
    for station in "AB":
        (desk.workspace.sorted / station).rename(desk.workspace.root / station)
        made(desk.workspace.sorted / station)
    seen = look(desk)
    assert (seen.missing, seen.labelled, seen.retired) == (0, 0, ())
    desk.file("B/cat-6.jpg")
    assert (desk.workspace.inbox / "B/cat-6.jpg").exists()


def test_an_emptied_folder_is_no_lost_disk_because_numbers_have_changed(desk: Desk) -> None:
    """After a restart disks may have other numbers."""
    with desk.store() as store, store.files.write() as connection:
        connection.exec_driver_sql("UPDATE arrivals SET dev = 4711")
    for one in (4, 5):
        move(desk, f"B/cat/cat-{one}.jpg", f"A/dog/cat-{one}.jpg")
    seen = look(desk)
    assert (seen.missing, seen.labelled, seen.notices) == (0, 2, ())


@pytest.mark.parametrize(
    "before", ["{label}/{name}", "{label}/{folder1}/{name}", "{label}/{year}/{month}/{name}"]
)
def test_pictures_of_an_earlier_template_are_understood(
    tmp_path: Path, at_once: None, before: str
) -> None:
    """As the classes they were filed as; a correction of one counts, bringing one into the new
    order says nothing."""
    desk = with_template(Desk.at(tmp_path / "photos"), before)
    desk.file("A/cat-1.jpg", "A/cat-2.jpg", "A/cat-3.jpg", "A/dog-1.jpg")
    look(desk)
    old = {path.rpartition("/")[2]: path.removeprefix("sorted/") for path in desk.tree()}
    desk = with_template(desk, "{folder1}/{label}/{name}")
    desk.file("A/cat-4.jpg")
    seen = look(desk)
    assert (seen.learned, seen.notices) == (False, ())
    counted = {one["name"]: one["pictures"] for one in desk.type("classes", "--json").json}
    assert (counted["cat"], counted["dog"]) == (4, 1)
    move(desk, old["cat-1.jpg"], "A/cat/cat-1.jpg")
    move(desk, old["cat-2.jpg"], "A/dog/cat-2.jpg")
    move(desk, old["cat-3.jpg"], old["cat-3.jpg"].replace("cat/", "dog/", 1))
    look(desk)
    assert words(desk) == {"cat-2.jpg": "dog", "cat-3.jpg": "dog"}


@pytest.mark.parametrize("after", ["{label}/{name}", "{label}/{folder1}/{name}"])
def test_back_to_an_order_with_the_class_first(desk: Desk, after: str) -> None:
    """The stations' folders are still no classes."""
    desk = with_template(desk, after)
    desk.file("A/cat-6.jpg")
    seen = look(desk)
    assert (seen.learned, seen.notices) == (False, ())
    assert {one["name"] for one in desk.type("classes", "--json").json} == {"cat", "dog", "snake"}
    move(desk, "A/cat/cat-1.jpg", "A/dog/cat-1.jpg")
    move(desk, "A/cat/cat-2.jpg", "dog/cat-2.jpg")
    look(desk)
    assert words(desk) == {"cat-1.jpg": "dog", "cat-2.jpg": "dog"}


def test_an_old_class_folder_that_was_renamed_makes_no_class_of_a_station(
    tmp_path: Path, at_once: None
) -> None:
    """cat/A, under the new order, is not the class A of a station kitten."""
    desk = with_template(Desk.at(tmp_path / "photos"), "{label}/{camera}/{name}")
    desk.file("A/cat-1.jpg")
    look(desk)
    desk = with_template(desk, "{folder1}/{label}/{name}")
    (desk.workspace.sorted / "cat").rename(desk.workspace.sorted / "kitten")
    assert look(desk).labelled == 0
    assert not desk.labels()


def test_what_the_log_has_lost_is_found_as_its_class(desk: Desk) -> None:
    """rebuild-db takes the pictures as filed into the classes of their stations, nobody's word."""
    before = desk.tree()
    desk.workspace.database.unlink()
    for leftover in desk.workspace.state.glob("imgsort.db-*"):
        leftover.unlink()
    said = desk.type("rebuild-db")
    assert said.code == 0, said.err
    assert desk.tree() == before
    rows = desk.log(
        "SELECT a.name, c.name FROM arrivals AS a JOIN classes AS c ON c.id = a.class_id"
    )
    assert sorted(rows) == [
        *((f"cat-{one}.jpg", "cat") for one in range(1, 6)),
        *((f"dog-{one}.jpg", "dog") for one in (1, 2)),
    ]
    assert not desk.labels()


def test_the_layout_is_plain_until_a_template_has_put_stations_first(tmp_path: Path) -> None:
    """Whoever never did keeps the first folder as the class, whatever it is called."""
    desk = Desk.at(tmp_path / "photos")
    desk.file("A/cat-1.jpg")
    with desk.store() as store:
        recover(desk.workspace, store)
        assert layout_of(desk.workspace, store).reading is None
