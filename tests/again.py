"""A desk whose pictures have stored embeddings, so that another model can judge them unopened."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from imgsort.cli import registered
from imgsort.filing import Filer
from imgsort.labels.refile import Refiling, apply_refile, plan_refile
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.registry import ClassEntry, ModelDraft, Registry
from imgsort.models.serving import Serving, active_card, load_classifier
from imgsort.workspace.workspace import Workspace
from tests.desk import CLASSES, Desk, content_hash
from tests.desk import _judged as judged

BACKBONE = "0123abcd"


@dataclass
class SleepingRuntime:
    """Says what it is; no picture may be given to it."""

    name: str = "openvino"
    precision: str = "float32"

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise AssertionError(f"{len(images)} pictures were opened")


def shows(desk: Desk, seen: Mapping[str, str]) -> None:
    """Store embeddings in which each picture (by the name it was made under) shows a class, or
    with "" none clearly."""
    vectors = {
        content_hash(name): np.array([8.0 * (one == label) for one in CLASSES], np.float32)
        for name, label in seen.items()
    }
    with EmbeddingStore.open(desk.workspace.embeddings) as kept:
        kept.put(BACKBONE, "float32", vectors)


def new_model(desk: Desk) -> int:
    """Publish and activate another version, which goes by the embeddings."""
    with desk.store() as store:
        ids = store.classes.ensure(CLASSES)
        registry = Registry(desk.workspace.models)
        draft = ModelDraft(
            kind="imagenet",
            backbone="efficientnet-lite0",
            backbone_id=BACKBONE,
            precision="float32",
            classes=tuple(ClassEntry(ids[name], name) for name in CLASSES),
            thresholds=(0.7,) * len(CLASSES),
            tensors={
                "weight": np.eye(3, dtype=np.float32),
                "bias": np.zeros(3, np.float32),
                "groups": np.eye(3, dtype=np.bool_),
            },
            metrics={},
        )
        card = registry.publish(draft)
        store.predictions.add_model(card)
        registry.activate(card.version)
        return card.version


def serving(workspace: Workspace, store: Any) -> Serving:
    """The active model, over a runtime that must not be needed."""
    card = active_card(workspace)
    backbone = cast("Any", SimpleNamespace(id=BACKBONE, input_size=8, final=3))
    return Serving(card, backbone, SleepingRuntime(), load_classifier(workspace, store, card), 3)


def refile(desk: Desk, *, apply: bool = True, to_unsure: bool = False) -> Refiling:
    with desk.store() as store:
        now = serving(desk.workspace, store)
        plan = plan_refile(desk.workspace, store, now, to_unsure=to_unsure)
        if apply:
            apply_refile(desk.workspace, store, now, plan)
        return plan


def file_what_lies_there(desk: Desk) -> None:
    """What a daemon does that finds the inbox as it is."""
    workspace = desk.workspace
    found = sorted(path for path in workspace.inbox.rglob("*") if path.is_file())
    with desk.store() as store:
        batch = [judged(workspace, path) for path in found]
        Filer(workspace, store, store.runs.begin("run")).file(batch)


def main(root: Path) -> None:
    """In a process of its own, which may die at a fail point."""
    registered()
    desk = Desk(Workspace.open(root))
    if os.environ["IMGSORT_TEST_ACTION"] == "refile":
        refile(desk)
    else:
        said = desk.type("undo", *os.environ["IMGSORT_TEST_ACTION"].split())
        assert said.code == 0, said.err
