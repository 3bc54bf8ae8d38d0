"""Embeddings to train on: nothing is decoded that the daemon has seen, no view is made twice."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from imgsort.completing import Augment, Embedded, Progress, Views
from imgsort.completing import embeddings_for as completed
from imgsort.serving import Serving
from imgsort.store import Store
from imgsort.workspace import Workspace


def embeddings_for(  # noqa: PLR0913 - what to work with, and what is wanted
    workspace: Workspace,
    store: Store,
    serving: Serving,
    images: Mapping[str, Path],
    *,
    views: Sequence[int] = (),
    augment: Augment | None = None,
    progress: Progress | None = None,
) -> Embedded:
    """``images``: sha256 -> a file with that content. Row 0 of each answer is the plain picture,
    row 1 + i is ``augment(pixels, views[i])``.

    Views are stored under their numbers, which are above 0: a changed ``augment`` needs new ones.
    """
    wanted = Views(tuple(views), augment)
    return completed(workspace, store, serving, images, wanted, progress)
