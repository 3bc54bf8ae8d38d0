"""What there is to learn from: labels, what is known of their pictures, and their embeddings."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imgsort.classifier import Classifier
from imgsort.labelling import HumanLabel
from imgsort.store.training import FiledRecord, TrainingRecord
from imgsort.trainer.dataset import Labelled, Split, holdout_share
from imgsort.trainer.groups import Grouping, group
from imgsort.trainer.links import Shot

Floats = NDArray[np.float32]


class Embedded(Protocol):
    """What came of looking embeddings up (``imgsort.completing.Embedded``)."""

    @property
    def vectors(self) -> Mapping[str, Floats]:
        """sha256 -> [1 + views, D]; the first row is the picture as it is."""

    @property
    def missing(self) -> Mapping[str, str]:
        """sha256 -> why there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Labels of pictures that can be learned from."""

    names: Mapping[int, str]
    """The classes there are now."""
    labelled: tuple[Labelled, ...]
    records: Mapping[str, TrainingRecord]
    vectors: Mapping[str, Floats]
    """sha256 -> [1 + views, D]; of the assumed ones only the plain row is used."""
    assumed: tuple[Labelled, ...]
    """Pictures that the champion is sure of and that lie where it put them, uncontradicted."""
    aside: tuple[str, ...]
    """Pictures that a human took out of every class."""
    unreadable: int
    """Labelled pictures that are gone, or can't be read."""

    def rows(self, pictures: Iterable[Labelled]) -> Floats:
        """[N, D]: the pictures as they are."""
        return self.of([picture.sha256 for picture in pictures])

    def of(self, sha256s: Iterable[str]) -> Floats:
        """[N, D]"""
        found = [self.vectors[sha256][0] for sha256 in sha256s]
        return np.stack(found) if found else np.zeros((0, 0), np.float32)

    def per_class(self) -> Counter[int]:
        return Counter(picture.label for picture in self.labelled)

    @property
    def holdout_share(self) -> float:
        """Of each class."""
        return holdout_share(sum(picture.representative for picture in self.labelled))

    def path(self, sha256: str) -> Path | None:
        """Where the picture lies, if it does."""
        record = self.records[sha256]
        return record.path if record.there else None

    def grouping(self) -> Grouping:
        """Near-duplicates and bursts among all these pictures."""
        pictures = (*self.labelled, *self.assumed)
        shots = [_shot(self.records[picture.sha256]) for picture in pictures]
        return group(shots, self.rows(pictures))

    def assumed_apart(self, split: Split, grouping: Grouping) -> tuple[Labelled, ...]:
        """The assumed ones that are like no picture on the holdout's side."""
        held = {picture.sha256 for picture in (*split.holdout, *split.waiting)}
        together: Iterable[tuple[str, ...]] = (*grouping.groups, *grouping.links)
        near = {name for names in together if not held.isdisjoint(names) for name in names}
        return tuple(picture for picture in self.assumed if picture.sha256 not in near)


def collect(
    labels: Mapping[str, HumanLabel],
    records: Mapping[str, TrainingRecord],
    names: Mapping[int, str],
    embed: Callable[[Mapping[str, Path]], Embedded],
) -> Material:
    """Put together what the log knows; ``embed`` is given the pictures that have a label."""
    wanted = {
        sha256: path
        for sha256, label in labels.items()
        if (path := records[sha256].path) is not None
        and (label.kind != "label" or label.class_id in names)
    }
    vectors = embed(wanted).vectors
    spoken = [label for sha256, label in sorted(labels.items()) if sha256 in vectors]
    labelled = tuple(
        Labelled(label.sha256, label.class_id, label.representative, records[label.sha256].side)
        for label in spoken
        if label.kind == "label" and label.class_id is not None
    )
    return Material(
        names=names,
        labelled=labelled,
        records=records,
        vectors=vectors,
        assumed=(),
        aside=tuple(label.sha256 for label in spoken if label.kind != "label"),
        unreadable=sum(label.kind == "label" for label in labels.values()) - len(labelled),
    )


def with_assumed(
    material: Material,
    filed: Mapping[str, FiledRecord],
    vectors: Mapping[str, Floats],
    champion: Classifier,
) -> Material:
    """The pictures nobody has spoken of, where the champion would still file them as they lie.

    ``vectors`` [D] are those that are stored; for these none is computed. A picture nobody moved
    says little, but corrections alone are all hard cases, and a head that has seen nothing else
    was truly up to 7 points worse than the model it came from.
    """
    known = sorted(sha256 for sha256 in filed if sha256 in vectors)
    if not known:
        return material
    verdicts = champion.judge(np.stack([vectors[sha256] for sha256 in known]), 1)
    sure = [
        sha256
        for sha256, verdict in zip(known, verdicts, strict=True)
        if verdict.decision == "filed"
        and verdict.label == material.names.get(filed[sha256].class_id)
    ]
    return replace(
        material,
        assumed=tuple(Labelled(sha256, filed[sha256].class_id, False) for sha256 in sure),
        records={**material.records, **{sha256: filed[sha256].record for sha256 in sure}},
        vectors={**material.vectors, **{sha256: vectors[sha256][None] for sha256 in sure}},
    )


def _shot(record: TrainingRecord) -> Shot:
    # Without a fingerprint a picture is like no other; its own hash serves for one.
    dhash = int(record.sha256[:16], 16) if record.dhash is None else record.dhash
    return Shot(record.sha256, dhash, record.subfolder, record.camera, record.captured_at)
