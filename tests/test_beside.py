"""`make bench`: the table leaves nobody out, and every figure stands for all the pictures."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.beside.contender import CONTENDERS, LITE, Contender
from benchmarks.beside.contest import Row, Terms, contest
from benchmarks.beside.pictures import from_folder, generated, lay_out
from benchmarks.beside.running import PROGRAMS
from benchmarks.beside.table import as_dict, draw, lines

PICTURES, ROUNDS = 3, 2
PROGRAM = """
import hashlib, os, sys, time
sys.path.insert(0, {programs!r})
from answering import Skipped, serve, timed

def prepare(settings):
    print("a library prints this")
    {preparing}

    def judge(folder):
        files = sorted(folder.iterdir())
        seen = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        with open(settings["seen"], "a") as told:
            print(*seen, file=told)
        answers = {{path.name: one for path, one in zip(files, seen)}}
        {judging}
        return answers

    return timed(judge), "a program"

serve(prepare)
"""


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> "Maker":
    return Maker(tmp_path)


class Maker:
    """Writes real programs, and lets them compete."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def contender(
        self, name: str, preparing: str = "pass", judging: str = "pass", *packages: str
    ) -> Contender:
        program = self._place / f"{name}.py"
        program.write_text(
            PROGRAM.format(programs=str(PROGRAMS), preparing=preparing, judging=judging)
        )
        settings = {"seen": str(self.seen(name))}
        return Contender(name, str(program), "net", "float32", "much", settings, packages)

    def seen(self, name: str) -> Path:
        return self._place / f"{name}.seen"

    def rows(self, *contenders: Contender, install: bool = False, longest: float = 60) -> list[Row]:
        terms = Terms(generated(PICTURES), ROUNDS, self._place / "kept", install, longest)
        return contest(contenders, terms, self._place / "run")


def test_all_get_the_same_pictures_which_nobody_has_seen_before(made: Maker) -> None:
    """In each round every contender reads the same bytes, and other bytes in every other round."""
    rows = made.rows(made.contender("one"), made.contender("other"))
    assert [len(row.rates) for row in rows] == [ROUNDS, ROUNDS]
    assert made.seen("one").read_text() == made.seen("other").read_text()
    contents = made.seen("one").read_text().split()
    assert len(set(contents)) == PICTURES * (ROUNDS + 1)  # with the round that warms up


@pytest.mark.parametrize(
    ("preparing", "judging", "reason"),
    [
        ("pass", "answers.popitem()", "it answered for 2 of 3 pictures"),
        ("pass", "answers['another.jpg'] = 'cat'", "for 1 that it was not given"),
        ("raise Skipped('this CPU can not')", "pass", "this CPU can not"),
        ("import no_such_library", "pass", "No module named 'no_such_library'"),
        ("pass", "raise ValueError('no picture')", "ValueError: no picture"),
        ("pass", "if 'round2' in folder.name: os._exit(7)", "it ended with status 7: a library"),
        ("pass", "if 'round1' in folder.name: time.sleep(60)", "no answer within 3 s"),
    ],
)
def test_who_fails_is_in_the_table_with_the_reason(
    preparing: str, judging: str, reason: str, made: Maker
) -> None:
    """A contender that fails, whenever it does, has no figure but a reason; the others go on."""
    good = made.contender("good")
    rows = made.rows(made.contender("failing", preparing, judging), good, longest=3)
    table = as_dict(rows, rounds=ROUNDS)
    failed, others = table["rows"]
    assert reason in failed["skipped"]
    assert "median" not in failed
    assert failed["images_per_second"] == []
    assert others["skipped"] is None
    assert len(others["images_per_second"]) == ROUNDS
    told = "\n".join(lines(table))
    assert "| failing | net | skipped |" in told
    assert reason in told
    assert "| good | net | " in told


def test_what_is_not_installed_is_told(made: Maker) -> None:
    """--skip-install leaves nobody out of the table."""
    (row,) = made.rows(made.contender("needy", "pass", "pass", "torch"))
    assert row.skipped == "not installed, and --skip-install was given"


@pytest.mark.slow
def test_what_pip_can_not_install_is_told(made: Maker, tmp_path: Path) -> None:
    """A contender whose installation fails is skipped; the next run tries again."""
    needy = made.contender("needy", "pass", "pass", str(tmp_path / "no-such-package"))
    good = made.contender("good")
    rows = made.rows(needy, good, install=True)
    assert rows[0].skipped == "pip could not install it; pip.log has its words"
    assert rows[1].skipped is None
    assert not [*(tmp_path / "kept" / "venv").glob("has-*")]


def test_figures_are_medians_with_their_spread(tmp_path: Path) -> None:
    """Rates, medians, extremes and ratios are those of the rounds; the chart shows skipped ones."""
    ours = Contender("imgsort, float32", "", "net", "float32", "nothing")
    theirs = Contender("theirs", "", "net", "float32", "much")
    absent = Contender("absent", "", "net", "float32", "much")
    rows = [
        Row(ours, "1", [30.0, 50.0, 40.0]),
        Row(theirs, "2", [10.0, 25.0, 16.0]),
        Row(absent, skipped="no disk"),
    ]
    table = json.loads(json.dumps(as_dict(rows)))
    second = table["rows"][1]
    assert (second["least"], second["median"], second["most"]) == (10.0, 16.0, 25.0)
    assert second["imgsort_is_times_as_fast"] == 2.5  # of 3, 2 and 2.5: ratios are of one round
    assert "imgsort_is_times_as_fast" not in table["rows"][2]
    draw(table, tmp_path / "table.png")
    with Image.open(tmp_path / "table.png") as chart:
        assert chart.width > 500


def test_pictures_are_500_pixels(tmp_path: Path) -> None:
    """Generated ones and those of a folder alike, and each file of a round has its own content."""
    Image.new("RGB", (3000, 2000)).save(tmp_path / "large.png")
    for pictures in (generated(2), from_folder(tmp_path, 2)):
        number = len([*tmp_path.iterdir()])
        names = lay_out(pictures, tmp_path / f"folder{number}", number)
        paths = [*(tmp_path / f"folder{number}").iterdir()]
        assert {path.name for path in paths} == names
        assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}) == 2
        for path in paths:
            with Image.open(path) as picture:
                assert max(picture.size) == 500


def test_everybody_is_asked_for_the_whole_of_it() -> None:
    """Each contender says what it leaves out; only imgsort leaves out nothing."""
    assert all((PROGRAMS / one.program).is_file() for one in CONTENDERS)
    assert {one.leaves_out == "nothing" for one in CONTENDERS if "imgsort" in one.name} == {True}
    assert all(one.leaves_out != "nothing" for one in CONTENDERS if "imgsort" not in one.name)


@pytest.mark.slow
def test_those_that_need_no_installation_answer_for_every_picture(tmp_path: Path) -> None:
    """imgsort, the bare network, Keras and the watchdog script: a result for each picture."""
    wanted = ("imgsort, float32", "the bare network", "Keras", "watchdog")
    taking_part = [
        one
        for one in CONTENDERS
        if one.name.startswith(wanted) and (one.network == LITE or "imgsort" not in one.name)
    ]
    terms = Terms(generated(8), 1, tmp_path / "kept")
    rows = contest(taking_part, terms, tmp_path / "run")
    assert len(rows) == len(taking_part) >= 4
    assert [row.skipped for row in rows] == [None] * len(rows)
    assert all(len(row.rates) == 1 for row in rows)
