"""Models of kind dense, made by earlier programs: they load, judge and ask as they always did."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.errors import ModelProblem
from imgsort.models.heads.classifier import Classifier
from imgsort.models.heads.earlier_model import OLD, EarlierHead, classes_of, head_of, known_of
from imgsort.models.heads.learned_model import Tensors
from imgsort.models.registry import Registry
from imgsort.records.model_card import ClassEntry, ModelDraft
from imgsort.records.verdict import NOT_FILED_YET, UNLIKE

CAT, DOG, SNAKE, NEWT = 1, 2, 3, 4
NAMES = {CAT: "cat", DOG: "dog", SNAKE: "snake", NEWT: "newt"}
EYE = np.eye(4, dtype=np.float32)
Section = dict[str, NDArray[Any]]


def array(*rows: object) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def first(*classes: int, strength: float = 8.0) -> Section:
    """An ImageNet head that sees class n in the n-th number, and four things it may be."""
    return {
        "classes": np.array(classes, np.int64),
        "temperature": np.array([1.0]),
        "weight": EYE * np.float32(strength),
        "bias": np.zeros(4, np.float32),
        "groups": np.stack([np.arange(4) == number - 1 for number in classes]),
    }


def learned(*classes: int) -> Section:
    return {
        "classes": np.array(classes, np.int64),
        "temperature": np.array([0.5]),
        "layers.0.weight": np.stack([EYE[number - 1] for number in classes], axis=1) * 4,
        "layers.0.bias": np.zeros(len(classes), np.float32),
    }


def beside(old: Section) -> Section:
    return {OLD + name: tensor for name, tensor in old.items()}


def keeping(*classes: int) -> Section:
    return {"kept": np.array(classes, np.int64), "share": np.array([1.0, 0.0])}


def familiar(references: NDArray[np.float32], limit: float) -> Section:
    return {
        "familiarity.references": references.astype(np.float16),
        "familiarity.neighbours": np.array([1], np.int64),
        "familiarity.limit": np.array([limit]),
    }


def named(number: int) -> str:
    return NAMES[number]


def head(section: Tensors) -> EarlierHead:
    found = head_of(section, named)
    assert isinstance(found, EarlierHead)
    return found


def layered(*layers: tuple[object, object]) -> Section:
    """Dense layers of these weights and biases, for as many classes as the last one tells."""
    section: Section = {"temperature": np.array([2.0])}
    for at, (weight, bias) in enumerate(layers):
        section[f"layers.{at}.weight"] = np.asarray(weight, np.float32)
        section[f"layers.{at}.bias"] = np.asarray(bias, np.float32)
    return {**section, "classes": np.array([CAT, DOG], np.int64)}


def test_dense_layers() -> None:
    """A ReLU between the layers, none after the last, softmax over the temperature."""
    dense = head(layered(([[1, -1], [0, 0]], [0, 0]), ([[2, 0], [0, 2]], [0, -1])))
    expected = 1 / (1 + np.exp([[-1.5, 1.5], [0.5, -0.5]]))
    assert dense.scores(array([1, 9], [-1, 9])) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "shapes", [[], [(2, 3, 3)], [(2, 2, 3)], [(2, 3, 3), (4, 2, 2)], [(2, 1, 1)]]
)
def test_shapes_must_fit(shapes: list[tuple[int, int, int]]) -> None:
    """A damaged head is refused when it is built."""
    layers = [(np.zeros((rows, columns)), np.zeros(biases)) for rows, columns, biases in shapes]
    with pytest.raises(ValueError, match=r"don't fit|no layers"):
        head(layered(*layers))


def torn(*share: float) -> EarlierHead:
    """Can't tell cats from dogs, and keeps the snake; its old head gives what ``shares`` say."""
    even = layered((np.zeros((4, 2)), np.zeros(2)))
    return head(
        even
        | beside(first(CAT, DOG, SNAKE, strength=1.0))
        | {"kept": np.array([SNAKE], np.int64), "share": np.array(share)}
    )


def shares(*rows: list[float]) -> NDArray[np.float32]:
    """Embeddings of which the old head gives so much to each class, and the rest to nothing."""
    whole = [[*row, 1 - sum(row)] for row in rows]
    return np.log(np.maximum(array(*whole), 1e-30))


def test_kept_class_keeps_its_say() -> None:
    """The old head settles between snakes and the rest, the learned one between cats and dogs."""
    assert torn(1, 0).classes == ("cat", "dog", "snake")
    found = torn(1, 0).scores(shares([0.1, 0.1, 0.6], [0.4, 0.0, 0.1]))
    assert found == pytest.approx(array([0.125, 0.125, 0.75], [0.4, 0.4, 0.2]), abs=1e-4)


def test_share_is_calibrated() -> None:
    """The offset moves the balance between kept and learned classes."""
    calibrated = torn(1, float(np.log(3)))
    assert calibrated.scores(shares([0.1, 0.1, 0.2]))[0, 2] == pytest.approx(0.75, abs=1e-4)


def test_a_learned_class_is_not_kept() -> None:
    """A class is either learned or kept."""
    with pytest.raises(ValueError, match="can't all be kept"):
        head(learned(CAT, DOG) | beside(first(CAT, DOG, SNAKE)) | keeping(CAT))


def test_a_dense_head_comes_out_of_its_tensors() -> None:
    """Layers, classes and temperature are those of the file."""
    dense = head(learned(DOG, CAT))
    assert (dense.classes, dense.temperature) == (("dog", "cat"), 0.5)
    assert classes_of(learned(DOG, CAT)) == (DOG, CAT)
    assert dense.scores(EYE[:2]).argmax(axis=1).tolist() == [1, 0]


def test_a_kept_class_is_told_by_the_old_head() -> None:
    """A class without labels is scored by the old head, under its present name."""
    section = learned(CAT, DOG) | beside(first(CAT, DOG, SNAKE)) | keeping(SNAKE)
    found = head_of(section, lambda number: {**NAMES, SNAKE: "python"}[number])
    assert found.classes == ("cat", "dog", "python")
    assert found.scores(EYE[:3]).argmax(axis=1).tolist() == [0, 1, 2]


def test_an_old_head_advises() -> None:
    """Where the new head can't tell, the old one decides; more trust, more so."""
    undecided = array([1, 1, 0, 0])
    old = {**first(CAT, DOG), "weight": EYE * array([1, 3, 1, 1])}
    advised = learned(CAT, DOG) | beside(old)
    dogs = [
        float(head(advised | {"trust": np.array([trust])}).scores(undecided)[0, 1])
        for trust in (0, 0.5, 2)
    ]
    assert dogs[0] == pytest.approx(0.5)
    assert dogs == sorted(dogs)
    assert dogs[-1] > 0.9
    assert head(advised).scores(undecided)[0, 1] == pytest.approx(0.5)


def test_newcomers_are_not_the_old_heads() -> None:
    """Classes the old head never heard of are recognised, and its own are not forgotten."""
    plain = learned(DOG, NEWT) | beside(first(CAT, SNAKE, strength=5.0)) | keeping(CAT, SNAKE)
    told = plain | {"ceded": np.array([0.062, 0.062], np.float32), "reach": np.array([0.02])}
    best = head(told).scores(EYE).argmax(axis=1)
    assert [head(told).classes[at] for at in best] == ["cat", "dog", "snake", "newt"]
    said = {head(plain).classes[at] for at in head(plain).scores(EYE).argmax(axis=1)}
    assert "dog" not in said


def test_what_it_may_file() -> None:
    """Learned classes: only what is familiar, and the unproven only if the old head agrees; kept
    ones: only what the old head would file."""
    section = learned(CAT, DOG) | beside(first(CAT, DOG, SNAKE, strength=5.0)) | keeping(SNAKE)
    section |= {"unproven": np.array([DOG], np.int64)} | familiar(EYE[:2], 0.3)
    thresholds = (0.5, 0.7, 0.7)
    model = Classifier(head_of(section, named), thresholds, known_of(section, thresholds))
    far = array(0.6, 0, 0, 0.8)
    weak_dog, weak_snake = EYE[1] * 0.3, EYE[2] * 0.3
    pictures = np.stack([EYE[0], far, EYE[1], weak_dog, EYE[2], weak_snake])
    verdicts = model.judge(pictures, 1)
    assert [verdict.label for verdict in verdicts] == ["cat", "cat", "dog", "dog", "snake", "snake"]
    doubts = [verdict.doubt for verdict in verdicts]
    assert doubts == [None, UNLIKE, None, NOT_FILED_YET, None, UNLIKE]
    unlikeness = [verdict.unlikeness for verdict in verdicts]
    assert unlikeness == pytest.approx([0, 0.4 / 0.3, 0, 0, 1 / 0.3, 1 / 0.3], abs=1e-3)
    assert [model.decide_again(verdict).doubt for verdict in verdicts] == doubts


def test_a_section_that_contradicts_itself_is_refused() -> None:
    """Newcomers whom the old head knows, or shares that don't fit it, are damage."""
    section = learned(CAT, DOG) | beside(first(CAT, DOG, SNAKE)) | keeping(SNAKE)
    section |= {"ceded": np.zeros(3, np.float32), "reach": np.array([0.1])}
    with pytest.raises(ValueError, match="knows every class"):
        head_of(section, named)
    section |= learned(CAT, NEWT)
    section["ceded"] = np.zeros(2, np.float32)
    with pytest.raises(ValueError, match="2 shares for 3 old classes"):
        head_of(section, named)


def test_the_old_heads_word_is_needed_where_it_is_asked() -> None:
    """A picture that hardly looks like a dog to the old head isn't filed as one; 0 asks nothing."""
    section = learned(CAT, DOG) | beside(first(CAT, DOG, SNAKE, strength=5.0)) | familiar(EYE, 2.0)
    faint = EYE[1] * 0.2
    for floors, doubt in (((0.0, 0.0), None), ((0.9, 0.0), None), ((0.0, 0.9), UNLIKE)):
        asking = section | {"floors": np.array(floors)}
        model = Classifier(head_of(asking, named), (0.5, 0.5), known_of(asking, (0.5, 0.5)))
        assert [verdict.doubt for verdict in model.judge(faint[None], 1)] == [doubt]
        assert model.judge(EYE[1][None], 1)[0].decision == "filed"


def test_the_registry_opens_one(tmp_path: Path) -> None:
    """Published as an earlier program did: it serves under the present names, with what it may
    file; a card that names other classes is refused."""
    registry = Registry(tmp_path / "models")
    entries = (ClassEntry(CAT, "cat"), ClassEntry(DOG, "dog"), ClassEntry(SNAKE, "snake"))
    tensors = learned(CAT, DOG) | beside(first(CAT, DOG, SNAKE)) | keeping(SNAKE)
    tensors |= familiar(EYE[:2], 0.3)
    draft = ModelDraft(
        kind="dense",
        backbone="efficientnet-lite0",
        backbone_id="abc",
        precision="float32",
        classes=entries,
        thresholds=(0.5, 0.5, 0.5),
        tensors={name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
    )
    model = registry.load(registry.publish(draft).version, {SNAKE: "python"})
    assert model.classes == ("cat", "dog", "python")
    verdicts = model.judge(EYE, 1)
    assert [one.label for one in verdicts[:3]] == ["cat", "dog", "python"]
    assert [one.decision for one in verdicts] == ["filed", "filed", "filed", "unsure"]
    wrong = ModelDraft(**{**fields(draft), "classes": entries[::-1]})
    with pytest.raises(ModelProblem, match="its classes are not those of its card"):
        registry.load(registry.publish(wrong).version)


def fields(draft: ModelDraft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in ModelDraft.__dataclass_fields__}
