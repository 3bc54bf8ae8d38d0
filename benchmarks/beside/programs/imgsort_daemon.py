"""imgsort's daemon, all of it, in a throw-away workspace: from the inbox into folders and the log.

What counts is from the first picture taken to the last one filed; start-up and the time that
files must rest are left out, as in `imgsort bench`.
"""

import atexit
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from answering import Answers, Judge, Skipped, serve

import imgsort
from imgsort.daemon.bench import Stock
from imgsort.daemon.bench.rounds import end_to_end, throw_away
from imgsort.daemon.log_output import log_to_stderr
from imgsort.daemon.service.wiring import wired
from imgsort.models.backbones import install
from imgsort.models.quantize import QuantizeTerms, quantize
from imgsort.models.runtimes.choice import has_vnni
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.workspace.config import Config, ModelSettings
from imgsort.workspace.workspace import Workspace

CALIBRATED_ON = 240
"""Pictures the int8 form is made from and its margin found on: enough for a rate, and too few to
show that decisions are float32's, which the daemon itself does on 4,000."""


def prepare(settings: Any) -> tuple[Judge, str]:
    log_to_stderr("warning")
    coarse_first = settings["precision"] == "int8 first"
    if coarse_first and not has_vnni():
        raise Skipped("this CPU has no VNNI, without which imgsort doesn't use int8 by itself")
    place, name = Path(settings["place"]), settings["backbone"]
    # An int8 form is made beside the network, and none may be there before.
    networks = place if coarse_first else Path(settings["kept"])
    installed = install(name, networks / "networks", random_weights=settings["random_weights"])
    precision = "auto" if coarse_first else "float32"
    model = ModelSettings(device="cpu", precision=precision, batch_size=settings["batch_size"])
    stack = ExitStack()
    atexit.register(stack.close)
    workspace = stack.enter_context(throw_away(installed, Config(model=model), place))
    what = f"imgsort {imgsort.__version__}"
    if coarse_first:
        what += f"; {asked_again(workspace)} asked again in float32"
    return lambda folder: judged(workspace, folder), what


def asked_again(workspace: Workspace) -> str:
    """Let int8 decide first here, whatever it is worth; the share that float32 decides."""
    terms = QuantizeTerms(
        CALIBRATED_ON, least_pictures=2, least_agreement=0, least_promise=0, least_speedup=0
    )
    stock = Stock.generated(500, 375, CALIBRATED_ON)
    paths = stock.lay_out(workspace.root / "calibration", CALIBRATED_ON)
    first = quantize(workspace, paths, terms).measured.first
    if first is None or not first.promised:
        raise Skipped("the int8 form could not be put before float32 here")
    return f"{first.share_asked:.0%}"


def judged(workspace: Workspace, folder: Path) -> tuple[float, Answers]:
    with ExitStack() as stack:
        works = wired(workspace, stack, once=True)
        names = {path.name for path in folder.iterdir()}
        for name in names:
            (folder / name).rename(workspace.inbox / name)
        seconds = len(names) / end_to_end(works, len(names))
    with Store.open(workspace.database, root=workspace.root) as store:
        newest = store.log.rows(LogFilter(limit=len(names)))
        answers = {row.name: f"{row.decision} {row.label}" for row in newest}
    return seconds, answers


if __name__ == "__main__":
    serve(prepare)
