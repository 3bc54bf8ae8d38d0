"""What the benchmarks of learning share: pictures whose truth is known, and trainings of them.

A ``School`` has one founded workspace with efficientnet-lite0, embeds each picture once, and copies
the workspace for who wants the whole product. ``lesson`` takes the steps of `retrain` one by one,
without its learning curve and report, which decide nothing.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from imgsort.care.init import found
from imgsort.images import ImageFacts, ImageLimits, decode
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.heads.classifier import Classifier
from imgsort.models.registry import ClassEntry, ModelDraft, Registry
from imgsort.models.serving import open_serving
from imgsort.models.vocabulary import resolve
from imgsort.records.verdict import UNLIKE, Verdict
from imgsort.store import Store
from imgsort.store.training import TrainingRecord
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.dataset.population import Population
from imgsort.trainer.dataset.split import LabelledImage, deal
from imgsort.trainer.evaluation.comparison import (
    Comparison,
    Options,
    Training,
    TrainingTerms,
    compare,
)
from imgsort.trainer.evaluation.gate import GateVerdict
from imgsort.trainer.evaluation.outcome import verdict_on
from imgsort.trainer.head.challenger import Challenger, train
from imgsort.trainer.head.champion import Champion
from imgsort.trainer.head.vocabulary import vocabulary
from imgsort.workspace.config import Config
from imgsort.workspace.workspace import Workspace

BACKBONE = "efficientnet-lite0"
LIMITS = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
PROGRAM = (sys.executable, "-c", "from imgsort.cli import main; main()")
LEARNING = Config().learning
_BATCH = 32

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Photo:
    path: Path
    truth: str
    sha256: str


class Quiet:
    """A ``Watch`` that doesn't."""

    def tell(self, sentence: str) -> None:
        pass

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A training and what the gate said of it."""

    trained: Training
    comparison: Comparison
    verdict: GateVerdict

    @property
    def challenger(self) -> Challenger:
        return self.trained.challenger


class School:
    """Photos of labelled sets, each embedded once, and a workspace to begin with."""

    def __init__(self, data: Path, folder: Path, words: str = "", cache: Path | None = None):
        """``words`` as in `init --classes`. ``cache``: where embeddings outlive this process."""
        chosen = resolve(words.split(",")) if words else None
        self.data, self.folder, self.words = data, folder, words.split(",")
        self.base = found(folder / "base", chosen, BACKBONE, None).workspace
        self._copies = count()
        with Store.open(self.base.database, root=self.base.root) as store:
            self.serving = open_serving(self.base, store)
            self.names = dict(store.classes.names())
        self.registry = Registry(self.base.models)
        self.vectors: dict[str, Floats] = {}
        self._facts: dict[str, ImageFacts] = {}
        self._kept = EmbeddingStore.open(cache or self.base.embeddings)

    def photos(self, name: str, *, match: bool = False) -> list[Photo]:
        """The pictures of a set by class and name, each content once, and embedded.

        A folder that is the plural of one of the words is that word's; with ``match`` also if it is
        the plural of any class of the first model.
        """
        words = set(self.names.values()) if match else self.words
        found: dict[str, Photo] = {}
        for path in sorted(path for path in (self.data / name).rglob("*") if path.is_file()):
            folder = path.parent.name
            truth = folder[:-1] if folder[:-1] in words else folder
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.setdefault(digest, Photo(path, truth, digest))
        photos = sorted(found.values(), key=lambda each: (each.truth, each.path.name))
        self._embed(photos)
        return photos

    def rows(self, photos: Iterable[Photo]) -> Floats:
        """[N, D]"""
        return np.stack([self.vectors[each.sha256] for each in photos])

    def first(self) -> Champion:
        """The model that needs no label."""
        return self._champion(1)

    def promoted(self, lesson: Lesson) -> Champion:
        """The lesson's model published, as the one to be beaten next."""
        challenger, before = lesson.challenger, lesson.trained.champion.card
        draft = ModelDraft(
            kind="learned",
            backbone=before.backbone,
            backbone_id=before.backbone_id,
            precision=before.precision,
            classes=tuple(ClassEntry(each, self.names[each]) for each in challenger.class_ids),
            thresholds=challenger.cuts,
            tensors=challenger.model.tensors(),
            temperature=challenger.model.temperature,
            metrics={},
            parent=before.version,
        )
        return self._champion(self.registry.publish(draft).version)

    def material(self, photos: Sequence[Photo], said: Mapping[str, str] | None = None) -> Material:
        """All labelled, and representative; ``said``: what some of them are called instead."""
        words = {each.sha256: (said or {}).get(each.sha256, each.truth) for each in photos}
        for word in sorted({*words.values(), *(each.truth for each in photos)}):
            if word not in self.names.values():
                self.names[max(self.names) + 1] = word
        ids = {name: number for number, name in self.names.items()}
        backbone = self.serving.backbone
        return Material(
            names=self.names,
            labelled=tuple(LabelledImage(name, ids[words[name]], True) for name in sorted(words)),
            records={each.sha256: self._record(each) for each in photos},
            vectors={name: self.vectors[name][None] for name in words},
            blocks=(backbone.final, *backbone.inner),
            aside=(),
            unreadable=0,
        )

    def workspace(self, photos: Sequence[Photo]) -> Workspace:
        """A copy of the founded one with these imported and their embeddings stored."""
        number = next(self._copies)
        root, source = self.folder / f"ws{number}", self.folder / f"set{number}"
        leave = shutil.ignore_patterns(self.base.backbones.name, self.base.embeddings.name + "*")
        shutil.copytree(self.base.root, root, symlinks=True, ignore=leave)
        workspace = Workspace.open(root)
        workspace.backbones.symlink_to(self.base.backbones.resolve())
        for photo in photos:
            target = source / photo.truth / f"{photo.sha256[:16]}{photo.path.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo.path, target)
        imgsort(root, "import", "--new-class", str(source))
        shutil.rmtree(source)
        with EmbeddingStore.open(workspace.embeddings) as stored:
            stored.put(*self._space, {each.sha256: self.vectors[each.sha256] for each in photos})
        return workspace

    @property
    def _space(self) -> tuple[str, str]:
        return self.serving.backbone.id, self.serving.runtime.precision

    def _embed(self, photos: Sequence[Photo]) -> None:
        new = [each for each in photos if each.sha256 not in self.vectors]
        self.vectors |= self._kept.get(*self._space, [each.sha256 for each in new])
        for at in range(0, len(new), _BATCH):
            part, size = new[at : at + _BATCH], self.serving.backbone.input_size
            names = [each.sha256 for each in part]
            decoded = [decode(each.path.read_bytes(), size, LIMITS) for each in part]
            self._facts |= dict(zip(names, (facts for _, facts in decoded), strict=True))
            if self.vectors.keys() >= set(names):
                continue
            embeddings = self.serving.embed(np.stack([pixels for pixels, _ in decoded]))
            rows = dict(zip(names, embeddings, strict=True))
            self._kept.put(*self._space, rows)
            self.vectors |= rows

    def _champion(self, version: int) -> Champion:
        confidence = self.base.config.model.first_confidence
        return Champion.of(
            self.registry.card(version),
            self.registry.tensors(version),
            self.registry.load(version, self.names, confidence),
            confidence,
            None,
        )

    def _record(self, photo: Photo) -> TrainingRecord:
        facts = self._facts[photo.sha256]
        return TrainingRecord(
            photo.sha256,
            facts.dhash,
            facts.camera,
            facts.captured_at,
            subfolder="",
            side=None,
            path=photo.path,
            there=True,
        )


def lesson(material: Material, champion: Champion, tries: int = 0) -> Lesson:
    """What `retrain` does, without learning curve and report."""
    grouping = material.grouping()
    dealt = deal(material.labelled, grouping, champion.seen)
    labelled = {each.label for each in material.labelled}
    known = vocabulary(
        labelled,
        champion.unlabelled(labelled, material.names),
        () if champion.first is None else champion.first.ids,
        material.names,
        named=True,
    )
    target = LEARNING.target_precision
    challenger = train(material, dealt, champion, known.unlabelled, target)
    card = champion.card
    terms = TrainingTerms(
        Options(), target, LEARNING.gate_margin, "", card.precision, card.backbone_id
    )
    trained = Training(
        *(terms, material, grouping, dealt, champion, challenger, known.retired),
        *(Population({}, {}), tries),
    )
    comparison = compare(trained)
    return Lesson(trained, comparison, verdict_on(comparison))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a model says of photos, in counts that add up."""

    images: int
    right: int
    filed: int
    filed_right: int
    most: int
    """As many could be filed at the target precision by a threshold that knows the answers."""
    strange: int
    """Told to be unlike anything known."""

    @classmethod
    def of(cls, model: Classifier, rows: Floats, truth: Sequence[str]) -> "Judged":
        verdicts = model.judge(rows, 1)
        right = np.array([v.label == t for v, t in zip(verdicts, truth, strict=True)])
        filed = np.array([verdict.decision == "filed" for verdict in verdicts])
        return cls(
            len(truth),
            int(right.sum()),
            int(filed.sum()),
            int((filed & right).sum()),
            _most(verdicts, right),
            sum(verdict.doubt == UNLIKE for verdict in verdicts),
        )

    def __add__(self, other: "Judged") -> "Judged":
        names = self.__slots__
        return Judged(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def accuracy(self) -> float:
        return self.right / self.images

    @property
    def precision(self) -> float:
        return self.filed_right / max(self.filed, 1)

    def __str__(self) -> str:
        return (
            f"recognised {self.accuracy:.3f}, filed {self.filed / self.images:.3f} (best possible "
            f"{self.most / self.images:.3f}), of it rightly {self.precision:.3f}, unlike "
            f"{self.strange / self.images:.3f}"
        )


def _most(verdicts: Sequence[Verdict], right: NDArray[np.bool_]) -> int:
    order = np.argsort([-verdict.confidence for verdict in verdicts], kind="stable")
    enough = right[order].cumsum() >= LEARNING.target_precision * np.arange(1, len(order) + 1)
    return int(np.flatnonzero(enough)[-1]) + 1 if enough.any() else 0


def last_fifth(photos: Sequence[Photo]) -> tuple[list[Photo], list[Photo]]:
    """Training and test: of each class the last fifth by name is the test."""
    return _parted(photos, {name: len(own) // 5 for name, own in _by_class(photos).items()})


def drawn(
    photos: Sequence[Photo], seed: int, tested: float = 0.25
) -> tuple[list[Photo], list[Photo]]:
    """Training and test: the same share of each class at random."""
    order = np.random.default_rng(seed).permutation(len(photos))
    shuffled = [photos[at] for at in order]
    counts = {name: round(tested * len(own)) for name, own in _by_class(photos).items()}
    return _parted(shuffled, counts)


def _by_class(photos: Iterable[Photo]) -> dict[str, list[Photo]]:
    found: dict[str, list[Photo]] = {}
    for photo in photos:
        found.setdefault(photo.truth, []).append(photo)
    return found


def _parted(photos: Sequence[Photo], tested: Mapping[str, int]) -> tuple[list[Photo], list[Photo]]:
    training, test = [], []
    for name, own in sorted(_by_class(photos).items()):
        cut = len(own) - tested[name]
        training += own[:cut]
        test += own[cut:]
    return training, test


def imgsort(root: Path, *words: str) -> str:
    """What the command prints."""
    answer = subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, "-C", str(root), *words], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise SystemExit(f"{words}: {answer.stderr}")
    return answer.stdout


def schools(options: argparse.Namespace) -> Iterator[tuple["School", str]]:
    """One for each set that is asked for, as ``name`` or ``name=its,words``, and the name."""
    for chosen in options.sets:
        name, _, words = chosen.partition("=")
        with tempfile.TemporaryDirectory(prefix="imgsort-school-") as folder:
            yield School(options.data, Path(folder), words, options.cache), name


def seeds_of(options: argparse.Namespace) -> range:
    return range(options.first, options.first + options.seeds)


def end(failures: Sequence[str]) -> NoReturn:
    """Tell them; the exit status is 1 if there are any."""
    print("\n".join(failures) or "kept")
    sys.exit(bool(failures))


def arguments(description: str | None, sets: Sequence[str], seeds: int) -> argparse.ArgumentParser:
    """What all these benchmarks are asked with."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="has a folder a set, in it a folder a class")
    parser.add_argument("--sets", nargs="+", default=sets)
    parser.add_argument("--seeds", type=int, default=seeds, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--cache", type=Path, help="a file that keeps embeddings for the next time")
    return parser
