"""The report of one training: a page for people, figures as PNG, numbers as JSON."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from imgsort.disk.display import display
from imgsort.trainer.evaluation.results import Findings
from imgsort.trainer.report.charts import charts
from imgsort.trainer.report.page import page
from imgsort.trainer.report.thumbnails import Thumbnails, contact_sheet
from imgsort.trainer.report.words import summary

__all__ = ["METRICS", "PAGE", "Thumbnails", "numbers", "summary", "write"]

PAGE, METRICS, SHEET, JUDGED = "index.html", "metrics.json", "mistakes.png", "judged.jsonl"


def write(folder: Path, findings: Findings, root: Path, thumbnails: Thumbnails) -> None:
    """Fill ``folder``, which is empty. Paths below the workspace's ``root`` are told from there."""
    drawn = charts(findings)
    if findings.mistakes:
        drawn[SHEET] = contact_sheet(findings.mistakes, thumbnails)
    for name, content in drawn.items():
        (folder / name).write_bytes(content)
    (folder / METRICS).write_text(
        json.dumps(numbers(findings, root), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    (folder / JUDGED).write_text(
        "".join(f"{json.dumps(asdict(one), ensure_ascii=False)}\n" for one in findings.judged),
        encoding="utf-8",
    )
    (folder / PAGE).write_text(page(findings, root, drawn, thumbnails), encoding="utf-8")


def numbers(findings: Findings, root: Path) -> dict[str, Any]:
    """Everything in the report, for scripts: as JSON holds it, paths as text.

    The test's pictures one by one are in judged.jsonl.
    """
    everything = {"summary": list(summary(findings, root)), **asdict(replace(findings, judged=()))}
    del everything["judged"]
    found: dict[str, Any] = json.loads(json.dumps(everything, default=display))
    return found
