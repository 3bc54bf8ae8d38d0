"""Head, classes and thresholds: embeddings become verdicts. NumPy only."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from imgsort.models.nearness import Nearness, log_odds, nearness
from imgsort.records.reasons import Reason, ReasonCode
from imgsort.records.verdict import (
    NEVER,
    NOT_FINITE,
    NOTHING_KNOWN,
    RETIRED,
    Score,
    Verdict,
    shortfall,
)

_STAYS_IN_DOUBT = frozenset({ReasonCode.UNLIKE, ReasonCode.NOT_FILED_YET})
"""What no threshold changes."""


class Head(Protocol):
    """The small, versioned part of a model that sits on a frozen backbone."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, D] embeddings -> [N, K] confidences in class order; a row need not sum to 1."""
        ...


class Familiar(Protocol):
    """Knows what a model was trained on."""

    def unlikeness(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N]: distance of each row of [N, D] from the training; above 1 it is unlike it."""
        ...

    def doubts(
        self,
        embeddings: NDArray[np.float32],
        winners: NDArray[np.intp],
        unlikeness: NDArray[np.float32],
    ) -> list[Reason | None]:
        """Per row of [N, D]: why it can't be filed under its best class (a column), or None.

        One of UNLIKE and NOT_FILED_YET.
        """
        ...


class ImagenetHead:
    """The 1,000 ImageNet classes that came with the backbone, summed into the user's own."""

    def __init__(
        self,
        classes: Sequence[str],
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        groups: NDArray[np.bool_],
        temperature: float = 1.0,
    ) -> None:
        """``weight`` [D, C], ``bias`` [C], ``groups`` [K, C]: which ImageNet classes each class is.

        Raises ValueError when the shapes don't fit each other.
        """
        columns = bias.size
        if weight.shape[1:] != bias.shape or groups.shape != (len(classes), columns):
            raise ValueError(
                f"weight {weight.shape}, bias {bias.shape} and groups {groups.shape} "
                f"don't fit {len(classes)} classes"
            )
        self.classes = tuple(classes)
        self.weight = np.asarray(weight, np.float32)
        self.bias = np.asarray(bias, np.float32)
        if not (0 < temperature < float("inf")):
            raise ValueError(f"a temperature can't be {temperature}")
        self.temperature = temperature
        self._members = np.ascontiguousarray(groups.T, np.float32)
        alone = bool(classes) and (groups.sum(axis=1) == 1).all()
        self._columns = groups.argmax(axis=1) if alone else None
        """Where every class is one ImageNet class: which; there is nothing to sum then."""

    @classmethod
    def knowing_nothing(cls) -> Self:
        """The head of a backbone whose weights came without the classification top."""
        empty = np.zeros((0, 0), np.float32)
        return cls((), empty, np.zeros(0, np.float32), np.zeros((0, 0), np.bool_))

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, K] raw sums of the softmax over each group, not renormalised: a rest is left over.

        Of embeddings wider than it is, a head takes the first part, the network's own.
        """
        if not self.classes:
            return np.zeros((len(embeddings), 0), np.float32)
        own = np.asarray(embeddings, np.float32)[:, : len(self.weight)]
        logits = (own @ self.weight + self.bias) / self.temperature
        shares = softmax(logits)
        if self._columns is None:
            return shares @ self._members
        picked: NDArray[np.float32] = shares[:, self._columns]
        return picked


class Classifier:
    """A head, per class the confidence from which on an image is filed, and what it knows at all.

    Without ``familiar`` nothing is too foreign to be judged.
    """

    def __init__(
        self, head: Head, thresholds: Sequence[float], familiar: Familiar | None = None
    ) -> None:
        """Raises ValueError unless there is one threshold a class: from 0 to 1, NEVER, RETIRED."""
        if len(thresholds) != len(head.classes):
            raise ValueError(f"{len(thresholds)} thresholds for {len(head.classes)} classes")
        if not all(0 <= one <= 1 or one in {NEVER, RETIRED} for one in thresholds):
            raise ValueError("a threshold lies outside 0 to 1")
        self.head = head
        self.familiar = familiar
        self.thresholds = np.asarray(thresholds, np.float32)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.head.classes

    @property
    def limits(self) -> str:
        """A digest of the thresholds."""
        return hashlib.sha256(self.thresholds.tobytes()).hexdigest()[:16]

    def with_confidence(self, confidence: float) -> Self:
        """The same head with one threshold for every class."""
        return type(self)(self.head, [confidence] * len(self.classes), self.familiar)

    def limited(self, floor: float | None, retired: Sequence[bool]) -> Self:
        """The same head that files nothing below ``floor``, nor under a ``retired`` class."""
        lowest = self.thresholds if floor is None else np.maximum(self.thresholds, floor)
        limits = np.where(np.asarray(retired, np.bool_), RETIRED, lowest).tolist()
        return type(self)(self.head, limits, self.familiar)

    def needs(self, label: str) -> float | None:
        """The confidence from which on this class is filed; None where none is enough, or this is
        no class."""
        if label not in self.classes:
            return None
        threshold = float(self.thresholds[self.classes.index(label)])
        return None if threshold in {NEVER, RETIRED} else round(threshold, 6)

    def judge(self, embeddings: NDArray[np.float32], top_k: int) -> list[Verdict]:
        """A verdict for each row of ``embeddings`` [N, D]; ``top_k`` may exceed the classes."""
        return self._judged(embeddings, top_k)[0]

    def judge_nearness(
        self, embeddings: NDArray[np.float32], top_k: int
    ) -> tuple[list[Verdict], Nearness]:
        """The same, and how near each verdict is to another folder."""
        verdicts, scores, unlikeness = self._judged(embeddings, top_k)
        if not self.classes:
            far = np.full(len(verdicts), np.inf, np.float32)
            return verdicts, Nearness(far, far)
        return verdicts, nearness(scores, self.thresholds, unlikeness)

    def _judged(
        self, embeddings: NDArray[np.float32], top_k: int
    ) -> tuple[list[Verdict], NDArray[np.float32], NDArray[np.float32] | None]:
        """With the scores [N, K], NaN where they are of no use, and the unlikeness [N]."""
        if not self.classes:
            nothing = [_none(NOTHING_KNOWN)] * len(embeddings)
            return nothing, np.zeros((len(nothing), 0), np.float32), None
        # Overflow and NaN are told apart below, row by row; no warning should stop the batch.
        with np.errstate(all="ignore"):
            scores = self.head.scores(embeddings)
            usable = _finite_rows(embeddings) & _finite_rows(scores)
            scores = np.clip(scores, 0, 1)  # a float32 sum may end a hair above 1
            order = np.argsort(-scores, axis=1, kind="stable")[:, : max(top_k, 1)]
            unlikeness, doubts = self._seen(embeddings, order[:, 0])
        told = zip(_told(unlikeness, len(order)), doubts, strict=True)
        verdicts = [
            self._verdict(row, best, max(top_k, 0), *said) if fine else _none(NOT_FINITE)
            for row, best, said, fine in zip(scores, order, told, usable, strict=True)
        ]
        scores[~usable] = np.nan
        return verdicts, scores, unlikeness

    def decide_again(self, verdict: Verdict) -> Verdict:
        """A verdict this head gave before, under the thresholds of now."""
        stays = verdict.doubt is not None and verdict.doubt.code in _STAYS_IN_DOUBT
        if verdict.label not in self.classes or stays:
            return verdict
        threshold = float(self.thresholds[self.classes.index(verdict.label)])
        doubt = shortfall(verdict.confidence, threshold)
        return replace(verdict, decision="filed" if doubt is None else "unsure", doubt=doubt)

    def gap(self, verdict: Verdict) -> float:
        """Log-odds between a verdict's confidence and what its class takes now, to be filed."""
        if verdict.label not in self.classes:
            return math.inf
        threshold = float(self.thresholds[self.classes.index(verdict.label)])
        if threshold > 1:
            return math.inf
        confidence, least = log_odds(np.array([verdict.confidence, threshold], np.float32))
        return abs(float(confidence - least))

    def _seen(
        self, embeddings: NDArray[np.float32], winners: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32] | None, list[Reason | None]]:
        """Per row: how unlike the training it is, and the doubt about it."""
        if self.familiar is None:
            return None, [None] * len(embeddings)
        unlikeness = self.familiar.unlikeness(embeddings)
        return unlikeness, self.familiar.doubts(embeddings, winners, unlikeness)

    def _verdict(
        self,
        scores: NDArray[np.float32],
        order: NDArray[np.intp],
        top_k: int,
        unlikeness: float | None,
        doubt: Reason | None,
    ) -> Verdict:
        ranked = tuple(Score(self.classes[i], float(scores[i])) for i in order)
        best = ranked[0]
        doubt = doubt or shortfall(best.confidence, float(self.thresholds[order[0]]))
        decision: Literal["filed", "unsure"] = "filed" if doubt is None else "unsure"
        return Verdict(best.label, best.confidence, decision, doubt, ranked[:top_k], unlikeness)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row by row over [N, C]; the largest logit is taken off first, so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _told(unlikeness: NDArray[np.float32] | None, count: int) -> list[float | None]:
    if unlikeness is None:
        return [None] * count
    return [one if math.isfinite(one) else None for one in unlikeness.tolist()]


def _finite_rows(numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.array(np.isfinite(numbers).all(axis=1), np.bool_)


def _none(doubt: Reason) -> Verdict:
    return Verdict("", 0.0, "unsure", doubt, ())
