"""index.html: one page that needs nothing beside itself, for people who know pictures."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from imgsort.trainer.evaluate import Evaluation
from imgsort.trainer.findings import ClassFinding, Findings, Pictured
from imgsort.trainer.report import words
from imgsort.trainer.report.charts import charted
from imgsort.trainer.report.style import STYLE
from imgsort.trainer.report.thumbnails import MOST_SUSPECTS, Thumbnails

_LARGE = 32
"""Classes from which on the confusion matrix is shown at its own size, to be scrolled."""


def page(findings: Findings, root: Path, drawn: Mapping[str, bytes], thumbnails: Thumbnails) -> str:
    """The whole document. Every name and path in it is escaped."""
    show = _Album(root, thumbnails)
    parts = (
        _head(findings),
        _cards(findings),
        _changes(findings, drawn),
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
    """Shows pictures with captions."""

    def __init__(self, root: Path, thumbnails: Thumbnails) -> None:
        self._root, self._thumbnails = root, thumbnails

    def row(self, pictures: Iterable[Pictured], *, verb: str = "model says") -> str:
        return f'<div class="album">{"".join(self._one(each, verb) for each in pictures)}</div>'

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
    salt = words.missing_words(findings)
    return (
        f'<header class="{tone}"><h1>{title}</h1><p>{escape(words.verdict(findings))}</p>'
        + (f"<p>{escape(salt)}</p>" if salt else "")
        + f"<p class='when'>{escape(findings.made_at)}</p></header>"
    )


def _cards(findings: Findings) -> str:
    new, before = findings.evaluation, findings.champion_evaluation
    cards = (
        ("recognised rightly", f"{new.accuracy:.0%}", f"before {before.accuracy:.0%}"),
        ("filed without asking you", _share(new), f"before {_share(before)}"),
        ("of those filed rightly", _precision(new), f"before {_precision(before)}"),
        ("test pictures", f"{new.images:,}", _tested_on(findings)),
    )
    return (
        '<section class="cards">'
        + "".join(
            f'<div class="card"><div class="big">{escape(big)}</div>'
            f"<div>{escape(what)}</div><small>{escape(small)}</small></div>"
            for what, big, small in cards
        )
        + "</section>"
    )


def _share(evaluation: Evaluation) -> str:
    return f"{evaluation.filed / evaluation.images:.0%}"


def _precision(evaluation: Evaluation) -> str:
    return f"{evaluation.filed_right / evaluation.filed:.0%}" if evaluation.filed else "-"


def _tested_on(findings: Findings) -> str:
    if findings.judged_on == "held-out":
        return "never used for training"
    return "judged by models that hadn't seen them"


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
    judged, shown = sum(each.f1 is not None for each in findings.classes), len(charted(findings))
    if shown == judged:
        return ""
    return (
        f" Shown are {shown} of {judged}: those that got worse and the weakest. All are in the "
        f"table below."
    )


def _advice(findings: Findings, drawn: Mapping[str, bytes]) -> str:
    hints = [
        *words.could_file(findings),
        *words.wishes(findings.classes),
        words.would_help(findings.curve),
        *words.foreign(findings.strangers),
    ]
    return _section(
        "What would help most",
        _bullets(hints) + _figure(drawn, "learning_curve.png", "Right answers by labels"),
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
        return _section("The worst mistakes", "<p>There are none among the test pictures.</p>")
    return _section(
        "The worst mistakes",
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
        *("class", "labels", "test pictures", "filed from", "more labels"),
        *("precision", "recall", "F1", "F1 before"),
    )
    rows = [
        (
            each.label
            + {"learned": "", "kept": " (kept)", "too few": " (too few labels)"}[each.standing],
            f"{each.labels:,}",
            f"{each.held_out:,}",
            _filed_from(each),
            _lacking(each),
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


def _filed_from(each: ClassFinding) -> str:
    if each.threshold is None:
        return "not filed"
    return f"{each.threshold:.2f}{', if the first model agrees' if each.seconded else ''}"


def _lacking(each: ClassFinding) -> str:
    if each.labels_lacking is None:
        return "wouldn't do"
    return f"about {each.labels_lacking}" if each.labels_lacking else ""


def _details(findings: Findings) -> str:
    material, verdict, new = findings.material, findings.verdict, findings.evaluation
    facts = (
        ("labels", f"{material.labels:,}, {material.representative:,} of them representative"),
        ("trained on", f"{material.training:,}, {material.views} other views of each"),
        ("and, at a low weight, filed ones that nobody spoke of", f"{material.assumed:,}"),
        ("held out for the test", f"{material.held_out:,}"),
        ("on the test's side, but not checked without picking", f"{material.waiting:,}"),
        ("left out, alike to a picture of the other side", f"{material.bridging:,}"),
        ("labelled, but gone or unreadable", f"{material.unreadable:,}"),
        ("head", f"{findings.recipe}, temperature {findings.temperature:.2f}"),
        ("backbone", f"{findings.backbone}, {findings.precision}"),
        ("accuracy", f"{new.accuracy:.4f} (before {findings.champion_evaluation.accuracy:.4f})"),
        ("balanced accuracy", f"{new.balanced_accuracy:.4f}"),
        ("macro F1", f"{new.macro_f1:.4f} (before {findings.champion_evaluation.macro_f1:.4f})"),
        ("difference, 90 % lower bound", f"{verdict.lower_bound:+.4f}"),
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
