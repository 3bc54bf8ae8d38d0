"""What a daemon runs beside itself to get an int8 form: ``python -m`` this, with a workspace.

A process of its own, of the lowest priority: what it loads is gone with it, and when memory runs
out it is the first to go. It prints one JSON object: ``why`` is None where int8 may be used now.
"""

import json
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from imgsort.errors import ImgsortError, ModelProblem
from imgsort.images.confine import die_with_parent
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import record_of, verified_graph
from imgsort.models.quantize import Quantized, QuantizeTerms, own_pictures, quantize
from imgsort.models.runtimes.choice import has_vnni
from imgsort.models.screening import shortcoming
from imgsort.models.serving import active_card
from imgsort.workspace.workspace import Workspace

COUNT = 4000
"""Pictures it takes: 2,700 of them show 99.9 % where none of them differs."""
TERMS = QuantizeTerms(count=COUNT, least_pictures=COUNT)


def why_not(done: Quantized, terms: QuantizeTerms) -> str | None:
    """In one sentence; None where int8 may be used by itself."""
    first = done.measured.first
    return None if first is None else shortcoming(first, done.measured.speedup, terms.promise)


def by_itself(workspace: Workspace, terms: QuantizeTerms) -> str | None:
    """Make and measure it; why it may not be used, in one sentence, or None."""
    decode = workspace.config.decode.model_copy(update={"workers": 1})
    calm = replace(workspace, config=workspace.config.model_copy(update={"decode": decode}))
    paths = own_pictures(calm, 0)
    try:
        done = quantize(calm, paths, replace(terms, again=_is_damaged(calm)))
    except ImgsortError as problem:
        return str(problem)
    except (OSError, MemoryError) as problem:
        return f"making it failed ({type(problem).__name__}: {problem})"
    return why_not(done, terms)


def _is_damaged(workspace: Workspace) -> bool:
    """Is there an int8 form that can't be used, so that it has to be made anew?"""
    backbone = InstalledBackbone.open(workspace.backbones, active_card(workspace).backbone_id)
    try:
        record = record_of(backbone)
        if record is not None:
            verified_graph(backbone, record)
    except ModelProblem:
        return True
    return record is not None and record.vnni and not has_vnni()


def _make_way() -> None:
    with suppress(OSError):
        os.nice(19)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _main(root: str, count: int) -> None:
    die_with_parent()
    _make_way()
    terms = replace(TERMS, count=count, least_pictures=count)
    print(json.dumps({"why": by_itself(Workspace.open(Path(root)), terms)}))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
