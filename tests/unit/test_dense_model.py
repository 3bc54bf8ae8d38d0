"""A learned model as tensors: what goes in comes out, and asks its old head where it should."""

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from imgsort.classifier import Classifier, ImagenetHead
from imgsort.dense_head import DenseHead, Familiarity, KeepingHead, Layer, Share
from imgsort.dense_model import (
    Advised,
    Ceded,
    Introduced,
    Tensors,
    advised_section,
    classes_of,
    familiarity_section,
    floors_section,
    head_of,
    keeping_section,
    known_of,
    learned_section,
    old_section,
    unproven_section,
)
from imgsort.verdict import NOT_FILED_YET, UNLIKE

CAT, DOG, SNAKE, NEWT = 1, 2, 3, 4
NAMES = {CAT: "cat", DOG: "dog", SNAKE: "snake", NEWT: "newt"}
EYE = np.eye(4, dtype=np.float32)


def first(*classes: int, strength: float = 8.0) -> Tensors:
    """An ImageNet head that sees class n in the n-th number, and four things it may be."""
    return {
        "classes": np.array(classes, np.int64),
        "temperature": np.array([1.0]),
        "weight": EYE * np.float32(strength),
        "bias": np.zeros(4, np.float32),
        "groups": np.stack([np.arange(4) == number - 1 for number in classes]),
    }


def learned(*classes: int) -> dict[str, NDArray[np.generic]]:
    weight = np.stack([EYE[number - 1] for number in classes], axis=1) * 4
    return learned_section(classes, [Layer(weight, np.zeros(len(classes), np.float32))], 0.5)


def again(section: Tensors) -> Tensors:
    """Through a file and back."""
    packed = {name: np.ascontiguousarray(tensor) for name, tensor in section.items()}
    found: Tensors = safetensors.numpy.load(safetensors.numpy.save(packed))
    return found


def named(number: int) -> str:
    return NAMES[number]


def test_a_dense_head_survives_the_file() -> None:
    """Layers, classes and temperature come back as they were."""
    section = again(learned(DOG, CAT))
    head = head_of(section, named)
    assert isinstance(head, DenseHead)
    assert (head.classes, head.temperature) == (("dog", "cat"), 0.5)
    assert classes_of(section) == (DOG, CAT)
    assert head.scores(EYE[:2]).argmax(axis=1).tolist() == [1, 0]


def test_a_kept_class_survives_the_file() -> None:
    """A class without labels is still told by the old head, under its present name."""
    section = learned(CAT, DOG) | old_section(first(CAT, DOG, SNAKE))
    section |= keeping_section([SNAKE], Share(), None)
    head = head_of(again(section), lambda number: {**NAMES, SNAKE: "python"}[number])
    assert isinstance(head, KeepingHead)
    assert head.classes == ("cat", "dog", "python")
    assert head.scores(EYE[:3]).argmax(axis=1).tolist() == [0, 1, 2]


def test_an_old_head_advises() -> None:
    """Where the new head can't tell, the old one decides; more trust, more so."""
    torn = np.array([[1, 1, 0, 0]], np.float32)
    old = head_of({**first(CAT, DOG), "weight": EYE * np.array([1, 3, 1, 1], np.float32)}, named)
    alone = head_of(learned(CAT, DOG), named)
    assert isinstance(alone, DenseHead)
    shares = [float(Advised(alone, old, trust).scores(torn)[0, 1]) for trust in (0, 0.5, 2)]
    assert shares[0] == pytest.approx(0.5)
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    section = learned(CAT, DOG) | old_section(first(CAT, DOG)) | advised_section(0.5)
    assert isinstance(head_of(again(section), named), Advised)


def test_newcomers_are_not_the_old_heads() -> None:
    """Classes the old head never heard of are recognised, and its own are not forgotten."""
    old = first(CAT, SNAKE, strength=5.0)
    pictures = np.repeat(EYE[[1, 3]], 10, axis=0)  # dogs and newts
    ceded = Ceded.measured(head_of(old, named).scores(pictures))
    section = learned(DOG, NEWT) | old_section(old)
    section |= keeping_section([CAT, SNAKE], Share(), ceded)
    head = head_of(again(section), named)
    assert isinstance(head, KeepingHead)
    assert isinstance(head.old, Introduced)
    best = head.scores(EYE).argmax(axis=1)
    assert [head.classes[at] for at in best] == ["cat", "dog", "snake", "newt"]
    plain = KeepingHead(head.learned, head.old.old, ["cat", "snake"], Share())
    assert "dog" not in {plain.classes[at] for at in plain.scores(EYE).argmax(axis=1)}


def test_what_it_may_file() -> None:
    """Learned classes: only what is familiar, and the unproven only if the old head agrees; kept
    ones: only what the old head would file."""
    old = first(CAT, DOG, SNAKE, strength=5.0)
    section = learned(CAT, DOG) | old_section(old) | keeping_section([SNAKE], Share(), None)
    section |= unproven_section([DOG])
    section |= familiarity_section(Familiarity(EYE[:2], 1, 0.3))
    thresholds = (0.5, 0.7, 0.7)
    model = Classifier(head_of(section, named), thresholds, known_of(again(section), thresholds))
    far = np.array([0.6, 0, 0, 0.8], np.float32)
    weak_dog, weak_snake = EYE[1] * 0.3, EYE[2] * 0.3
    pictures = np.stack([EYE[0], far, EYE[1], weak_dog, EYE[2], weak_snake])
    verdicts = model.judge(pictures, 1)
    assert [verdict.label for verdict in verdicts] == ["cat", "cat", "dog", "dog", "snake", "snake"]
    reasons = [verdict.reason for verdict in verdicts]
    assert reasons == [None, UNLIKE, None, NOT_FILED_YET, None, UNLIKE]
    unlikeness = [verdict.unlikeness for verdict in verdicts]
    assert unlikeness == pytest.approx([0, 0.4 / 0.3, 0, 0, 1 / 0.3, 1 / 0.3], abs=1e-3)
    assert [model.decide_again(verdict).reason for verdict in verdicts] == reasons


def test_a_section_that_contradicts_itself_is_refused() -> None:
    """Newcomers whom the old head knows, or shares that don't fit it, are damage."""
    section = learned(CAT, DOG) | old_section(first(CAT, DOG, SNAKE))
    ceded = Ceded(np.zeros(3, np.float32), 0.1)
    with pytest.raises(ValueError, match="knows every class"):
        head_of(section | keeping_section([SNAKE], Share(), ceded), named)
    with pytest.raises(ValueError, match="shares for 2 old classes"):
        Introduced(ImagenetHead(["a", "b"], EYE, EYE[0], EYE[:2] > 0), "c", ceded)


def test_the_old_heads_word_is_needed_where_it_is_asked() -> None:
    """A picture that hardly looks like a dog to the old head isn't filed as one; 0 asks nothing."""
    section = learned(CAT, DOG) | old_section(first(CAT, DOG, SNAKE, strength=5.0))
    section |= familiarity_section(Familiarity(EYE, 1, 2.0))
    faint = EYE[1] * 0.2
    for floors, reason in (((0.0, 0.0), None), ((0.9, 0.0), None), ((0.0, 0.9), UNLIKE)):
        asking = again(section | floors_section(floors))
        model = Classifier(head_of(asking, named), (0.5, 0.5), known_of(asking, (0.5, 0.5)))
        assert [verdict.reason for verdict in model.judge(faint[None], 1)] == [reason]
        assert model.judge(EYE[1][None], 1)[0].decision == "filed"
