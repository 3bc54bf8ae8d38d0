"""Model files from a stranger: refused in a sentence, or a model whose worst is a wrong answer."""

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from imgsort.errors import ModelProblem
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.heads.classifier import Classifier, ImagenetHead
from imgsort.models.heads.learned import DenseLayer, Novelty, Taught
from imgsort.models.heads.learned_model import FOLDS, LearnedModel
from imgsort.models.registry import Registry
from imgsort.models.serving import Serving, active_card
from imgsort.records.model_card import ClassEntry, ModelDraft
from imgsort.records.verdict import NOT_FINITE
from imgsort.workspace.workspace import Workspace

WIDTH = 4
HEAD = "head.safetensors"


def tensors(**changes: Any) -> dict[str, Any]:
    plain = {
        "weight": np.eye(WIDTH, 3, dtype=np.float32),
        "bias": np.zeros(3, np.float32),
        "groups": np.array([[1, 0, 0], [0, 1, 1]], np.bool_),
    }
    return plain | changes


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One sound model of two classes, published."""
    registry = Registry(tmp_path / "state" / "models")
    registry.publish(
        ModelDraft(
            kind="imagenet",
            backbone="efficientnet-lite0",
            backbone_id="0123abcd",
            precision="float32",
            classes=(ClassEntry(1, "cat"), ClassEntry(2, "dog")),
            thresholds=(0.5, 0.5),
            tensors=tensors(),
        )
    )
    return registry


def replaced(registry: Registry, head: bytes | None = None, **changes: Any) -> None:
    """Swap head and card fields, with every checksum and seal made to fit: whoever can write
    there can compute them."""
    folder = registry.folder / "v0001"
    card = json.loads((folder / "model.json").read_bytes()) | changes
    if head is not None:
        (folder / HEAD).write_bytes(head)
        card["checksums"] = {HEAD: hashlib.sha256(head).hexdigest()}
    card.pop("seal")
    body = (json.dumps(card, ensure_ascii=False, indent=1) + "\n").encode()
    sealed = card | {"seal": hashlib.sha256(body).hexdigest()}
    text = json.dumps(sealed, ensure_ascii=False, indent=1) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")


def safetensor(header: dict[str, Any] | bytes, data: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def test_the_swapped_model_would_load_if_it_were_sound(registry: Registry) -> None:
    """The seals below do fit: what is refused is refused for what it holds."""
    replaced(registry, safetensors.numpy.save(tensors()))
    assert registry.load(1).classes == ("cat", "dog")


HEADS = {
    "an empty file": b"",
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "a zip archive": b"PK\3\4" + bytes(100),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "a header of 2**63 bytes": safetensor({}, size=2**63),
    "a header of a terabyte": safetensor({}, size=1 << 40),
    "a header that is no JSON": safetensor(b"(((((("),
    "a header of brackets": safetensor(b"[" * 100_000),
    "a tensor beyond the file": safetensor(
        {"weight": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 10**9]}}
    ),
    "a tensor of 2**62 numbers": safetensor(
        {"weight": {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 0]}}
    ),
    "two tensors in one place": safetensor(
        {
            name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
            for name in ("weight", "bias", "groups")
        },
        bytes(4),
    ),
    "a tensor of objects": safetensor(
        {"weight": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_what_is_no_model_file_is_refused_in_a_sentence(registry: Registry, name: str) -> None:
    """No code runs, no memory is taken that the file doesn't have."""
    replaced(registry, HEADS[name])
    with pytest.raises(ModelProblem, match=r"^Model v1 is damaged \(.+\); activate another"):
        registry.load(1)


MISFITS = {
    "a column too few": tensors(weight=np.zeros((WIDTH, 3), np.uint8)[:, :2]),
    "one dimension too few": tensors(weight=np.zeros(3, np.float32)),
    "one dimension too many": tensors(weight=np.zeros((2, WIDTH, 3), np.float32)),
    "another number of classes": tensors(groups=np.ones((5, 3), np.bool_)),
    "no numbers at all": tensors(weight=np.zeros((0, 0), np.float32)),
    "no bias": {"weight": np.eye(4, 3, dtype=np.float32)},
}


@pytest.mark.parametrize("name", MISFITS)
def test_numbers_that_do_not_fit_are_refused(registry: Registry, name: str) -> None:
    """Shapes that contradict the card or each other."""
    replaced(registry, safetensors.numpy.save(MISFITS[name]))
    with pytest.raises(ModelProblem, match=r"^Model v1 is damaged \(its head doesn't fit"):
        registry.load(1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_numbers_that_are_none_file_nothing(registry: Registry, bad: float) -> None:
    """NaN and infinite weights: the pictures are unsure, with the reason."""
    weight = np.full((WIDTH, 3), bad, np.float32)
    replaced(registry, safetensors.numpy.save(tensors(weight=weight)))
    (verdict,) = registry.load(1).judge(np.ones((1, WIDTH), np.float32) * 2, 5)
    assert (verdict.decision, verdict.doubt) == ("unsure", NOT_FINITE)


@pytest.mark.parametrize(
    "name",
    ["../../escape", "/etc", "a/b", "ev\x1b[31mil", "\u202egod", "", ".hidden", "x" * 300, "a\0b"],
)
def test_a_class_name_from_a_model_passes_the_one_gate(registry: Registry, name: str) -> None:
    """It would become a folder, and be printed: the model is refused, and told of in plain text."""
    classes = [{"id": 1, "name": name}, {"id": 2, "name": "dog"}]
    replaced(registry, classes=classes)
    with pytest.raises(ModelProblem, match=r"^Model v1 is damaged \(model.json: ") as caught:
        registry.load(1)
    assert str(caught.value).isprintable()


def serving(width: int) -> Serving:
    """On a backbone of that width; nothing is embedded."""
    backbone = InstalledBackbone("0123abcd", "efficientnet-lite0", 224, width, Path(), None)  # type: ignore[arg-type]
    runtime = SimpleNamespace(name="openvino", precision="float32")
    return Serving(None, backbone, runtime, None, 5)  # type: ignore[arg-type]


def test_a_head_for_another_backbone_never_serves(registry: Registry) -> None:
    """Refused when it is loaded, not at the first picture: the old model goes on."""
    card, classifier = registry.card(1), registry.load(1)
    assert serving(WIDTH).with_model(card, classifier).classifier is classifier
    for width in (WIDTH - 1, 1280):
        with pytest.raises(ModelProblem, match=r"its head doesn't fit efficientnet-lite0"):
            serving(width).with_model(card, classifier)
    elsewhere = replace(card, backbone_id="efficientnet-lite0-89abcdef")
    with pytest.raises(ModelProblem, match=r"looks through the backbone .*89abcdef, not 0123abcd;"):
        serving(WIDTH).with_model(elsewhere, classifier)
    knows_nothing = Classifier(ImagenetHead.knowing_nothing(), ())
    assert serving(1280).with_model(card, knows_nothing).card is card


def learned(registry: Registry, wide: int) -> int:
    """A learned model whose every part looks at so many columns, published."""
    novelty = Novelty(np.eye(1, wide, dtype=np.float32), np.zeros(1, np.uint8), 1, 0.5, 2)
    taught = Taught(1.0, (DenseLayer(np.eye(wide, 2, dtype=np.float32), np.zeros(2, np.float32)),))
    model = LearnedModel((1, 2), None, taught, (taught,) * FOLDS, 1.0, novelty, {})
    draft = ModelDraft(
        kind="learned",
        backbone="efficientnet-lite0",
        backbone_id="0123abcd",
        precision="float32",
        classes=(ClassEntry(1, "cat"), ClassEntry(2, "dog")),
        thresholds=(0.5, 0.5),
        tensors=model.tensors(),
    )
    return registry.publish(draft).version


def test_a_learned_head_for_another_backbone_never_serves(registry: Registry) -> None:
    """Nor does one of a kind that is trained here: narrower or wider, it is refused at once."""
    for wide, fits in ((WIDTH, True), (WIDTH - 1, False), (WIDTH + 1, False)):
        version = learned(registry, wide)
        card, classifier = registry.card(version), registry.load(version)
        if fits:
            assert serving(WIDTH).with_model(card, classifier).classifier is classifier
            continue
        with pytest.raises(ModelProblem, match=r"its head doesn't fit efficientnet-lite0"):
            serving(WIDTH).with_model(card, classifier)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_learned_numbers_that_are_none_file_nothing(registry: Registry, bad: float) -> None:
    """NaN and infinite weights or biases: the picture is unsure, with the reason."""
    sound = registry.tensors(learned(registry, WIDTH))
    for name in ("layers.0.weight", "layers.0.bias"):
        replaced(
            registry,
            safetensors.numpy.save({**sound, name: np.full_like(sound[name], bad)}),
            kind="learned",
        )
        (verdict,) = registry.load(1).judge(np.ones((1, WIDTH), np.float32) * 2, 5)
        assert (verdict.decision, verdict.doubt) == ("unsure", NOT_FINITE)


@pytest.mark.parametrize("name", ["../../x", "resnet5000", "", "\x1b[31m"])
def test_a_backbone_nobody_knows_is_refused(registry: Registry, tmp_path: Path, name: str) -> None:
    """By name: it is looked up in a table, never in the file system."""
    replaced(registry, backbone=name)
    (tmp_path / "config.toml").touch()
    (registry.folder / "active").symlink_to("v0001")
    with pytest.raises(ModelProblem, match=r"there is no backbone") as caught:
        active_card(Workspace.open(tmp_path))
    assert str(caught.value).isprintable()


def test_a_link_out_of_the_registry_is_no_active_model(registry: Registry, tmp_path: Path) -> None:
    """``active`` may name a version, nothing else."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for target in (elsewhere, Path("../../elsewhere"), Path("v0001/../v0001"), Path("/")):
        link = registry.folder / "active"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        assert registry.active() is None
