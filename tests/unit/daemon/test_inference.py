"""Looked up, embedded once, judged in order."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from imgsort.daemon.pipeline.inference import ModelInference
from imgsort.disk.identity import Identity
from imgsort.filing import Candidate, InboxPicture
from imgsort.images import ImageFacts
from imgsort.images.outcome import Picture, Refused
from imgsort.models.heads.classifier import Classifier
from imgsort.models.serving import Serving
from imgsort.records.model_card import ModelCard
from imgsort.records.verdict import Verdict

FACTS = ImageFacts(8, 8, "JPEG", None, None, 0)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class MeanRuntime:
    """Embeds a picture as its mean brightness; counts what it is given."""

    name, precision = "fake", "float32"

    def __init__(self) -> None:
        self.embedded = 0

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.embedded += len(images)
        means = images.reshape(len(images), -1).mean(axis=1, keepdims=True)
        return np.asarray(means, np.float32)


class BrightHead:
    """dark or bright, by how much."""

    classes = ("dark", "bright")

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        share = embeddings / 255
        return np.concatenate([1 - share, share], axis=1)


class Memory:
    def __init__(self, known: Mapping[str, Verdict]) -> None:
        self.known = known

    def of(self, sha256s: Sequence[str], model: int) -> Mapping[str, Verdict]:
        assert model == 3
        return {sha256: self.known[sha256] for sha256 in sha256s if sha256 in self.known}


class Shelf:
    """Keeps what it is given, by precision and content."""

    def __init__(self) -> None:
        self.vectors: dict[tuple[str, str], list[float]] = {}

    def keep(
        self, backbone_id: str, precision: str, vectors: Mapping[str, NDArray[np.float32]]
    ) -> None:
        assert backbone_id == "fake-1"
        self.vectors |= {(precision, one): vector.tolist() for one, vector in vectors.items()}


def inference(
    known: Mapping[str, Verdict], shelf: Shelf | None = None
) -> tuple[ModelInference, MeanRuntime]:
    runtime = MeanRuntime()
    card = ModelCard(
        version=3,
        kind="imagenet",
        backbone="fake",
        backbone_id="fake-1",
        precision="float32",
        classes=(),
        temperature=1.0,
        thresholds=(),
        metrics={},
        parent=None,
        created_at="2026-11-22T00:00:00Z",
        checksums={},
    )
    backbone = SimpleNamespace(id="fake-1")
    serving = Serving(card, backbone, runtime, Classifier(BrightHead(), [0.7, 0.7]), 2)  # type: ignore[arg-type]
    return ModelInference(Memory(known), lambda: serving, shelf), runtime


def picture(name: str, brightness: int, sha256: str | None = None) -> InboxPicture:
    path = Path("/inbox/trip", name)
    pixels = np.full((8, 8, 3), brightness, np.uint8)
    outcome = Picture(path, Identity(1, hash(name), 1, 1), sha256 or name, FACTS, pixels)
    return InboxPicture(Candidate(path, b"trip", NOW, 0.0), outcome)


def test_verdicts_come_in_the_order_of_the_batch() -> None:
    """A refused file in between takes no verdict away from its neighbours."""
    stage, _ = inference({})
    path = Path("/inbox/bad.jpg")
    refused = Refused(path, Identity(1, 2, 3, 4), "bad", "the file is cut short")
    bad = InboxPicture(Candidate(path, b"", NOW, 0.0), refused)
    judged = stage.judge([picture("night", 5), bad, picture("snow", 250), picture("fog", 128)])
    assert [one.verdict and (one.verdict.label, one.verdict.decision) for one in judged] == [
        ("dark", "filed"),
        None,
        ("bright", "filed"),
        ("bright", "unsure"),
    ]
    assert [one.model for one in judged] == [3, None, 3, 3]
    assert [one.candidate.subfolder for one in judged] == [b"trip", b"", b"trip", b"trip"]


def test_equal_bytes_are_embedded_once() -> None:
    """Twins in one batch share a verdict."""
    stage, runtime = inference({})
    judged = stage.judge([picture(name, 200, sha256="same") for name in ("a", "b", "c")])
    assert runtime.embedded == 1
    assert len({one.verdict for one in judged}) == 1


def test_what_this_model_said_before_is_not_asked_again() -> None:
    """Content seen in an earlier run is looked up."""
    known = Verdict("dark", 0.99, "filed", None, ())
    stage, runtime = inference({"old": known})
    judged = stage.judge([picture("again", 250, sha256="old")])
    assert (judged[0].verdict, runtime.embedded) == (known, 0)


def test_what_was_embedded_is_handed_on() -> None:
    """Every embedding that was computed is kept, once a content, under its precision; none that
    was not needed."""
    shelf = Shelf()
    known = Verdict("dark", 0.99, "filed", None, ())
    stage, _ = inference({"old": known}, shelf)
    stage.judge(
        [picture("a", 10), picture("b", 250), picture("c", 10, "a"), picture("d", 5, "old")]
    )
    assert shelf.vectors == {("float32", "a"): [10.0], ("float32", "b"): [250.0]}
