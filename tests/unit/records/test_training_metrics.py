"""What a training says of its model: one type for the writer and all who read it."""

import json
from dataclasses import fields
from typing import Any

import pytest

from imgsort.records.model_card import parsed, rendered
from imgsort.records.training_metrics import GateWord, ModelFigures, TrainingMetrics
from tests.logbook import card

FIGURES = ModelFigures(0.9, 0.8, 0.95, 36, 0.9, 0.89, 0.03, 32, 31)
WHOLE = TrainingMetrics(
    trained_on="ab12",
    labels=120,
    labels_of={10: 40, 2: 80},
    held_out=40,
    augmented_views=0,
    recipe="logistic",
    target_precision=0.95,
    judged_on="representative",
    new=FIGURES,
    before=ModelFigures(0.8),
    gate=GateWord(True, False, False, 0.01, "It is better."),
)


def test_what_is_written_is_read() -> None:
    """Through a sealed model.json, every field; class ids are numbers again."""
    sealed = rendered(card(2, metrics=WHOLE.as_json()))
    assert parsed(sealed).training == WHOLE


def test_the_shape_of_the_file_stays() -> None:
    """The names and their order are what earlier versions wrote and read."""
    written = WHOLE.as_json()
    assert list(written) == [
        *("trained_on", "labels", "labels_of", "held_out", "augmented_views", "recipe"),
        *("target_precision", "judged_on", "new", "before", "gate"),
    ]
    assert json.dumps(written["labels_of"]) == '{"2": 80, "10": 40}'
    assert written["gate"] == {
        "promoted": True,
        "provisional": False,
        "forced": False,
        "lower_bound": 0.01,
        "sentence": "It is better.",
    }
    assert isinstance(written["new"], dict)
    assert list(written["new"]) == [each.name for each in fields(ModelFigures)]


@pytest.mark.parametrize(
    ("metrics", "read"),
    [
        ({}, TrainingMetrics()),
        ({"training": 80, "held_out": 20}, TrainingMetrics(held_out=20)),
        (
            {"judged_on": "held-out", "new": {"filed": 15, "images": 20}},
            TrainingMetrics(judged_on="held-out", new=ModelFigures(filed=15)),
        ),
        ({"labels": "many", "labels_of": [1], "held_out": 9}, TrainingMetrics(held_out=9)),
    ],
)
def test_the_card_of_another_version_is_read(
    metrics: dict[str, Any], read: TrainingMetrics
) -> None:
    """Other keys are left alone, missing or strange ones are as if nobody had said so; the card
    itself keeps what it was published with, or its seal would break."""
    published = card(2, metrics=metrics)
    assert published.training == read
    assert parsed(rendered(published)).metrics == metrics
