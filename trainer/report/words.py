"""What the numbers mean, in sentences: for the terminal and for the page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from imgsort.display import display
from imgsort.trainer.evaluate import Evaluation
from imgsort.trainer.findings import Cell, ClassFinding, Curve, Findings, Pictured, Strangers
from imgsort.trainer.gate import FEWEST

NOTABLE = 0.005
"""A change of a class's F1 below this is none."""
_MOST, _MOST_PICTURES = 6, 3


def summary(findings: Findings, root: Path) -> Iterator[str]:
    """The report on a terminal. Pictures below ``root`` are named from there."""
    yield verdict(findings)
    yield scores(findings)
    yield from could_file(findings)
    better, worse = changes(findings.classes)
    if better:
        yield f"Better: {_changed(better)}."
    if worse:
        yield f"Worse: {_changed(worse)}."
    yield from wishes(findings.classes)
    yield would_help(findings.curve)
    if findings.cells:
        yield (
            "Taken for another: "
            + "; ".join(_cell(cell, root) for cell in findings.cells[:3])
            + "."
        )
    yield suspected(findings.suspects, root)
    yield from foreign(findings.strangers)


def verdict(findings: Findings) -> str:
    """Which model serves now, and why."""
    sentence = findings.verdict.sentence
    if findings.forced:
        return f"v{findings.version} serves because of --force. Without it: {sentence}"
    trial = (
        f" The test was small ({findings.verdict.images} images), so this is provisional."
        if findings.verdict.provisional
        else ""
    )
    return f"{sentence}{trial}"


def scores(findings: Findings) -> str:
    """How many are right, and how many are filed."""
    new, before = findings.evaluation, findings.champion_evaluation
    where = (
        f"Of {new.images} test images that it never saw"
        if findings.judged_on == "held-out"
        else f"Of {new.images} labelled images, each judged by a model that hadn't seen it,"
    )
    return (
        f"{where} the new model recognises {_of(right_of(new), new.images)} "
        f"(v{findings.champion}: {_of(right_of(before), before.images)}). "
        f"It files {_filed(new)}; v{findings.champion} {_filed(before)}."
    )


def could_file(findings: Findings) -> Iterator[str]:
    """What a lower threshold would do for the first model."""
    relaxed = findings.relaxed
    if relaxed is None:
        return
    wrong = relaxed.filed - relaxed.right
    yield (
        f"v{findings.champion} could file more as it is: with confidence = "
        f"{relaxed.confidence:.2f} under [model] in config.toml "
        f"{relaxed.filed / relaxed.images:.0%} of the {relaxed.images} images that speak for all, "
        f"{wrong or 'none'} of them wrongly, instead of {relaxed.before / relaxed.images:.0%}."
    )


def right_of(evaluation: Evaluation) -> int:
    return round(evaluation.accuracy * evaluation.images)


def _of(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})"


def _filed(evaluation: Evaluation) -> str:
    if not evaluation.filed:
        return "none of them"
    wrong = evaluation.filed - evaluation.filed_right
    errors = "none wrongly" if not wrong else f"{wrong} wrongly"
    return f"{evaluation.filed / evaluation.images:.0%} of them, {errors}"


def changes(
    classes: Sequence[ClassFinding],
) -> tuple[tuple[ClassFinding, ...], tuple[ClassFinding, ...]]:
    """What got better, what got worse: the largest change first."""
    judged = [each for each in classes if each.f1 is not None]
    judged.sort(key=lambda each: -abs(change(each)))
    better = tuple(each for each in judged if change(each) > NOTABLE)
    return better, tuple(each for each in judged if change(each) < -NOTABLE)


def change(each: ClassFinding) -> float:
    return (each.f1 or 0.0) - (each.champion_f1 or 0.0)


def _changed(classes: Sequence[ClassFinding]) -> str:
    named = [
        f"{each.label} (F1 {each.champion_f1 or 0:.2f} to {each.f1 or 0:.2f}, "
        f"{each.held_out} test image{_s(each.held_out)})"
        for each in classes[:_MOST]
    ]
    return _listed(named, len(classes))


def wishes(classes: Sequence[ClassFinding]) -> Iterator[str]:
    """Which classes need labels, and about how many."""
    labelled = [each for each in classes if each.labels]
    unlearned = [each for each in labelled if each.standing != "learned"]
    if unlearned:
        named = [f"{e.label} ({_more(e.labels_lacking or 1)})" for e in unlearned[:_MOST]]
        yield f"Not learned yet for want of labels: {_listed(named, len(unlearned))}."
    seconded = [each for each in classes if each.seconded]
    if seconded:
        named = [f"{e.label} ({_wanted(e)})" for e in seconded[:_MOST]]
        yield (
            f"Filed only where the first model agrees, until there are labels enough: "
            f"{_listed(named, len(seconded))}."
        )
    learned = [each for each in classes if each.standing == "learned" and each.threshold is None]
    lacking = [each for each in learned if each.labels_lacking is not None]
    if lacking:
        named = [f"{e.label} ({_more(e.labels_lacking or 1)})" for e in lacking[:_MOST]]
        yield (
            f"Not told surely enough to be filed; their images go to unsure/: "
            f"{_listed(named, len(lacking))}."
        )
    hopeless = [each.label for each in learned if each.labels_lacking is None]
    if hopeless:
        yield (
            f"Mistaken even where the model is surest, so that labels of the same kind won't do: "
            f"{_listed(hopeless[:_MOST], len(hopeless))}; are their labels right, and are they "
            f"two classes in one?"
        )
    kept = sum(each.standing == "kept" and not each.labels for each in classes)
    if kept:
        yield (
            f"{kept:,} class{'es' if kept > 1 else ''} without labels "
            f"{'keep their' if kept > 1 else 'keeps its'} old score."
        )


def _wanted(each: ClassFinding) -> str:
    if each.labels_lacking is None:
        return "even its surest are mistaken too often"
    return _more(each.labels_lacking)


def _more(labels: int) -> str:
    return f"about {labels} more label{_s(labels)}"


def would_help(curve: Curve | None) -> str:
    """Would more labels help?"""
    if curve is None:
        return "Would more labels help? There are too few yet to tell."
    last, before = curve.points[-1], curve.points[-2]
    brought = (
        f"going from {before.labels:,} to {last.labels:,} labels took the right answers from "
        f"{before.accuracy:.1%} to {last.accuracy:.1%}"
    )
    match curve.helps:
        case "yes":
            more = f"Yes: {brought}, so as many again should bring about half of that"
        case "no":
            more = f"Hardly: {brought}; look after the confusions and the doubtful labels instead"
        case _:
            more = f"Too few test images to tell: {brought}"
    return f"Would more labels help? {more}."


def _cell(cell: Cell, root: Path) -> str:
    pictures = ", ".join(_named(each, root) for each in cell.pictures[:_MOST_PICTURES])
    return f"{cell.truth} for {cell.said} {cell.images} time{_s(cell.images)} ({pictures})"


def suspected(suspects: Sequence[Pictured], root: Path) -> str:
    """Labels that are probably wrong."""
    if not suspects:
        return "No label looks wrong."
    named = [
        f"{_named(each, root)} (labelled {each.truth}, looks like {each.said})"
        for each in suspects[:_MOST_PICTURES]
    ]
    count = len(suspects)
    return (
        f"{count} label{_s(count)} may be wrong, the most doubtful first: {_listed(named, count)}."
    )


def foreign(strangers: Strangers) -> Iterator[str]:
    """How many pictures of nothing known would be filed?"""
    if strangers.aside:
        yield (
            f"Of {strangers.aside:,} images that you took out of every class, the new model would "
            f"file {strangers.aside_filed:,} (before: {strangers.aside_filed_before:,})."
        )
    if strangers.left_out:
        yield (
            f"Images of a class it doesn't know: about "
            f"{strangers.left_out_filed / strangers.left_out:.0%} would be filed, wrongly "
            f"(tried with each of the classes in turn)."
        )


def missing_words(findings: Findings) -> str | None:
    """What the test lacks, or None."""
    if findings.verdict.images >= FEWEST:
        return None
    return (
        f"Only {findings.verdict.images} of the {FEWEST} test images that a fair comparison needs "
        f"are there, so take the numbers with salt."
    )


def _named(picture: Pictured, root: Path) -> str:
    return place(picture.path, root) or "a picture that is gone"


def place(path: Path | None, root: Path) -> str | None:
    """A path as it is shown: from the workspace where it lies inside."""
    if path is None:
        return None
    return display(path.relative_to(root) if path.is_relative_to(root) else path)


def _listed(named: Sequence[str], count: int) -> str:
    rest = count - len(named)
    return ", ".join(named) + (f" and {rest:,} more" if rest > 0 else "")


def _s(count: int) -> str:
    return "" if count == 1 else "s"
