"""The report: a page that stands alone, figures that are drawn, sentences that say what to do."""

import hashlib
import json
import re
import struct
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from imgsort.records.verdict import Verdict
from imgsort.trainer import report
from imgsort.trainer.dataset.population import WeightedShare
from imgsort.trainer.evaluation.comparison import Shares
from imgsort.trainer.evaluation.gate import Difference, GateVerdict
from imgsort.trainer.evaluation.learning_curve import Curve, CurvePoint
from imgsort.trainer.evaluation.lower_threshold import Relaxed
from imgsort.trainer.evaluation.metrics import Evaluation, evaluate
from imgsort.trainer.evaluation.results import (
    Cell,
    ClassFinding,
    Findings,
    Judged,
    MaterialCounts,
    Pictured,
    Target,
)
from imgsort.trainer.evaluation.unknown_classes import Strangers
from imgsort.trainer.report.charts import MOST_LINES, charted, charts, short
from imgsort.trainer.report.words import summary
from imgsort.workspace.config import DecodeSettings

NASTY = '<script>alert("$x$")</script>&'


def evaluation(labels: list[str], wrong: float, seed: int = 0) -> Evaluation:
    """Ten pictures a class; mistakes fall on the next class."""
    rng = np.random.default_rng(seed)
    truths, verdicts = [], []
    for at, truth in enumerate(labels):
        for _ in range(10):
            said = labels[(at + 1) % len(labels)] if rng.random() < wrong else truth
            confidence = float(rng.uniform(0.5, 1))
            decision = "filed" if confidence > 0.7 else "unsure"
            truths.append(truth)
            verdicts.append(Verdict(said, confidence, decision, None, ()))  # type: ignore[arg-type]
    return evaluate(truths, verdicts)


def shares(right: float, low: float, high: float) -> Shares:
    return Shares(
        WeightedShare(right, low, high), WeightedShare(0.6, 0.5, 0.7), WeightedShare(0.97, 0.9, 1.0)
    )


def findings(labels: list[str], folder: Path) -> Findings:
    """What a training on these classes could have found; one picture really lies in ``folder``."""
    picture = folder / "sorted" / "odd & <name>.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), np.full((30, 60, 3), (0, 0, 255), np.uint8))
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    shown = Pictured(sha256, picture, labels[0], labels[1], 0.93, filed=True)
    gone = Pictured("b" * 64, None, labels[1], labels[0], 0.61, filed=False)
    before, after = evaluation(labels, 0.3), evaluation(labels, 0.1, 1)
    f1 = ({each.label: each.f1 for each in one.classes} for one in (before, after))
    old, new = f1
    return Findings(
        version=2,
        champion=1,
        made_at="2026-11-22T12:00:00Z",
        backbone="efficientnet-lite0",
        precision="float32",
        recipe="one dense layer, L2 0.1, 40 steps",
        temperature=0.8,
        target_precision=0.95,
        judged_on="representative",
        material=MaterialCounts(500, 300, after.images, 2, 1, 0),
        classes=tuple(
            ClassFinding(name, "learned", 50, 30, 10, 0.8, 9, 7, new[name], old[name])
            for name in labels
        ),
        evaluation=after,
        champion_evaluation=before,
        shares=shares(0.9, 0.8, 0.95),
        champion_shares=shares(0.7, 0.6, 0.8),
        targets=(Target(0.9, 20, 2), Target(0.95, 15, 1), Target(0.98, 5, 0)),
        most_filed=18,
        optimism=0.01,
        unchecked_filed=0.0,
        unchecked_unsure=0.0,
        all_alike=False,
        retired=(),
        verdict=GateVerdict(
            *(True, True, after.images, 7, 9, 0),
            *(None, Difference(0.2, 0.1), Difference(0.1, 0.0)),
            *((), "The new one serves."),
        ),
        promoted=True,
        forced=False,
        curve=Curve(
            (CurvePoint(100, 0.7), CurvePoint(200, 0.8), CurvePoint(400, 0.9)), "yes", 0.1, 0.01
        ),
        strangers=Strangers(10, 1, 4, 200, 30),
        mistakes=(shown, gone),
        cells=(Cell(labels[0], labels[1], 2, (shown, gone)),),
        suspects=(gone,),
        judged=(Judged(sha256, labels[0], labels[1], 0.93, "nothing"),),
    )


class _References(HTMLParser):
    """Everything a page would fetch, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [
            value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}
        ]


def written(out: Path, found: Findings) -> None:
    """The report of a workspace that ``out`` lies in."""
    root = out.parent
    thumbnails = report.Thumbnails.of(found, DecodeSettings(workers=1), (root / "sorted",), ignore)
    report.write(out, found, root, thumbnails)


def ignore(done: int, total: int) -> None:
    pass


def png_size(content: bytes) -> tuple[int, int]:
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_the_page_stands_alone(tmp_path: Path) -> None:
    """The page fetches nothing, runs nothing, and shows names as they are, whatever is in them."""
    found = findings([NASTY, "dog", "蛇"], tmp_path)
    out = tmp_path / "report"
    out.mkdir()
    written(out, found)
    text = (out / "index.html").read_text(encoding="utf-8")
    references = _References()
    references.feed(text)
    assert "script" not in references.tags
    assert all(source.startswith("data:image/") for source in references.fetched)
    assert len(references.fetched) >= 6
    assert "&lt;script&gt;" in text
    assert "sorted/odd &amp; &lt;name&gt;.png" in text
    assert not re.search(r"https?://", text)


def test_the_folder_has_figures_and_numbers(tmp_path: Path) -> None:
    """Beside the page lie the figures as PNG and everything as JSON, paths as text."""
    found = findings(["cat", "dog", "snake"], tmp_path)
    out = tmp_path / "report"
    out.mkdir()
    written(out, found)
    names = {path.name for path in out.iterdir()}
    assert names == {
        *("index.html", "metrics.json", "confusion.png", "classes.png", "reliability.png"),
        *("coverage.png", "learning_curve.png", "mistakes.png", "judged.jsonl"),
    }
    lines = (out / "judged.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Judged(**json.loads(line)) for line in lines] == list(found.judged)
    numbers = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert numbers["summary"][0].startswith("The new one serves.")
    assert numbers["evaluation"]["accuracy"] == found.evaluation.accuracy
    assert numbers["mistakes"][0]["path"] == str(found.mistakes[0].path)


def test_another_picture_in_its_place_is_not_shown(tmp_path: Path) -> None:
    """Neither what was put there since, nor what a link leads to: a tile says that it is gone."""
    found = findings(["cat", "dog", "snake"], tmp_path)
    picture = found.mistakes[0].path
    assert picture is not None
    assert report.Thumbnails.of(found, DecodeSettings(workers=1), (), ignore).pixels
    kept = picture.rename(tmp_path / "kept.png")
    picture.symlink_to(kept)
    below = (tmp_path / "sorted",)
    assert not report.Thumbnails.of(found, DecodeSettings(workers=1), below, ignore).pixels
    picture.unlink()
    cv2.imwrite(str(picture), np.zeros((30, 60, 3), np.uint8))
    assert not report.Thumbnails.of(found, DecodeSettings(workers=1), below, ignore).pixels


@pytest.mark.parametrize("count", [2, 3, 20, 100])
def test_figures_keep_a_readable_size(tmp_path: Path, count: int) -> None:
    """The confusion matrix grows with the classes, but stays a picture one can look at."""
    drawn = charts(findings([f"class number {at}" for at in range(count)], tmp_path))
    width, height = png_size(drawn["confusion.png"])
    assert 250 < width < 2600
    assert 250 < height < 2600
    assert all(len(content) < 2_000_000 for content in drawn.values())
    assert png_size(drawn["classes.png"])[1] < 1100


def test_of_many_classes_those_that_need_a_look_are_charted(tmp_path: Path) -> None:
    """A class that lost is shown however good it still is, then the weakest; the page says so."""
    found = findings([f"class number {at}" for at in range(100)], tmp_path)
    classes = [
        replace(each, held_out=100, right=at, champion_right=0)
        for at, each in enumerate(found.classes)
    ]
    classes[99] = replace(classes[99], champion_right=100)
    found = replace(found, classes=tuple(classes))

    shown = [each.label for each in charted(found)]

    weakest = [f"class number {at}" for at in reversed(range(MOST_LINES - 1))]
    assert shown == ["class number 99", *weakest]
    out = tmp_path / "report"
    out.mkdir()
    written(out, found)
    assert "Shown are 30 of 100" in (out / "index.html").read_text(encoding="utf-8")


def test_long_names_are_told_apart_in_a_figure() -> None:
    """Species of a genus differ at the end of their names, so that is never what is left out."""
    names = [f"Lesser spotted woodpecker {at}" for at in range(100)]
    assert len({short(name) for name in names}) == 100
    assert max(len(short(name)) for name in names) == 24
    assert short("Red-bellied woodpecker") == "Red-bellied woodpecker"


def test_every_image_of_the_page_is_named(tmp_path: Path) -> None:
    """Whoever doesn't see a picture is told what it is; a figure above 32 classes is scrolled."""
    out = tmp_path / "report"
    out.mkdir()
    written(out, findings([f"class number {at}" for at in range(40)], tmp_path))
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]+"', page)) >= 6
    assert page.count('<div class="wide">') == 1


def test_drawing_disturbs_nobody(tmp_path: Path) -> None:
    """Drawing names the font doesn't have warns nobody, and the process's own style stays."""
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        charts(findings(["$a$", "ж", "貓"], tmp_path))
    assert dict(mpl.rcParams) == before


def test_the_summary_says_what_changed_and_what_to_do(tmp_path: Path) -> None:
    """Better, worse, lacking and doubtful are named, with numbers and pictures."""
    found = findings(["cat", "dog", "snake"], tmp_path)
    cat, dog, snake = found.classes
    found = replace(
        found,
        classes=(
            replace(cat, right=9, champion_right=7),
            replace(dog, right=6, champion_right=8, threshold=None),
            replace(snake, right=9, champion_right=9),
            ClassFinding("newt", "unlabelled", 0, 0, 0, 0.7, 0, 0, None, None),
        ),
    )
    text = "\n".join(summary(found, tmp_path))
    assert "provisional" in text
    assert "of all that arrives about 90% (80% to 95%)" in text
    assert "Better: cat (9 of 10, before 7)" in text
    assert "Worse: dog (6 of 10, before 8)" in text
    assert "their images go to unsure/: dog." in text
    assert "1 class without labels is told as the first model tells it" in text
    assert "a target_precision of 90% files 67%, 2 wrongly; 95% files 50%, 1 wrongly; 98%" in text
    assert "Would more labels help? Yes" in text
    assert "cat for dog 2 times (sorted/odd & <name>.png, a picture that is gone)" in text
    assert "1 label may be wrong" in text
    assert "Of 10 images that you took out of every class" in text


def test_what_the_first_model_could_file_is_told(tmp_path: Path) -> None:
    """With the line to type, on the terminal and on the page; not where nothing is to be gained."""
    found = findings(["cat", "dog"], tmp_path)
    more = replace(found, relaxed=Relaxed(0.45, 80, 79, 46, 100))
    told = (
        f"v{found.champion} could file more as it is: with confidence = 0.45 under [model] in "
        f"config.toml 80% of the 100 images that speak for all, 1 of them wrongly, instead of 46%."
    )
    assert told in list(summary(more, tmp_path))
    assert not any("could file more" in line for line in summary(found, tmp_path))
    out = tmp_path / "report"
    out.mkdir()
    written(out, more)
    assert told in (out / "index.html").read_text(encoding="utf-8")


def test_a_forced_model_is_called_so(tmp_path: Path) -> None:
    """A model that serves by force never looks like one that won."""
    found = findings(["cat", "dog"], tmp_path)
    found = replace(found, forced=True, verdict=replace(found.verdict, promoted=False))
    assert "because of --force" in next(summary(found, tmp_path))
    out = tmp_path / "report"
    out.mkdir()
    written(out, found)
    assert 'class="forced"' in (out / "index.html").read_text(encoding="utf-8")


def test_what_the_numbers_cannot_know_is_said(tmp_path: Path) -> None:
    """Who was not looked at, what is all alike, a goal that is missed: each with the next step."""
    found = replace(
        findings(["cat", "dog"], tmp_path),
        unchecked_unsure=0.31,
        all_alike=True,
        retired=("abacus", "abaya"),
        target_precision=0.999,
    )
    text = "\n".join(summary(found, tmp_path))
    assert "31% of what arrived went to unsure/" in text
    assert "`imgsort audit 30 --unsure`" in text
    assert "one fixed camera?" in text
    assert "Below your goal" in text
    assert "the 2 names of ImageNet that you don't use are retired" in text
    out = tmp_path / "report"
    out.mkdir()
    written(out, found)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "31% of what arrived went to unsure/" in page


def test_each_picture_is_shown_once(tmp_path: Path) -> None:
    """A mistake that stands among the doubtful labels is not shown a second and third time."""
    found = findings(["cat", "dog"], tmp_path)
    found = replace(found, suspects=found.mistakes)
    out = tmp_path / "report"
    out.mkdir()
    written(out, found)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("<figure") == len(found.mistakes)
    assert "shown above" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"judged_on": "all"}, "None of these images was labelled without picking"),
        ({"unchecked_filed": 0.2}, "20% of what arrived was filed under classes that nobody"),
        ({"unchecked_filed": 0.04, "unchecked_unsure": 0.04}, None),
    ],
)
def test_what_nobody_looked_at_is_said_where_it_is_much(
    tmp_path: Path, changes: dict[str, Any], said: str | None
) -> None:
    """With the cheapest next step; less than a twentieth of what arrives is not worth a word."""
    known = replace(findings(["cat", "dog", "snake"], tmp_path), target_precision=0.1)
    more = set(summary(replace(known, **changes), tmp_path)) - set(summary(known, tmp_path))
    assert len(more) == (said is not None)
    assert all(said is not None and said in line and "`imgsort " in line for line in more)


def test_goals_are_told_on_the_page(tmp_path: Path) -> None:
    """What other target precisions would file and get wrong, and what hindsight would file."""
    out = tmp_path / "report"
    out.mkdir()
    written(out, findings(["cat", "dog", "snake"], tmp_path))
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "with hindsight 18 of 30 could be filed" in page
    assert "15 of 30 (50%)" in page
