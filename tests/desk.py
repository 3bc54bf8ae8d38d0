"""A workspace whose pictures are judged by their names, and a person who types commands at it."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from imgsort.cli.app import app
from imgsort.disk.identity import Identity
from imgsort.filing import Candidate, Filer, InboxPicture
from imgsort.images import ImageFacts
from imgsort.images.outcome import Picture, Refused
from imgsort.models.registry import ClassEntry, ModelDraft, Registry
from imgsort.records.verdict import Score, Verdict, shortfall
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace

CLASSES = ("cat", "dog", "snake")
ARRIVED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    workspace: Workspace

    @classmethod
    def at(cls, root: Path, config: str = "") -> "Desk":
        """A new workspace with an active model of three classes; it knows them, it never runs."""
        root.mkdir(parents=True, exist_ok=True)
        (root / "config.toml").write_text(config)
        workspace = Workspace.open(root)
        for folder in (*workspace.picture_folders, workspace.models):
            folder.mkdir(parents=True)
        migrate(workspace.database)
        desk = cls(workspace)
        with desk.store() as store:
            ids = store.classes.ensure(CLASSES)
            registry = Registry(workspace.models)
            card = registry.publish(
                ModelDraft(
                    kind="imagenet",
                    backbone="efficientnet-lite0",
                    backbone_id="0123abcd",
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
            )
            store.predictions.add_model(card)
            registry.activate(card.version)
        return desk

    def store(self) -> Store:
        return Store.open(self.workspace.database, root=self.workspace.root)

    def file(self, *names: str) -> None:
        """File new pictures as a daemon would: ``cat-1.jpg`` as cat, ``unsure-dog-1.jpg`` into
        unsure/ with dog as the best guess, ``broken-1.jpg`` into rejected/."""
        self.file_all({name: name for name in names})

    def file_all(self, names: Mapping[str, str]) -> None:
        """The same with other bytes: of the picture that ``file`` makes under the second name."""
        for name, content in names.items():
            path = self.workspace.inbox / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
        with self.store() as store:
            judged = [_judged(self.workspace, self.workspace.inbox / name) for name in names]
            Filer(self.workspace, store, store.runs.begin("run")).file(judged)

    def type(self, *words: object, stdin: str = "") -> Said:
        """Type ``imgsort -C … words``."""
        arguments = ["-C", str(self.workspace.root), *(str(word) for word in words)]
        result = CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)
        return Said(result.exit_code, result.stdout, result.stderr)

    def tree(self) -> list[str]:
        """Every picture file, relative to the workspace."""
        root = self.workspace.root
        return sorted(
            str(path.relative_to(root))
            for folder in self.workspace.picture_folders
            for path in folder.rglob("*")
            if path.is_file()
        )

    def labels(self) -> dict[str, tuple[str | None, str, bool]]:
        """Original name -> class (or kind), source, representative of the newest word."""
        with self.store() as store:
            current = store.labels.current()
            return {
                os.fsdecode(one.name): (
                    label.class_name or label.kind,
                    label.source,
                    label.representative,
                )
                for one in store.pictures.with_contents(current)
                for label in [current[one.sha256]]
            }

    def log(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.workspace.database)) as log:
            return log.execute(query).fetchall()

    def count_labels(self) -> int:
        number: int = self.log("SELECT count(*) FROM labels")[0][0]
        return number

    def agrees(self) -> bool:
        """Are the rows that are filed exactly the files in the tree, with nothing under way?"""
        rows = self.log("SELECT path FROM arrivals WHERE state = 'filed' AND missing_at IS NULL")
        planned = self.log("SELECT 1 FROM moves WHERE state = 'planned'")
        return sorted(path for (path,) in rows) == self.tree() and not planned


def content_hash(name: str) -> str:
    """Of the picture that ``Desk.file`` makes under this name."""
    return hashlib.sha256(name.encode()).hexdigest()


def _judged(workspace: Workspace, path: Path) -> InboxPicture:
    content = path.read_bytes()
    identity, sha256 = Identity.of(path.stat()), hashlib.sha256(content).hexdigest()
    subfolder = os.fsencode(path.parent.relative_to(workspace.inbox)).strip(b".")
    word, *more = path.stem.split("-")
    candidate = Candidate(path, subfolder, ARRIVED, 0.0)
    if word == "broken":
        refused = Refused(path, identity, sha256, "the file is cut short")
        return InboxPicture(candidate, refused)
    facts = ImageFacts(8, 8, "JPEG", "2024-02-29T07:05:09", "Canon", 0)
    picture = Picture(path, identity, sha256, facts, np.zeros((1, 1, 3), np.uint8))
    return InboxPicture(candidate, picture, _verdict(word, more), 1)


def _verdict(word: str, more: Sequence[str]) -> Verdict:
    if word == "unsure":
        doubt = shortfall(0.41, 0.7)
        return Verdict(more[0], 0.41, "unsure", doubt, (Score(more[0], 0.41),))
    return Verdict(word, 0.87, "filed", None, (Score(word, 0.87),))
