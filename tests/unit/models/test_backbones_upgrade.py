"""Two forms of one backbone: with means of inner layers, and as it was before there were any."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.errors import ModelProblem, WeightsMissing
from imgsort.models.backbones import InstalledBackbone, efficientnet_lite0
from imgsort.models.backbones.on_disk import CACHE, WEIGHTS
from imgsort.models.backbones.upgrade import with_inner_layers
from imgsort.models.runtimes.on_openvino import OpenvinoRuntime


@pytest.fixture
def alone(
    earlier: InstalledBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> InstalledBackbone:
    """A copy of the earlier form, where nothing but its own files can be had."""

    def missing() -> Path:
        raise WeightsMissing("no package here", "no package here")

    monkeypatch.setattr(efficientnet_lite0, "packaged_file", missing)
    shutil.copytree(earlier.path, tmp_path / earlier.id, ignore=shutil.ignore_patterns(CACHE))
    return InstalledBackbone.open(tmp_path, earlier.id)


def pictures() -> NDArray[np.uint8]:
    clouds = np.random.default_rng(5).integers(0, 256, (4, 7, 7, 3), np.uint8)
    return clouds.repeat(32, axis=1).repeat(32, axis=2)


def test_the_form_with_inner_layers_is_made_of_what_is_installed(
    alone: InstalledBackbone, lite0: InstalledBackbone, tmp_path: Path
) -> None:
    """Beside the earlier one, which stays as it is; it is the one that a fresh `init` makes."""
    before = {path.name: path.read_bytes() for path in alone.path.iterdir()}
    made = with_inner_layers(alone, tmp_path)
    assert (made.id, made.extends) == (lite0.id, alone.id)
    assert made.inner == (480, 672, 1152, 1152)
    assert {path.name: path.read_bytes() for path in alone.path.iterdir()} == before
    ours, fresh = made.imagenet_head(), lite0.imagenet_head()
    assert ours is not None
    assert fresh is not None
    assert all(np.array_equal(*pair) for pair in zip(ours, fresh, strict=True))


def test_a_form_with_inner_layers_stays_what_it_is(lite0: InstalledBackbone) -> None:
    """Asked once more, it answers with itself."""
    assert with_inner_layers(lite0, lite0.path.parent) is lite0


def test_an_upgrade_of_damaged_weights_makes_nothing(
    alone: InstalledBackbone, tmp_path: Path
) -> None:
    """What would come of them could not be told from the real thing."""
    content = bytearray((alone.path / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (alone.path / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelProblem, match="is damaged"):
        with_inner_layers(alone, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [alone.id]


def test_a_full_disk_is_told_and_nothing_is_left(
    earlier: InstalledBackbone, small_disk: Callable[[str], Path]
) -> None:
    """In a sentence; the earlier form is what serves on."""
    disk = small_disk("6m")
    with pytest.raises(ModelProblem, match=f"can't be written to {disk}; make room there"):
        with_inner_layers(earlier, disk)
    assert list(disk.iterdir()) == []


def test_the_first_part_is_what_the_earlier_form_gives(
    earlier: InstalledBackbone, lite0: InstalledBackbone
) -> None:
    """So heads of before look through the new form, and see the same."""
    now = OpenvinoRuntime(lite0, "float32").embed(pictures())
    before = OpenvinoRuntime(earlier, "float32").embed(pictures())
    assert before.shape == (4, 1280)
    np.testing.assert_allclose(now[:, :1280], before, rtol=0, atol=1e-4)
    assert now[:, 1280:].std(axis=0).max() > 0.1
