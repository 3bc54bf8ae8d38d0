"""index.html: one page that needs nothing beside itself, for people who know pictures."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.results import Findings, Pictured
from imgsort.trainer.report import words
from imgsort.trainer.report.charts import charted
from imgsort.trainer.report.style import STYLE
from imgsort.trainer.report.thumbnails import MOST_SUSPECTS, Thumbnails
from imgsort.trainer.report.words import right_of

_LARGE = 32
"""Classes from which on the confusion matrix is shown at its own size, to be scrolled."""


def page(findings: Findings, root: Path, drawn: Mapping[str, bytes], thumbnails: Thumbnails) -> str:
    """The whole document. Every name and path in it is escaped."""
    show = _Album(root, thumbnails)
    parts = (
        _head(findings),
        _cards(findings),
        _changes(findings, drawn),
        _goals(findings),
        _advice(findings, drawn),
        _suspects(findings, show),
        _confusions(findings, drawn, show),
        _mistakes(findings, show),
        _trust(drawn),
        _table(findings),
        _details(findings),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>imgsort: model v{findings.version}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


class _Album:
    """Shows pictures with captions, each of them once."""

    def __init__(self, root: Path, thumbnails: Thumbnails) -> None:
        self._root, self._thumbnails = root, thumbnails
        self._shown: set[str] = set()

    def row(self, pictures: Iterable[Pictured], *, verb: str = "model says") -> str:
        wanted = tuple(pictures)
        new = [each for each in wanted if each.sha256 not in self._shown]
        self._shown.update(each.sha256 for each in new)
        above = len(wanted) - len(new)
        rest = f"<p>{above} {'is' if above == 1 else 'are'} shown above.</p>" if above else ""
        return f'<div class="album">{"".join(self._one(each, verb) for each in new)}</div>{rest}'

    def _one(self, picture: Pictured, verb: str) -> str:
        jpeg = self._thumbnails.jpeg(picture.sha256)
        tile = (
            '<div class="gone">gone</div>'
            if jpeg is None
            else f'<img alt="{escape(picture.truth)}" src="{_data("image/jpeg", jpeg)}">'
        )
        path = words.place(picture.path, self._root) or picture.sha256[:12]
        return (
            f'<figure title="{escape(path)}">{tile}<figcaption>'
            f"<b>{verb} {escape(picture.said)}</b> ({picture.confidence:.0%} sure)<br>"
            f"you say {escape(picture.truth)}"
            f'<span class="path">{escape(path)}</span></figcaption></figure>'
        )


def _head(findings: Findings) -> str:
    tone = "good" if findings.verdict.promoted else "forced" if findings.forced else "stays"
    title = (
        f"Model v{findings.version} serves now"
        if findings.promoted
        else f"Model v{findings.version} was not taken: v{findings.champion} goes on"
    )
    return (
        f'<header class="{tone}"><h1>{title}</h1><p>{escape(words.verdict(findings))}</p>'
        + "".join(f"<p>{escape(line)}</p>" for line in words.cautions(findings))
        + f"<p class='when'>{escape(findings.made_at)}</p></header>"
    )


def _cards(findings: Findings) -> str:
    new, before = findings.evaluation, findings.champion_evaluation
    shares, old = findings.shares, findings.champion_shares
    cards = (
        ("right of all that arrives", shares.right, f"before {old.right.share:.0%}"),
        ("filed without asking you", shares.filed, f"before {old.filed.share:.0%}"),
        ("of those filed rightly", shares.filed_right, f"before {_precision(before)}"),
    )
    shown = f"{right_of(new)} of {new.images:,} right"
    return (
        '<section class="cards">'
        + "".join(
            f'<div class="card"><div class="big">{share.share:.0%}</div><div>{escape(what)}</div>'
            f"<small>{share.low:.0%} to {share.high:.0%}, {escape(small)}</small></div>"
            for what, share, small in cards
        )
        + f'<div class="card"><div class="big">{new.images:,}</div><div>images shown</div>'
        f"<small>{escape(shown)}, each by a head that hadn't seen it</small></div></section>"
    )


def _precision(evaluation: Evaluation) -> str:
    return f"{evaluation.filed_right / evaluation.filed:.0%}" if evaluation.filed else "-"


def _changes(findings: Findings, drawn: Mapping[str, bytes]) -> str:
    better, worse = words.changes(findings.classes)
    counted = f"{len(better)} better, {len(worse)} worse" if better or worse else "nothing changed"
    return _section(
        f"What got better, what got worse: {counted}",
        "<p>Each line is a class. The further right, the fewer pictures of it are missed and the "
        "fewer others are taken for it. With few test pictures a line moves far by chance."
        f"{_which(findings)}</p>" + _figure(drawn, "classes.png", "Each class before and after"),
    )


def _which(findings: Findings) -> str:
    judged, shown = sum(bool(each.held_out) for each in findings.classes), len(charted(findings))
    if shown == judged:
        return ""
    return (
        f" Shown are {shown} of {judged}: those that got worse and the weakest. All are in the "
        f"table below."
    )


def _advice(findings: Findings, drawn: Mapping[str, bytes]) -> str:
    hints = [
        *words.vocabulary(findings),
        *words.could_file(findings),
        *words.wishes(findings),
        words.would_help(findings.curve),
        *words.foreign(findings.strangers),
    ]
    return _section(
        "What would help most",
        _bullets(hints) + _figure(drawn, "learning_curve.png", "Right answers by labels"),
    )


def _goals(findings: Findings) -> str:
    """What each target precision would file, and get wrong."""
    images = findings.evaluation.images
    rows = [
        (
            f"{each.precision:.0%}",
            f"{each.filed} of {images} ({each.filed / images:.0%})",
            f"{each.wrong or 'none'}",
            f"{(each.filed - each.wrong) / each.filed:.1%}" if each.filed else "-",
        )
        for each in findings.targets
    ]
    most = findings.most_filed
    return _section(
        "If you want it surer, or want more filed",
        "<p>What other values of <code>target_precision</code> would do with the images shown. It "
        f"is {findings.target_precision:.0%} now; with hindsight {most} of {images} could be filed "
        "at it.</p>" + _rows(("wanted", "filed", "wrongly", "right of those filed"), rows),
    )


def _suspects(findings: Findings, show: _Album) -> str:
    suspects = findings.suspects
    if not suspects:
        return _section("Labels that may be wrong", "<p>None looks wrong.</p>")
    rest = len(suspects) - MOST_SUSPECTS
    return _section(
        f"Labels that may be wrong ({len(suspects)})",
        "<p>Models that hadn't seen these pictures say something else than you, and are sure of "
        "it. The most doubtful comes first. If you agree, move the picture; if not, ignore it.</p>"
        + show.row(suspects[:MOST_SUSPECTS], verb="looks like")
        + (f"<p>{rest} more are listed in metrics.json.</p>" if rest > 0 else ""),
    )


def _confusions(findings: Findings, drawn: Mapping[str, bytes], show: _Album) -> str:
    large = len(findings.evaluation.confusion.labels) > _LARGE
    matrix = _figure(drawn, "confusion.png", "Confusion matrix", wide=large)
    behind = "".join(
        f"<h3>{escape(cell.truth)} taken for {escape(cell.said)}: {cell.images}</h3>"
        + show.row(cell.pictures)
        for cell in findings.cells
    )
    return _section(
        "What is taken for what",
        "<p>A row is what you say, a column what the model says. Blue is right; red is a "
        "confusion, the deeper the more of that row go astray.</p>" + matrix + behind,
    )


def _mistakes(findings: Findings, show: _Album) -> str:
    if not findings.mistakes:
        return _section("The surest mistakes", "<p>There are none among the test pictures.</p>")
    return _section(
        "The surest mistakes",
        "<p>Test pictures that the model is wrong about, the ones it is surest of first.</p>"
        + show.row(findings.mistakes),
    )


def _trust(drawn: Mapping[str, bytes]) -> str:
    return _section(
        "Can its confidence be trusted?",
        '<div class="pair">'
        + _figure(drawn, "reliability.png", "How sure and how often right")
        + _figure(drawn, "coverage.png", "Filed and rightly filed")
        + "</div><p>Left: dots on the line mean that when it says 80 %, 80 of 100 are right; below "
        "the line it is too sure of itself. A dot's size and number are its pictures. Right: "
        "filing only what is surest (left) makes fewer mistakes than filing everything (right)."
        "</p>",
    )


def _table(findings: Findings) -> str:
    measured = {each.label: each for each in findings.evaluation.classes}
    headings = (
        *("class", "labels", "shown", "right (before)", "filed from"),
        *("precision", "recall", "F1", "F1 before"),
    )
    rows = [
        (
            each.label,
            f"{each.labels:,}",
            f"{each.held_out:,}",
            f"{each.right:,} ({each.champion_right:,})" if each.held_out else "",
            "not filed" if each.threshold is None else f"{each.threshold:.2f}",
            *(
                (f"{one.precision:.2f}", f"{one.recall:.2f}", f"{one.f1:.2f}")
                if (one := measured.get(each.label))
                else ("", "", "")
            ),
            "" if each.champion_f1 is None else f"{each.champion_f1:.2f}",
        )
        for each in findings.classes
        if each.labels or each.held_out
    ]
    new, before = findings.evaluation, findings.champion_evaluation
    rows.append(
        (
            *("all classes alike", f"{findings.material.labels:,}", f"{new.images:,}", "", ""),
            *(f"{new.macro_precision:.2f}", f"{new.balanced_accuracy:.2f}"),
            *(f"{new.macro_f1:.2f}", f"{before.macro_f1:.2f}"),
        )
    )
    return _section(
        "Every class in numbers",
        "<p>Precision: of what is put under the class, how much belongs there. Recall: of what "
        "belongs there, how much is found. F1 is low when either is.</p>"
        f'<div class="scroll">{_rows(headings, rows)}</div>',
    )


def _details(findings: Findings) -> str:
    material, verdict = findings.material, findings.verdict
    new, before = findings.evaluation, findings.champion_evaluation
    difference = "-" if verdict.overall is None else f"{verdict.overall.bound:+.4f}"
    facts = (
        ("labels, all trained on", f"{material.labels:,}, {material.views} other views of each"),
        ("representative of what arrives", f"{material.representative:,}"),
        ("shown to both models", f"{material.held_out:,}"),
        ("with look-alikes in other folds", f"{material.alike:,}"),
        ("labelled, but gone or unreadable", f"{material.unreadable:,}"),
        ("head", f"{findings.recipe}, temperature {findings.temperature:.2f}"),
        ("heads", "one on everything serves; five, each blind to a fifth, judge"),
        ("taken off for picking the best recipe", f"{findings.optimism:.4f}"),
        ("challengers before, of this champion", f"{verdict.tries}"),
        ("backbone", f"{findings.backbone}, {findings.precision}"),
        (
            "accuracy on those shown",
            f"{new.accuracy:.4f} (before {findings.champion_evaluation.accuracy:.4f})",
        ),
        ("balanced accuracy", f"{new.balanced_accuracy:.4f}"),
        ("macro F1", f"{new.macro_f1:.4f} (before {before.macro_f1:.4f})"),
        ("lower bound of the difference, of all that arrives", difference),
        ("expected calibration error", f"{new.ece:.4f}"),
    )
    return _section("How it was made", _rows((), facts))


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _bullets(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(each)}</th>" for each in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if top else ''}<tbody>{body}</tbody></table>"


def _figure(drawn: Mapping[str, bytes], name: str, what: str, *, wide: bool = False) -> str:
    if name not in drawn:
        return ""
    image = f'<img class="chart" alt="{escape(what)}" src="{_data("image/png", drawn[name])}">'
    return f'<div class="wide">{image}</div>' if wide else image


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
