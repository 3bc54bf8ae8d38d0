"""Open the pictures that people put into the folders: size, time, camera, and can they be read?
Those that were changed in their places too: are they the same pictures?

They are adopted unopened, so that a look at the folders stays quick; training groups pictures by
these facts, and what was filed by imgsort has had them from the start.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Protocol

from imgsort.adoption import decision_of
from imgsort.backbones import BACKBONES
from imgsort.decoder import Outcome, Picture, Refused
from imgsort.editing import is_same_picture
from imgsort.errors import ModelProblem
from imgsort.images import ImageFacts
from imgsort.serving import active_card, open_decoder
from imgsort.store import Store
from imgsort.tree import Layout
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
    layout = Layout.of(workspace)
    if decoder is not None:
        read = (_examined(store, layout, decoder, one, stopping) for one in _batches(waiting))
        return sum(read)
    try:
        # At the size that pictures are decoded at here anyhow, so that the facts come out alike.
        size = BACKBONES[active_card(workspace).backbone].input_size
    except ModelProblem:
        return 0
    with open_decoder(workspace.config.decode, size, store, workspace.picture_folders) as pool:
        return sum(_examined(store, layout, pool, one, stopping) for one in _batches(waiting))


def _batches(waiting: dict[str, Path]) -> Iterator[dict[str, Path]]:
    contents = list(waiting)
    for start in range(0, len(contents), _BATCH):
        yield {sha256: waiting[sha256] for sha256 in contents[start : start + _BATCH]}


def _examined(
    store: Store,
    layout: Layout,
    decoder: Opener,
    batch: dict[str, Path],
    stopping: Callable[[], bool],
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
            _compare(store, layout, sha256, outcome.facts)
            read += 1
        elif isinstance(outcome, Refused) and outcome.sha256 == sha256:
            store.note_unreadable(sha256, outcome.reason)
    return read


def _compare(store: Store, layout: Layout, sha256: str, facts: ImageFacts) -> None:
    """Do files that were changed in their places show what they showed before?"""
    for edit in store.edits(sha256):
        if is_same_picture(edit.before, facts):
            store.keep_edit(edit.arrival_id)
        else:
            store.part_edit(edit.arrival_id, decision_of(layout.place_of(str(edit.path))))
