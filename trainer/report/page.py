"""index.html: one page that needs nothing beside itself, for people who know pictures."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from imgsort.trainer.evaluation.results import Findings, Pictured
from imgsort.trainer.report import words
from imgsort.trainer.report.charts import NUMBERED, charted
from imgsort.trainer.report.thumbnails import MOST_SUSPECTS, Thumbnails


def page(findings: Findings, root: Path, drawn: Mapping[str, bytes], thumbnails: Thumbnails) -> str:
    """The whole document, from page.html. Every name and path in it is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    shown: set[str] = set()

    def unseen(pictures: Sequence[Pictured]) -> list[Pictured]:
        """Each picture is shown once."""
        new = [each for each in pictures if each.sha256 not in shown]
        shown.update(each.sha256 for each in new)
        return new

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name, form in (("percent", "{:.0%}"), ("grouped", "{:,}"), ("hundredths", "{:.2f}")):
        environment.filters[name] = form.format
    return environment.get_template("page.html").render(
        findings=findings,
        root=root,
        drawn=drawn,
        thumbnails=thumbnails,
        words=words,
        unseen=unseen,
        image=_image,
        judged=sum(bool(each.held_out) for each in findings.classes),
        charted=len(charted(findings)),
        measured={each.label: each for each in findings.evaluation.classes},
        numbered=NUMBERED,
        most_suspects=MOST_SUSPECTS,
    )


def _image(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
