"""What the numbers mean, in sentences: for the terminal and for the page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from imgsort.disk.display import display
from imgsort.trainer.dataset.population import NOTABLE as NOTABLE_STRATUM
from imgsort.trainer.dataset.population import WeightedShare
from imgsort.trainer.evaluation.learning_curve import Curve
from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.results import Cell, ClassFinding, Findings, Pictured
from imgsort.trainer.evaluation.unknown_classes import Strangers

_MOST, _MOST_PICTURES = 6, 3


def summary(findings: Findings, root: Path) -> Iterator[str]:
    """The report on a terminal. Pictures below ``root`` are named from there."""
    yield verdict(findings)
    yield scores(findings)
    yield from cautions(findings)
    yield from vocabulary(findings)
    yield from could_file(findings)
    yield from goals(findings)
    better, worse = changes(findings.classes)
    if better:
        yield f"Better: {_changed(better)}."
    if worse:
        yield f"Worse: {_changed(worse)}."
    yield from wishes(findings)
    yield would_help(findings.curve)
    if findings.cells:
        confusions = "; ".join(_cell(cell, root) for cell in findings.cells[:3])
        yield f"Taken for another: {confusions}."
    yield suspected(findings.suspects, root)
    yield from foreign(findings.strangers)


def advice(findings: Findings) -> Iterator[str]:
    """What would help most."""
    yield from vocabulary(findings)
    yield from could_file(findings)
    yield from wishes(findings)
    yield would_help(findings.curve)
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
    return (
        f"Shown {new.images} of your images that it hadn't seen, the new model is right on "
        f"{right_of(new)} (v{findings.champion}: {right_of(before)}): of all that arrives about "
        f"{estimate(findings.shares.right)}. It files {_filed(new)}; v{findings.champion} "
        f"{_filed(before)}."
    )


def estimate(found: WeightedShare) -> str:
    """A share with its interval."""
    return f"{found.share:.0%} ({found.low:.0%} to {found.high:.0%})"


def cautions(findings: Findings) -> Iterator[str]:
    """What the numbers can't know, each with the cheapest next step."""
    if findings.judged_on == "all":
        yield (
            "None of these images was labelled without picking, so the truth may be another; "
            "`imgsort audit 50` draws some at random."
        )
    if findings.unchecked_unsure >= NOTABLE_STRATUM:
        yield (
            f"{findings.unchecked_unsure:.0%} of what arrived went to unsure/, and none of it has "
            f"been looked through: nothing is known about it. Label some: `imgsort audit 30 "
            f"--unsure`."
        )
    if findings.unchecked_filed >= NOTABLE_STRATUM:
        yield (
            f"{findings.unchecked_filed:.0%} of what arrived was filed under classes that nobody "
            f"has looked through; `imgsort confirm` their folders, or `imgsort audit 50`."
        )
    if findings.all_alike:
        yield (
            "Nearly all of these images look like others of them (one fixed camera?), so those it "
            "was shown are not quite new to it, and the truth may be lower."
        )
    reached = findings.evaluation.filed_right / max(findings.evaluation.filed, 1)
    if findings.evaluation.filed and reached < findings.target_precision:
        yield (
            f"Below your goal: {reached:.1%} of what it files is right, and target_precision is "
            f"{findings.target_precision:.0%}."
        )


def vocabulary(findings: Findings) -> Iterator[str]:
    """Which classes it knows, where that changes."""
    if not findings.retired:
        return
    known = len(findings.classes)
    yield (
        f"It knows your {known} classes; the {len(findings.retired):,} names of ImageNet that you "
        f"don't use are retired (`imgsort retrain --keep-imagenet` keeps them, `imgsort models "
        f"rollback` brings them back)."
    )


def goals(findings: Findings) -> Iterator[str]:
    """What each target precision would file, and get wrong."""
    images = findings.evaluation.images
    parts = [
        f"{each.precision:.0%} files {each.filed / images:.0%}, {each.wrong or 'none'} wrongly"
        for each in findings.targets
    ]
    yield f"Of these {images} images, a target_precision of " + "; ".join(parts) + "."


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


def _filed(evaluation: Evaluation) -> str:
    if not evaluation.filed:
        return "none of them"
    wrong = evaluation.filed - evaluation.filed_right
    errors = "none wrongly" if not wrong else f"{wrong} wrongly"
    return f"{evaluation.filed / evaluation.images:.0%} of them, {errors}"


def changes(
    classes: Sequence[ClassFinding],
) -> tuple[tuple[ClassFinding, ...], tuple[ClassFinding, ...]]:
    """Classes of which more, and of which fewer, images are right: the largest change first."""
    judged = sorted(
        (each for each in classes if each.held_out), key=lambda each: -abs(_change(each))
    )
    better = tuple(each for each in judged if _change(each) > 0)
    return better, tuple(each for each in judged if _change(each) < 0)


def _change(each: ClassFinding) -> int:
    return each.right - each.champion_right


def _changed(classes: Sequence[ClassFinding]) -> str:
    named = [
        f"{each.label} ({each.right} of {each.held_out}, before {each.champion_right})"
        for each in classes[:_MOST]
    ]
    return _listed(named, len(classes))


def wishes(findings: Findings) -> Iterator[str]:
    """Which classes need a look."""
    unfiled = [
        each.label
        for each in findings.classes
        if each.standing == "learned" and each.threshold is None
    ]
    if unfiled:
        yield (
            f"Not told surely enough to be filed; their images go to unsure/: "
            f"{_listed(unfiled[:_MOST], len(unfiled))}. Are their labels right, and is each one "
            f"class?"
        )
    alone = sum(each.standing == "unlabelled" for each in findings.classes)
    if alone:
        yield (
            f"{alone:,} class{'es' if alone > 1 else ''} without labels "
            f"{'are' if alone > 1 else 'is'} told as the first model tells "
            f"{'them' if alone > 1 else 'it'}."
        )


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
