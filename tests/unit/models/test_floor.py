"""`model.confidence` is a floor under every model, and says so."""

import numpy as np
import pytest

from imgsort.models.floor import filed_from
from imgsort.models.heads.classifier import Classifier, ImagenetHead
from imgsort.records.model_card import ClassEntry
from imgsort.records.verdict import CLASS_RETIRED, NEVER
from imgsort.workspace.config import parse_config
from tests.logbook import card


def classifier(*thresholds: float) -> Classifier:
    """Its confidences are the embedding's softmax."""
    count = len(thresholds)
    names = ("cat", "dog", "snake")[:count]
    weight, bias = np.eye(count, dtype=np.float32), np.zeros(count, np.float32)
    head = ImagenetHead(names, weight, bias, np.eye(count, dtype=np.bool_))
    return Classifier(head, thresholds)


CAT_066 = np.array([[1.0, 0.3333, -9.0]], np.float32)
"""Two thirds cat."""


@pytest.mark.parametrize(
    ("floor", "decision", "reason"),
    [
        (None, "filed", None),
        (0.5, "filed", None),
        (0.9, "unsure", "confidence 0.66 is below 0.90"),
    ],
)
def test_nothing_below_the_floor_is_filed(
    floor: float | None, decision: str, reason: str | None
) -> None:
    """A learned threshold of 0.41 files from 0.41 on, unless the floor is higher; by whichever way
    a verdict comes about."""
    learned = classifier(0.41, 0.41, 0.41)
    limited = learned.limited(floor, [False] * 3)
    [verdict] = limited.judge(CAT_066, 1)
    assert (verdict.decision, verdict.reason) == (decision, reason)
    [before] = learned.judge(CAT_066, 1)
    again = limited.decide_again(before)
    assert (again.decision, again.reason) == (decision, reason)


def test_a_floor_never_lowers_a_threshold() -> None:
    """0.3 under a class that needs 0.9, and under one that is never filed, changes nothing."""
    limited = classifier(0.9, NEVER).limited(0.3, [False, False])
    assert limited.thresholds.tolist() == pytest.approx([0.9, NEVER])


def test_nothing_is_filed_under_a_retired_class() -> None:
    """Its pictures go to unsure/ with the reason, at whatever confidence; the others are filed."""
    sure = np.array([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]], np.float32)
    limited = classifier(0.4, 0.4, 0.4).limited(None, [True, False, False])
    told = [(one.label, one.decision, one.doubt) for one in limited.judge(sure, 1)]
    assert told == [("cat", "unsure", CLASS_RETIRED), ("dog", "filed", None)]


def test_without_the_key_there_is_no_floor() -> None:
    """A first model files from 0.7 on, a learned one from its own; "auto" says the same."""
    for table in ({}, {"model": {"confidence": "auto"}}):
        model = parse_config(table, "config.toml").model
        assert (model.confidence, model.first_confidence) == (None, 0.7)
    model = parse_config({"model": {"confidence": 0.9}}, "config.toml").model
    assert (model.confidence, model.first_confidence) == (0.9, 0.9)


@pytest.mark.parametrize(
    ("kind", "thresholds", "floor", "said"),
    [
        ("imagenet", (0.7, 0.7), None, "0.70 on"),
        ("imagenet", (0.7, 0.7), 0.9999, "0.9999 on (model.confidence)"),
        ("dense", (0.41, 0.93, NEVER), None, "0.41 to 0.93 on, by class, as v2 has learned"),
        ("dense", (NEVER,), None, "nothing, yet"),
        (
            "dense",
            (0.41, 0.93, NEVER),
            0.3,
            "0.41 to 0.93 on, by class, as v2 has learned; model.confidence = 0.30 holds back "
            "nothing more",
        ),
        (
            "dense",
            (0.41, 0.93, NEVER),
            0.7,
            "0.70 to 0.93 on, by class: model.confidence = 0.70 holds 1 of 2 classes back, which "
            "v2 would file from 0.41 to 0.93 on",
        ),
    ],
)
def test_what_holds_is_said(
    kind: str, thresholds: tuple[float, ...], floor: float | None, said: str
) -> None:
    """The thresholds that are really used, and whether the key does anything."""
    classes = tuple(ClassEntry(number, f"c{number}") for number in range(1, len(thresholds) + 1))
    model = card(2, kind=kind, classes=classes, thresholds=thresholds)
    assert filed_from(model, floor) == said
