"""Are the learning loop's promises kept on real pictures?

    python benchmarks/learning_promises.py {missing,foreign,shuffled,precision} DATA [--seeds 20]
        [--first 0] [--sets cats_dogs_snakes=cat,dog,snake …] [--whole]

DATA has a folder a set, and in it (however deep) a folder a class, named as the class or its
plural; a set is given with the words its workspace is made with, which needn't be all its classes.
Every figure comes from real workspaces with efficientnet-lite0 whose pictures were imported; each
is embedded once. Seeds differ in the grouped fifth that is held out: it is written down as the
workspace's holdout before the training. Without ``--whole`` the steps of `retrain` are taken one by
one, and its learning curve and report, which decide nothing, left out.

missing    A class gets no label: where do its pictures go, and what did v1 do with them?
foreign    Pictures of another set, of which no class is known: how many are filed?
shuffled   All training labels shuffled, the holdout left right: does the gate refuse? With 30 %
           shuffled: what does the gate say, and are the suspected labels really wrong?
precision  At a target precision of 0.95: how many held-out pictures are filed, how many rightly?
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from imgsort.trainer.lessons import lessons
from numpy.typing import NDArray

from imgsort.classifier import Classifier
from imgsort.embeddings import EmbeddingStore
from imgsort.images import ImageLimits, decode
from imgsort.labelling import NewLabel
from imgsort.registry import Registry
from imgsort.serving import Serving, open_serving
from imgsort.store import Store
from imgsort.trainer.challenger import train
from imgsort.trainer.champion import Champion
from imgsort.trainer.conclude import verdict_on
from imgsort.trainer.dataset import Side, cross_folds, split
from imgsort.trainer.examine import doubtful, hold_exam
from imgsort.trainer.findings import Pictured
from imgsort.trainer.gate import GateVerdict
from imgsort.trainer.material import collect
from imgsort.trainer.retrain import Options, retrain
from imgsort.verdict import Verdict
from imgsort.workspace import Workspace

SETS = (
    "cats_dogs_snakes=cat,dog,snake",
    "ants_bees=ant,bee",
    "cifar10_tiny=airplane,bird,cat,dog,frog,ship",
)
FOREIGN = ("magnetic_tile", "ants_bees")
MISSING = (
    ("cat,dog,snake", "cat,dog"),
    ("cat,dog", "cat,dog"),
    ("cat,dog,snake", "dog,snake"),
    ("dog,snake", "dog,snake"),
    ("cat,dog,snake", "cat,snake"),
)
FOLDS, LEADING, SHUFFLED = 5, 0.3, 0.3
BATCH = 32
LIMITS = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
PROGRAM = (sys.executable, "-c", "from imgsort.cli import main; main()")

Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Photo:
    path: Path
    truth: str
    sha256: str


class Quiet:
    """A ``Watch`` that doesn't."""

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What ``collect`` wants to know of embeddings."""

    vectors: Vectors
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What came of a training."""

    classifier: Classifier
    verdict: GateVerdict
    suspects: Sequence[Pictured]


class School:
    """Pictures of the sets, each embedded once, and workspaces made of them."""

    def __init__(self, data: Path, folder: Path, *, whole: bool) -> None:
        self.data, self.folder, self.whole, self.made = data, folder, whole, 0
        self.vectors: dict[str, NDArray[np.float32]] = {}

    def photos(self, name: str) -> list[Photo]:
        """The pictures of a set, each content once."""
        found: dict[str, Photo] = {}
        for path in sorted(path for path in (self.data / name).rglob("*") if path.is_file()):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.setdefault(digest, Photo(path, path.parent.name.removesuffix("s"), digest))
        return list(found.values())

    def workspace(
        self, words: str, photos: Sequence[Photo], beside: Sequence[Photo] = ()
    ) -> Workspace:
        """Made with ``--classes words``, these pictures imported and their embeddings stored.

        ``beside``: pictures that are embedded too, for later.
        """
        self.made += 1
        root, source = self.folder / f"ws{self.made}", self.folder / f"set{self.made}"
        for photo in photos:
            target = source / photo.truth / f"{photo.sha256[:16]}{photo.path.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo.path, target)
        init = ("init", "--classes", words, "--backbone", "efficientnet-lite0")
        for command in (init, ("import", str(source))):
            answer = subprocess.run(  # noqa: S603 - our own program
                [*PROGRAM, "-C", str(root), *command], capture_output=True, text=True, check=False
            )
            if answer.returncode:
                raise SystemExit(f"{command}: {answer.stderr}")
        workspace = Workspace.open(root)
        with Store.open(workspace.database, root=root) as store:
            serving = open_serving(workspace, store)
        space = serving.backbone.id, serving.runtime.precision
        self.embed((*photos, *beside), serving)
        with EmbeddingStore.open(workspace.embeddings) as stored:
            stored.put(*space, {each.sha256: self.vectors[each.sha256] for each in photos})
        return workspace

    def embed(self, photos: Sequence[Photo], serving: Serving) -> None:
        new = [each for each in photos if each.sha256 not in self.vectors]
        for at in range(0, len(new), BATCH):
            part, size = new[at : at + BATCH], serving.backbone.input_size
            pixels = [decode(each.path.read_bytes(), size, LIMITS)[0] for each in part]
            embeddings = serving.embed(np.stack(pixels))
            self.vectors |= {each.sha256: row for each, row in zip(part, embeddings, strict=True)}

    def copied(self, base: Workspace) -> Workspace:
        self.made += 1
        root = self.folder / f"ws{self.made}"
        backbones = base.backbones.resolve()
        leave = shutil.ignore_patterns(base.backbones.name)
        shutil.copytree(base.root, root, symlinks=True, ignore=leave)
        workspace = Workspace.open(root)
        workspace.backbones.symlink_to(backbones)
        return workspace

    def split(self, base: Workspace, seed: int) -> tuple[Workspace, set[str]]:
        """A copy in which a grouped fifth is held out, and which pictures that are."""
        workspace = self.copied(base)
        with Store.open(workspace.database, root=workspace.root) as store:
            labels, names = store.current_labels(), store.class_names()
            vectors = {sha256: self.vectors[sha256][None] for sha256 in labels}
            material = collect(
                labels, store.training_records(), names, lambda _: Stored(vectors, {})
            )
            order = np.random.default_rng(seed).permutation(len(material.labelled))
            pictures = [material.labelled[at] for at in order]
            groups = material.grouping().groups
            of_picture = {name: at for at, group in enumerate(groups) for name in group}
            folds = cross_folds(
                [each.label for each in pictures],
                [of_picture[each.sha256] for each in pictures],
                FOLDS,
            )
            held = {each.sha256 for each, fold in zip(pictures, folds, strict=True) if not fold}
            sides: dict[str, Side] = {
                name: "holdout" if name in held else "train" for name in labels
            }
            store.freeze_splits(sides)
        return workspace, held

    def judged(self, model: Classifier, photos: Sequence[Photo]) -> Sequence[Verdict]:
        return model.judge(np.stack([self.vectors[each.sha256] for each in photos]), 1)

    def trained(self, workspace: Workspace) -> Trained:
        if not self.whole:
            return step_by_step(workspace)
        outcome = retrain(workspace, Options(), Quiet())
        with Store.open(workspace.database, root=workspace.root) as store:
            names, confidence = store.class_names(), workspace.config.model.confidence
        model = Registry(workspace.models).load(outcome.card.version, names, confidence)
        return Trained(model, outcome.findings.verdict, outcome.findings.suspects)

    def missing(self, seeds: range) -> None:
        """What becomes of the pictures of a class without labels."""
        every = self.photos("cats_dogs_snakes")
        for words, taught in MISSING:
            left = [each for each in every if each.truth not in taught.split(",")]
            rest = [each for each in every if each.truth in taught.split(",")]
            base = self.workspace(words, rest, left)
            before = told(self.judged(served(base), left), left)
            print(f"classes {words}, labels of {taught}, {left[0].truth}s missing", flush=True)
            print(f"  {len(left)} pictures of that class; v1: {before}", flush=True)
            verdicts, pooled, held_verdicts, held_pooled = [], [], [], []
            for seed in seeds:
                workspace, held = self.split(base, seed)
                model = self.trained(workspace).classifier
                verdicts += self.judged(model, left)
                pooled += left
                unseen = [each for each in rest if each.sha256 in held]
                held_verdicts += self.judged(model, unseen)
                held_pooled += unseen
                shutil.rmtree(workspace.root)
            print(f"  v2, {len(seeds)} splits: {told(verdicts, pooled)}")
            print(f"  v2, held-out pictures of the others: {told(held_verdicts, held_pooled)}")
            print(f"  {taken(verdicts, pooled)}", flush=True)

    def foreign(self, seeds: range) -> None:
        """Pictures of no known class into a learned cat/dog/snake model."""
        every = self.photos("cats_dogs_snakes")
        others = {name: self.photos(name) for name in FOREIGN}
        base = self.workspace("cat,dog,snake", every, [*chain(*others.values())])
        filed = {name: [0, 0] for name in FOREIGN}
        for seed in seeds:
            workspace, _ = self.split(base, seed)
            model = self.trained(workspace).classifier
            for name, count in filed.items():
                verdicts = self.judged(model, others[name])
                count[0] += sum(each.decision == "filed" for each in verdicts)
                count[1] += len(verdicts)
            shutil.rmtree(workspace.root)
        for name, (count, images) in filed.items():
            first = self.judged(served(base), others[name])
            before = np.mean([each.decision == "filed" for each in first])
            print(
                f"{name} into cat, dog, snake, {len(seeds)} splits: {count} of {images} filed "
                f"({count / images:.1%}; by v1 {before:.1%})",
                flush=True,
            )

    def shuffled(self, seeds: range, sets: Sequence[str]) -> None:
        """Wrong labels against a champion that was trained with right ones."""
        for chosen in sets:
            name, _, words = chosen.partition("=")
            photos = self.photos(name)
            base, _ = self.split(self.workspace(words, photos), 0)
            clean = retrain(base, Options(force=True), Quiet()).findings
            print(
                f"{name}: clean champion's macro F1 {clean.evaluation.macro_f1:.3f} on "
                f"{clean.material.held_out} held-out pictures",
                flush=True,
            )
            for share in (1.0, SHUFFLED):
                self._against(base, share, seeds, len(photos))

    def _against(self, base: Workspace, share: float, seeds: range, images: int) -> None:
        refused, leading, lengths, wrong_in_all, f1 = 0, [0, 0], 0, [0, 0], []
        for seed in seeds:
            workspace = self.copied(base)
            wrong, training = shuffle(workspace, share, seed)
            found = self.trained(workspace)
            refused += not found.verdict.promoted
            f1.append(found.verdict.challenger_f1)
            suspects = [each.sha256 for each in found.suspects]
            first = suspects[: max(round(LEADING * len(suspects)), 1)]
            leading[0] += sum(each in wrong for each in first)
            leading[1] += len(first)
            wrong_in_all[0] += sum(each in wrong for each in suspects)
            wrong_in_all[1] += len(wrong)
            lengths += len(suspects)
            shutil.rmtree(workspace.root)
        print(
            f"  {share:.0%} of {training} training labels shuffled: "
            f"refused {refused} of {len(seeds)}, macro F1 {np.mean(f1):.3f} on average"
        )
        if share < 1:
            print(
                f"  suspected on average {lengths / len(seeds):.1f} of {images}, wrong "
                f"on average {wrong_in_all[1] / len(seeds):.1f}; "
                f"precision {wrong_in_all[0] / max(lengths, 1):.2f} "
                f"in all, {leading[0] / max(leading[1], 1):.2f} among the first {LEADING:.0%}; "
                f"found {wrong_in_all[0] / max(wrong_in_all[1], 1):.2f} of the wrong ones",
                flush=True,
            )

    def precision(self, seeds: range, sets: Sequence[str]) -> None:
        """What is filed of pictures that the training never saw."""
        for chosen in sets:
            name, _, words = chosen.partition("=")
            photos = self.photos(name)
            base = self.workspace(words, photos)
            verdicts, pooled = [], []
            for seed in seeds:
                workspace, held = self.split(base, seed)
                unseen = [each for each in photos if each.sha256 in held]
                verdicts += self.judged(self.trained(workspace).classifier, unseen)
                pooled += unseen
                shutil.rmtree(workspace.root)
            print(
                f"{name}, {len(seeds)} splits, held-out pictures: {told(verdicts, pooled)}",
                flush=True,
            )


def shuffle(workspace: Workspace, share: float, seed: int) -> tuple[set[str], int]:
    """Shuffle that part of the training labels; which are wrong now, and how many there are."""
    with Store.open(workspace.database, root=workspace.root) as store:
        labels, names = store.current_labels(), store.class_names()
        records = store.training_records()
        training = sorted(name for name in labels if records[name].side == "train")
        rng = np.random.default_rng(seed)
        chosen = rng.permutation(training)[: round(share * len(training))].tolist()
        said = dict(zip(chosen, rng.permutation(chosen).tolist(), strict=True))
        wrong = {at for at, other in said.items() if labels[at].class_id != labels[other].class_id}
        new = [
            NewLabel(at, "label", names[labels[said[at]].class_id or 0], "cli", representative=True)
            for at in sorted(wrong)
        ]
        store.add_labels(None, new)
    return wrong, len(training)


def served(workspace: Workspace) -> Classifier:
    with Store.open(workspace.database, root=workspace.root) as store:
        return open_serving(workspace, store, idle=True).classifier


def step_by_step(workspace: Workspace) -> Trained:
    """What `retrain` does, without learning curve and report."""
    registry, config = Registry(workspace.models), workspace.config
    with Store.open(workspace.database, root=workspace.root) as store:
        labels, names = store.current_labels(), store.class_names()
        records = store.training_records()
        serving = open_serving(workspace, store, idle=True)
    space = serving.backbone.id, serving.runtime.precision
    with EmbeddingStore.open(workspace.embeddings) as stored:
        vectors = {name: row[None] for name, row in stored.get(*space, list(labels)).items()}
    material = collect(labels, records, names, lambda _: Stored(vectors, {}))
    tensors = registry.tensors(serving.card.version)
    champion = Champion.of(serving.card, tensors, serving.classifier, config.model.confidence)
    grouping = material.grouping()
    parts = split(material.labelled, grouping, material.holdout_share)
    taught = lessons(material, parts.training, (), grouping)
    learning = config.learning
    challenger = train(material, parts.training, taught, champion, learning.target_precision)
    contests = hold_exam(material, parts, champion, challenger).contests(grouping)
    return Trained(
        challenger.classifier,
        verdict_on(challenger, contests, champion, learning.gate_margin),
        doubtful(material, parts, challenger),
    )


def told(verdicts: Sequence[Verdict], photos: Sequence[Photo]) -> str:
    right = [each.label == photo.truth for each, photo in zip(verdicts, photos, strict=True)]
    filed = [each.decision == "filed" for each in verdicts]
    both = sum(one and other for one, other in zip(right, filed, strict=True))
    return (
        f"{np.mean(right):.3f} right, {sum(filed)} of {len(filed)} filed ({np.mean(filed):.3f}), "
        f"{both} of them rightly ({both / max(sum(filed), 1):.4f}), wrongly filed "
        f"{(sum(filed) - both) / len(filed):.4f} of all"
    )


def taken(verdicts: Sequence[Verdict], photos: Sequence[Photo]) -> str:
    """For what, and why not filed."""
    wrong = [each for each, one in zip(verdicts, photos, strict=True) if each.label != one.truth]
    reasons = Counter((each.reason or "filed").split(" is below")[0][:30] for each in wrong)
    return f"not recognised: {len(wrong)}; {dict(reasons.most_common(4))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("promise", choices=["missing", "foreign", "shuffled", "precision"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    with tempfile.TemporaryDirectory(prefix="imgsort-promises-") as folder:
        school = School(options.data, Path(folder), whole=options.whole)
        if options.promise == "missing":
            school.missing(seeds)
        elif options.promise == "foreign":
            school.foreign(seeds)
        elif options.promise == "shuffled":
            school.shuffled(seeds, options.sets)
        else:
            school.precision(seeds, options.sets)


if __name__ == "__main__":
    main()
