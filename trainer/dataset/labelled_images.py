"""What there is to learn from: labels, what is known of their pictures, and their embeddings."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort.models.embed import Embedded
from imgsort.records.labels import HumanLabel
from imgsort.store.training import TrainingRecord
from imgsort.trainer.dataset.groups import Grouping, group
from imgsort.trainer.dataset.near_duplicates import Shot
from imgsort.trainer.dataset.split import LabelledImage

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Labels of pictures that can be learned from."""

    names: Mapping[int, str]
    """The classes there are now."""
    labelled: tuple[LabelledImage, ...]
    records: Mapping[str, TrainingRecord]
    vectors: Mapping[str, Floats]
    """sha256 -> [1 + views, D]"""
    blocks: tuple[int, ...]
    """Widths of the final embedding and of the inner layers' means: they add up to D."""
    aside: tuple[str, ...]
    """Pictures that a human took out of every class."""
    unreadable: int
    """Labelled pictures that are gone, or can't be read."""

    def rows(self, pictures: Iterable[LabelledImage]) -> Floats:
        """[N, D]: the pictures as they are."""
        return self.of([picture.sha256 for picture in pictures])

    def of(self, sha256s: Iterable[str]) -> Floats:
        """[N, D]"""
        found = [self.vectors[sha256][0] for sha256 in sha256s]
        return np.stack(found) if found else np.zeros((0, sum(self.blocks)), np.float32)

    def per_class(self) -> Counter[int]:
        return Counter(picture.label for picture in self.labelled)

    def path(self, sha256: str) -> Path | None:
        """Where the picture lies, if it does."""
        record = self.records[sha256]
        return record.path if record.there else None

    def grouping(self) -> Grouping:
        """Near-duplicates and bursts among the labelled pictures, by their final embeddings."""
        shots = [_shot(self.records[picture.sha256]) for picture in self.labelled]
        return group(shots, self.rows(self.labelled)[:, : self.blocks[0]])


def collect(
    labels: Mapping[str, HumanLabel],
    records: Mapping[str, TrainingRecord],
    names: Mapping[int, str],
    blocks: tuple[int, ...],
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
        LabelledImage(label.sha256, label.class_id, label.representative)
        for label in spoken
        if label.kind == "label" and label.class_id is not None
    )
    return Material(
        names=names,
        labelled=labelled,
        records=records,
        vectors=vectors,
        blocks=blocks,
        aside=tuple(label.sha256 for label in spoken if label.kind != "label"),
        unreadable=sum(label.kind == "label" for label in labels.values()) - len(labelled),
    )


def _shot(record: TrainingRecord) -> Shot:
    # Without a fingerprint a picture is like no other; its own hash serves for one.
    dhash = int(record.sha256[:16], 16) if record.dhash is None else record.dhash
    return Shot(record.sha256, dhash, record.subfolder, record.camera, record.captured_at)
