"""Open the pictures that people put into the folders: size, time, camera, and can they be read?

They are adopted unopened, so that a look at the folders stays quick; training groups pictures by
these facts, and what was filed by imgsort has had them from the start.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Protocol

from imgsort.backbones import BACKBONES
from imgsort.decoder import Outcome, Picture, Refused
from imgsort.errors import ModelProblem
from imgsort.serving import active_card, open_decoder
from imgsort.store import Store
from imgsort.workspace import Workspace

_BATCH = 16


class Opener(Protocol):
    """``DecoderPool``"""

    def submit(self, path: Path) -> "Future[Outcome]": ...


def examine_adopted(
    workspace: Workspace,
    store: Store,
    decoder: Opener | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Look into those that nobody has looked into; the answer is how many could be read.

    Without a ``decoder`` one is opened if there is anything to do. May raise what the store raises.
    """
    waiting = store.unexamined()
    if not waiting:
        return 0
    if decoder is not None:
        return sum(_examined(store, decoder, batch, stopping) for batch in _batches(waiting))
    try:
        # At the size that pictures are decoded at here anyhow, so that the facts come out alike.
        size = BACKBONES[active_card(workspace).backbone].input_size
    except ModelProblem:
        return 0
    with open_decoder(workspace.config.decode, size, store, workspace.picture_folders) as pool:
        return sum(_examined(store, pool, batch, stopping) for batch in _batches(waiting))


def _batches(waiting: dict[str, Path]) -> Iterator[dict[str, Path]]:
    contents = list(waiting)
    for start in range(0, len(contents), _BATCH):
        yield {sha256: waiting[sha256] for sha256 in contents[start : start + _BATCH]}


def _examined(
    store: Store, decoder: Opener, batch: dict[str, Path], stopping: Callable[[], bool]
) -> int:
    if stopping():
        return 0
    futures = {sha256: decoder.submit(path) for sha256, path in batch.items()}
    read = 0
    for sha256, future in futures.items():
        try:
            outcome = future.result()
        except CancelledError:  # the program is stopping
            continue
        if isinstance(outcome, Picture) and outcome.sha256 == sha256:
            store.note_facts(sha256, outcome.facts)
            read += 1
        elif isinstance(outcome, Refused) and outcome.sha256 == sha256:
            store.note_unreadable(sha256, outcome.reason)
    return read
