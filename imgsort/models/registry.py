"""Model versions on disk: published whole or not at all, verified, activated, rolled back.

``models/v0007/`` holds model.json and head.safetensors, and report/ where it was learned.
``models/active`` is a symbolic link to one version; ``models/history`` lists the versions that were
active before it, one a line, newest last.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from imgsort.disk.durable import replace_file, replace_link, sync_folder, sync_tree, write_synced
from imgsort.disk.failpoints import failpoint
from imgsort.errors import ModelProblem
from imgsort.records.model_card import (
    CardError,
    ClassEntry,
    ModelCard,
    ModelDraft,
    parsed,
    rendered,
)

if TYPE_CHECKING:
    from imgsort.models.heads.classifier import Classifier
    from imgsort.models.heads.learned_model import Tensors

__all__ = ["HEAD", "ClassEntry", "ModelCard", "ModelDraft", "Registry"]

_CARD = "model.json"
HEAD = "head.safetensors"
_REPORT = "report"
_ACTIVE = "active"
_HISTORY = "history"
_STAGING = ".publishing"
_FOLDER = re.compile(r"v(\d{4,})")


class Registry:
    """The models of one workspace, below ``folder`` (made at the first publish)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._holding = False

    def publish(
        self, draft: ModelDraft, write_report: Callable[[Path, int], None] | None = None
    ) -> ModelCard:
        """Write the draft as the next version; it isn't active yet. Raises ModelProblem.

        ``write_report`` fills a folder with what is to be known of the version.
        """
        from imgsort.models.heads.head_file import packed

        with self._locked():
            version = max(self._numbers(), default=0) + 1
            head = packed(draft.tensors)
            card = _card(draft, version, head)
            text = rendered(card)
            parsed(text)  # what couldn't be read back is never published
            staging = self.folder / _STAGING
            if staging.exists():  # a publisher was killed here
                shutil.rmtree(staging)
            try:
                staging.mkdir()
                write_synced(staging / HEAD, head)
                write_synced(staging / _CARD, text)
                if write_report:
                    (staging / _REPORT).mkdir()
                    write_report(staging / _REPORT, version)
                    sync_tree(staging / _REPORT)
                sync_folder(staging)
                failpoint("publish-staged")
                staging.rename(self._path(version))
            except OSError:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            failpoint("publish-renamed")
            sync_folder(self.folder)
        return card

    def versions(self) -> list[ModelCard]:
        """The cards that can be read, oldest first; ``damaged`` has the others."""
        return [card for _, card in self._cards() if isinstance(card, ModelCard)]

    def damaged(self) -> dict[int, ModelProblem]:
        """Versions whose card can't be read, each with what is wrong."""
        return {version: card for version, card in self._cards() if isinstance(card, ModelProblem)}

    def card(self, version: int) -> ModelCard:
        """What model.json says. Raises ModelProblem for a version that is missing or damaged."""
        path = self._path(version)
        if not path.is_dir():
            raise ModelProblem(f"There is no model v{version}; see `imgsort models list`.")
        try:
            card = parsed((path / _CARD).read_bytes())
        except OSError as problem:
            raise _damaged(version, f"{_CARD} can't be read: {problem.strerror}") from None
        except CardError as problem:
            raise _damaged(version, str(problem)) from None
        if card.version != version:
            raise _damaged(version, f"{_CARD} is that of v{card.version}")
        return card

    def load(
        self,
        version: int,
        names: Mapping[int, str] | None = None,
        confidence: float | None = None,
    ) -> "Classifier":
        """The classifier of a version, its files verified. Raises ModelProblem.

        ``names`` gives classes their present names by id. ``confidence`` replaces the thresholds of
        a model that learned none of its own (kind imagenet).
        """
        from imgsort.models.heads.head_file import BUILDERS, classifier_of

        card = self.card(version)
        if card.kind not in BUILDERS:
            raise ModelProblem(
                f"Model v{version} is of a kind this imgsort doesn't know ({card.kind}); update "
                f"imgsort, or activate another with `imgsort models activate V`."
            )
        labels = tuple((names or {}).get(entry.id, entry.name) for entry in card.classes)
        try:
            classifier = classifier_of(card, labels, self._tensors(card))
        except (KeyError, ValueError) as problem:
            raise _damaged(version, f"its head doesn't fit its card: {problem}") from None
        if confidence is not None and card.kind == "imagenet":
            return classifier.with_confidence(confidence)
        return classifier

    def tensors(self, version: int) -> "Tensors":
        """The numbers of a version, verified. Raises ModelProblem."""
        return self._tensors(self.card(version))

    def is_whole(self, card: ModelCard) -> bool:
        """Are all files of a version there? What is in them is checked when it is loaded."""
        folder = self._path(card.version)
        return all((folder / name).exists() for name in (_CARD, *card.checksums))

    def report(self, version: int) -> Path:
        """Where a version's report lies, if it has one."""
        return self._path(version) / _REPORT

    def folder_of(self, version: int) -> Path:
        """Where a version lies, or would lie."""
        return self._path(version)

    def needed(self) -> set[int]:
        """The active version and those that ``rollback`` may go back to."""
        active = self.active()
        return {*self._history(), *(() if active is None else (active,))}

    def retire(self, version: int, target: Path) -> None:
        """Move a version's folder to ``target``, which must not exist. Raises ModelProblem."""
        with self._locked():
            if version in self.needed():
                raise ModelProblem(
                    f"Model v{version} is active, or rollback may need it; it stays."
                )
            self._path(version).rename(target)
            sync_folder(target.parent)
            sync_folder(self.folder)

    def active(self) -> int | None:
        """The active version; None while there is none, or the link leads nowhere."""
        try:
            version = _number(str((self.folder / _ACTIVE).readlink()))
        except OSError:
            return None
        return version if version is not None and self._path(version).is_dir() else None

    def activate(self, version: int) -> None:
        """Make a version the active one, in one step. Raises ModelProblem if it can't be loaded."""
        self.load(version)
        with self._locked():
            before = self.active()
            if before == version:
                return
            # History first: a crash between the two leaves the active version on top of it, which
            # rollback skips.
            if before is not None:
                self._write_history([*self._history(), before])
            failpoint("activate-recorded")
            replace_link(self.folder / _ACTIVE, self._path(version).name)

    def rollback(self) -> int:
        """Activate the version that was active before, and return it. Raises ModelProblem.

        Rolling back again goes one further back. Damaged versions are passed over.
        """
        with self._locked():
            history, now = self._history(), self.active()
            while history:
                version = history.pop()
                if version != now and self._loads(version):
                    replace_link(self.folder / _ACTIVE, self._path(version).name)
                    failpoint("rollback-linked")
                    self._write_history(history)
                    return version
        raise ModelProblem("There is no earlier model to go back to; see `imgsort models list`.")

    def _path(self, version: int) -> Path:
        return self.folder / f"v{version:04d}"

    def _numbers(self) -> list[int]:
        paths = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(number for path in paths if (number := _number(path.name)) is not None)

    def _cards(self) -> Iterator[tuple[int, ModelCard | ModelProblem]]:
        for version in self._numbers():
            try:
                yield version, self.card(version)
            except ModelProblem as problem:
                yield version, problem

    def _tensors(self, card: ModelCard) -> "Tensors":
        from imgsort.models.heads.head_file import unpacked

        try:
            content = (self._path(card.version) / HEAD).read_bytes()
        except OSError as problem:
            raise _damaged(card.version, f"{HEAD} can't be read: {problem.strerror}") from None
        if hashlib.sha256(content).hexdigest() != card.checksums.get(HEAD):
            raise _damaged(card.version, f"{HEAD} has not the sha256 that {_CARD} records")
        try:
            return unpacked(content)
        except ValueError as problem:
            raise _damaged(card.version, f"{HEAD}: {problem}") from None

    def _loads(self, version: int) -> bool:
        try:
            self.load(version)
        except ModelProblem:
            return False
        return True

    def _history(self) -> list[int]:
        try:
            text = (self.folder / _HISTORY).read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return []
        return [version for line in text.split() if (version := _number(line)) is not None]

    def _write_history(self, versions: list[int]) -> None:
        text = "".join(f"{self._path(version).name}\n" for version in versions)
        replace_file(self.folder / _HISTORY, text.encode())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else publishes or activates meanwhile. Raises ModelProblem."""
        with self._locked():
            self._holding = True
            try:
                yield
            finally:
                self._holding = False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the one writer (flock on the folder itself); OSError becomes a ModelProblem."""
        if self._holding:
            yield
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise ModelProblem(
                f"{self.folder} can't be written ({problem.strerror}); free space or correct its "
                f"owner or mode, then try again."
            ) from None


def _card(draft: ModelDraft, version: int, head: bytes) -> ModelCard:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ModelCard(
        version=version,
        kind=draft.kind,
        backbone=draft.backbone,
        backbone_id=draft.backbone_id,
        precision=draft.precision,
        classes=draft.classes,
        temperature=float(draft.temperature),
        thresholds=tuple(float(threshold) for threshold in draft.thresholds),
        metrics=draft.metrics,
        parent=draft.parent,
        created_at=now,
        checksums={HEAD: hashlib.sha256(head).hexdigest()},
    )


def _number(name: str) -> int | None:
    match = _FOLDER.fullmatch(name)
    return int(match[1]) if match else None


def _damaged(version: int, why: str) -> ModelProblem:
    return ModelProblem(
        f"Model v{version} is damaged ({why}); activate another with `imgsort models activate V`."
    )
