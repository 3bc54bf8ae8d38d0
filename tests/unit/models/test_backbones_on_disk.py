"""A backbone in its folder: written whole, opened only undamaged."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgsort.errors import ModelProblem
from imgsort.models.backbones import BACKBONES, InstalledBackbone, install, resnet50, resolve_auto
from imgsort.models.backbones.install import identify
from imgsort.models.backbones.spec import InnerLayer, Weights

REPOSITORY = Path(__file__).parents[3]
FILES = ("backbone.json", "imagenet_head.safetensors", "model.bin", "model.xml")


def test_what_is_installed_describes_itself(lite0: InstalledBackbone) -> None:
    """Name, size, the parts of an embedding and the ImageNet head's shape."""
    assert (lite0.name, lite0.input_size) == ("efficientnet-lite0", 224)
    assert (lite0.final, lite0.inner) == (1280, (480, 672, 1152, 1152))
    assert lite0.width == 1280 + 480 + 672 + 1152 + 1152
    assert lite0.id.startswith("efficientnet-lite0-")
    assert lite0.id == lite0.path.name
    head = lite0.imagenet_head()
    assert head is not None
    assert (head[0].shape, head[1].shape) == ((1280, 1000), (1000,))


def test_installing_again_changes_nothing(lite0: InstalledBackbone) -> None:
    """The same weights have the same id, and what stands there stays."""
    before = {file.name: file.stat().st_mtime_ns for file in lite0.path.glob("*.*")}
    again = install("efficientnet-lite0", lite0.path.parent)
    assert lite0.id == again.id
    assert before == {file.name: file.stat().st_mtime_ns for file in lite0.path.glob("*.*")}


def test_only_backbones_lie_in_the_folder(lite0: InstalledBackbone) -> None:
    """No temporary folder is left behind."""
    assert [path.name for path in lite0.path.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flipped", "short", "gone"])
def test_a_damaged_file_is_refused(
    lite0: InstalledBackbone, tmp_path: Path, name: str, damage: str
) -> None:
    """One bit is enough; the message names the file and what to do."""
    copy = tmp_path / lite0.id
    shutil.copytree(lite0.path, copy)
    file = copy / name
    content = bytearray(file.read_bytes())
    content[0 if name == "backbone.json" else len(content) // 2] ^= 1
    if damage == "flipped":
        file.write_bytes(content)
    elif damage == "short":
        file.write_bytes(content[: len(content) // 2])
    else:
        file.unlink()
    with pytest.raises(ModelProblem) as caught:
        InstalledBackbone.open(tmp_path, lite0.id)
    assert str(copy) in str(caught.value)


def test_damage_is_repaired_by_installing_again(lite0: InstalledBackbone, tmp_path: Path) -> None:
    """A damaged backbone is replaced, not added to."""
    shutil.copytree(lite0.path, tmp_path / lite0.id)
    (tmp_path / lite0.id / "model.bin").write_bytes(b"")
    repaired = install("efficientnet-lite0", tmp_path)
    assert repaired.card == InstalledBackbone.open(tmp_path, lite0.id).card
    assert [lite0.id] == os.listdir(tmp_path)  # noqa: PTH208


@pytest.mark.parametrize("name", ["", "../lite0", "a/b", ".", "lite0\x00", "nothing-here"])
def test_an_id_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    """An id from a damaged model.json leads nowhere outside the folder."""
    with pytest.raises(ModelProblem):
        InstalledBackbone.open(tmp_path, name)


def test_the_id_tells_weights_apart_but_not_heads() -> None:
    """Embeddings can be compared exactly when the ids are equal."""
    spec = BACKBONES["resnet50"]
    body = {"a/kernel": np.zeros((2, 3), np.float32)}
    one = identify(spec, Weights(body, None, "one"))
    head = (np.ones((3, 1000), np.float32), np.ones(1000, np.float32))
    assert one == identify(spec, Weights(body, head, "another file"))
    changed = {"a/kernel": np.full((2, 3), 1e-9, np.float32)}
    assert one != identify(spec, Weights(changed, None, "one"))
    assert one != identify(BACKBONES["efficientnet-lite0"], Weights(body, None, "one"))


def test_the_id_tells_the_forms_of_a_backbone_apart() -> None:
    """With inner layers, without them, and with others: three spaces of embeddings."""
    spec = BACKBONES["resnet50"]
    weights = Weights({"a/kernel": np.zeros((2, 3), np.float32)}, None, "one")
    other = replace(spec, layers=(InnerLayer("conv2_block1_out", 256), *spec.layers[1:]))
    assert other.inner == spec.inner
    forms = spec, spec.final_only(), other
    assert len({identify(form, weights) for form in forms}) == 3
    assert identify(spec.final_only(), weights) == "resnet50-e192ae9301a1"


def test_a_card_of_before_there_were_inner_layers_opens(
    lite0: InstalledBackbone, tmp_path: Path
) -> None:
    """It has no word about parts: all of its width is the network's own embedding."""
    shutil.copytree(lite0.path, tmp_path / lite0.id)
    card = tmp_path / lite0.id / "backbone.json"
    table = json.loads(card.read_bytes())
    for added in ("final", "inner", "extends"):
        del table[added]
    card.write_text(json.dumps(table | {"width": 1280}))
    opened = InstalledBackbone.open(tmp_path, lite0.id)
    assert (opened.width, opened.final, opened.inner, opened.extends) == (1280, 1280, (), None)


def test_a_card_whose_parts_are_not_the_whole_is_refused(
    lite0: InstalledBackbone, tmp_path: Path
) -> None:
    """Heads would read the wrong columns."""
    shutil.copytree(lite0.path, tmp_path / lite0.id)
    card = tmp_path / lite0.id / "backbone.json"
    card.write_text(json.dumps(json.loads(card.read_bytes()) | {"width": 4735}))
    with pytest.raises(ModelProblem, match=r"backbone\.json is damaged"):
        InstalledBackbone.open(tmp_path, lite0.id)


def test_no_file_of_this_project_runs_what_it_reads() -> None:
    """Weights only: no whole models, no pickles, no switched-off safety."""
    forbidden = (
        "load_" + "model(",
        "pickle." + "load",
        "allow_" + "pickle=True",
        "safe_" + "mode=False",
    )
    sources = [
        path
        for folder in ("imgsort", "daemon", "trainer", "migrations", "tests", "benchmarks")
        for path in (REPOSITORY / folder).rglob("*.py")
    ]
    assert len(sources) > 10
    found = {
        (path.name, word) for path in sources for word in forbidden if word in path.read_text()
    }
    assert set() == found


def test_auto_takes_resnet50_where_its_weights_are_named(tmp_path: Path) -> None:
    """--weights FILE decides without asking the network."""
    name, reason = resolve_auto(tmp_path / "w.h5")
    assert name == "resnet50"
    assert f"resnet50, with the weights in {tmp_path}/w.h5" == reason


def test_auto_falls_back_on_the_backbone_that_works_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cache and no network: efficientnet-lite0, and why."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(resnet50, "BASE_URL", "https://127.0.0.1:9/")
    name, reason = resolve_auto(None)
    assert name == "efficientnet-lite0"
    assert "neither on this machine nor in reach" in reason
