"""A backbone as it lies in ``state/backbones/<id>/``: opened, checked, never changed."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from imgsort.errors import ModelProblem
from imgsort.images import PREPROCESSING

CARD = "backbone.json"
WEIGHTS = "weights.safetensors"
HEAD = "imagenet_head.safetensors"
GRAPH = "model.xml"
GRAPH_WEIGHTS = "model.bin"
CACHE = "cache"
REINSTALL = "put it back with `imgsort models reinstall`"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Card:
    """backbone.json."""

    id: str
    name: str
    input_size: int
    width: int
    preprocessing: str
    weights: str
    """Where the weights came from, for people."""
    files: dict[str, str]
    """SHA-256 of each file beside the card."""
    final: int
    """Length of the network's own embedding, the first part of ``width``."""
    inner: tuple[int, ...]
    """Lengths of the means of inner layers that follow it."""
    extends: str | None
    """Id of the form without them, whose embeddings are this one's first part."""

    def rendered(self) -> bytes:
        return (json.dumps(asdict(self), indent=2) + "\n").encode()

    @classmethod
    def parsed(cls, text: bytes) -> Self:
        """Raises ValueError, TypeError or KeyError where the text is no such card."""
        table: dict[str, Any] = json.loads(text)
        if "final" not in table:  # written before there were inner layers
            table |= {"final": table["width"], "inner": [], "extends": None}
        card = cls(**{**table, "inner": tuple(table["inner"])})
        if not {GRAPH, GRAPH_WEIGHTS, WEIGHTS} <= set(dict(card.files)):
            raise ValueError("files are not listed")
        if card.final + sum(card.inner) != card.width:
            raise ValueError("the parts don't make up the whole")
        return card


@dataclass(frozen=True, slots=True)
class InstalledBackbone:
    """A backbone ready to run. ``path`` is its folder."""

    id: str
    name: str
    input_size: int
    final: int
    """Length of the network's own embedding, the first part of every vector."""
    path: Path
    card: Card
    inner: tuple[int, ...] = ()
    """Lengths of the means of inner layers that follow it."""
    extends: str | None = None
    """Id of the form without them, whose embeddings are this one's first part."""

    @property
    def width(self) -> int:
        """Length of the whole embedding."""
        return self.final + sum(self.inner)

    def stands_in_for(self, backbone_id: str) -> bool:
        """Can a head made for the backbone with this id look through this one?"""
        return backbone_id in {self.id, self.extends}

    @classmethod
    def open(cls, folder: Path, id: str) -> Self:  # noqa: A002 - the contract's word
        """Open ``folder/<id>`` and compare what a CPU needs of it with the recorded SHA-256 sums.

        The large ``weights.safetensors`` is compared where it is read. Raises ModelProblem.
        """
        path = folder / id
        if not _ID.fullmatch(id):
            raise ModelProblem(f"{id!r} is no id of a backbone; {REINSTALL}.")
        try:
            card = Card.parsed((path / CARD).read_bytes())
        except OSError as problem:
            raise ModelProblem(
                f"The backbone {path} can't be read ({problem.strerror}); {REINSTALL}."
            ) from problem
        except (ValueError, TypeError, KeyError) as problem:
            raise ModelProblem(f"{path / CARD} is damaged; {REINSTALL}.") from problem
        if card.id != id or card.preprocessing != PREPROCESSING:
            raise ModelProblem(
                f"The backbone {path} was made by another version of imgsort; {REINSTALL}."
            )
        backbone = cls(
            card.id, card.name, card.input_size, card.final, path, card, card.inner, card.extends
        )
        for name in card.files:
            if name != WEIGHTS:
                backbone.verified(name)
        return backbone

    def verified(self, name: str) -> Path:
        """The path of one of its files, whose bytes are as installed. Raises ModelProblem."""
        path = self.path / name
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as problem:
            raise ModelProblem(
                f"{path} can't be read ({problem.strerror}); {REINSTALL}."
            ) from problem
        if found != self.card.files[name]:
            raise ModelProblem(f"{path} is damaged (its SHA-256 differs); {REINSTALL}.")
        return path

    def imagenet_head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Weight [D,1000] and bias [1000]; None when the weights came without a top."""
        if HEAD not in self.card.files:
            return None
        import safetensors.numpy

        tensors = safetensors.numpy.load_file(self.verified(HEAD))
        return tensors["weight"], tensors["bias"]
