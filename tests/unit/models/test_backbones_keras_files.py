"""ResNet50's weights out of every file that Keras writes or has written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imgsort.errors import ImgsortError, WeightsMissing
from imgsort.models.backbones import install, resnet50
from imgsort.models.backbones.heavy_imports import import_keras
from imgsort.models.backbones.spec import fill, random_weights

# Keras 3.15 converts its variables in a way that NumPy 2 frowns upon.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@dataclass(frozen=True)
class Source:
    """keras.applications.ResNet50 with and without top, and the folder to save it into."""

    top: Any
    bare: Any
    folder: Path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    keras = import_keras()
    weights = random_weights(resnet50.SPEC, seed=1)
    top = keras.applications.ResNet50(weights=None)
    bare = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg")
    fill(bare, weights.body)
    assert weights.head is not None
    kernel, bias = weights.head
    fill(top, {**weights.body, "predictions/kernel": kernel, "predictions/bias": bias + 1.0})
    return Source(top, bare, tmp_path_factory.mktemp("keras"))


def _save_weights(model: Any, path: Path) -> None:
    model.save_weights(path)


def _save_weights_counted(model: Any, path: Path) -> None:
    """As the first Keras 3 wrote: layers counted by class, no names."""
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        for group in file["layers"].values():
            group["vars"].attrs.pop("name", None)


def _save_model(model: Any, path: Path) -> None:
    model.save(path)


def _save_legacy(model: Any, path: Path) -> None:
    """The layout of the published files: groups named by layer, names ending in ``:0``."""
    names = [layer.name for layer in model.layers]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in names]
        for layer in model.layers:
            group = file.create_group(layer.name)
            paths = [f"{variable.path}:0" for variable in layer.variables]
            group.attrs["weight_names"] = [path.encode() for path in paths]
            for path_in_group, variable in zip(paths, layer.variables, strict=True):
                group.create_dataset(path_in_group, data=np.asarray(variable))


LAYOUTS: dict[str, tuple[Callable[[Any, Path], None], str]] = {
    "keras3": (_save_weights, "r.weights.h5"),
    "keras3-counted": (_save_weights_counted, "c.weights.h5"),
    "whole-model": (_save_model, "m.h5"),
    "legacy": (_save_legacy, "l.h5"),
}


@pytest.mark.parametrize("top", [True, False], ids=["top", "notop"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_source_models_weights(
    source: Source, layout: str, top: bool
) -> None:
    """Whatever layout Keras saved ResNet50 in, the same numbers come back."""
    save, name = LAYOUTS[layout]
    model = source.top if top else source.bare
    path = source.folder / f"{top}-{name}"
    save(model, path)

    weights = resnet50.read_weights(path)
    path.unlink()

    expected = {variable.path: np.asarray(variable) for variable in source.bare.variables}
    assert expected.keys() == weights.body.keys()
    assert [key for key in expected if not np.array_equal(expected[key], weights.body[key])] == []
    assert top == (weights.head is not None)
    if weights.head is not None:
        dense = source.top.get_layer("predictions")
        assert np.array_equal(np.asarray(dense.kernel), weights.head[0])
        assert np.array_equal(np.asarray(dense.bias), weights.head[1])


def test_the_graph_preprocesses_as_keras_does(source: Source) -> None:
    """Raw RGB bytes in, the embedding of keras.applications' own preprocess_input out."""
    keras = import_keras()
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    prepared = keras.applications.resnet50.preprocess_input(images.astype(np.float32))
    built = resnet50.build()
    fill(built, {variable.path: np.asarray(variable) for variable in source.bare.variables})
    expected = np.asarray(source.bare(prepared))
    np.testing.assert_allclose(np.asarray(built(images)), expected, atol=1e-4)


def test_a_file_without_top_installs_without_head_and_one_with_top_adds_it(
    source: Source, tmp_path: Path
) -> None:
    """Weights without top give the same backbone id; the ImageNet head comes when it is known."""
    bare, top = tmp_path / "bare.weights.h5", tmp_path / "top.weights.h5"
    source.bare.save_weights(bare)
    source.top.save_weights(top)
    without = install("resnet50", tmp_path / "backbones", bare)
    assert without.imagenet_head() is None
    complete = install("resnet50", tmp_path / "backbones", top)
    assert without.id == complete.id
    head = complete.imagenet_head()
    assert head is not None
    assert (head[0].shape, head[1].shape) == ((2048, 1000), (1000,))
    assert install("resnet50", tmp_path / "backbones", bare).imagenet_head() is not None


def _missing(path: Path) -> None:
    del path


def _text(path: Path) -> None:
    path.write_text("<html>404</html>")


def _cut_short(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _another_network(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = []


def _no_weights_at_all(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["something"] = 1


def _other_shape(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        group = file["conv1_conv/conv1_conv"]
        del group["kernel:0"]
        group["kernel:0"] = np.zeros((7, 7, 3, 32), np.float32)


def _not_a_number(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["conv1_conv/conv1_conv/kernel:0"][0, 0, 0, 0] = np.nan


def _linked_elsewhere(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        group = file["conv1_conv/conv1_conv"]
        del group["kernel:0"]
        group["kernel:0"] = h5py.ExternalLink("/etc/passwd", "kernel")


BAD_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (_missing, "No such file or directory"),
    "text": (_text, "it is damaged, or no HDF5 file"),
    "cut short": (_cut_short, "it is damaged, or no HDF5 file"),
    "another network": (_another_network, "layer conv1_conv is missing"),
    "no weights": (_no_weights_at_all, "it has neither of the layouts"),
    "shape": (_other_shape, "conv1_conv/kernel has the shape (7, 7, 3, 32) instead of"),
    "nan": (_not_a_number, "conv1_conv/kernel holds values that are no numbers"),
    "link": (_linked_elsewhere, "it links to data outside itself"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_an_unfit_file_is_refused_in_one_sentence(
    source: Source, case: str, tmp_path: Path
) -> None:
    """A wrong, damaged or hostile file: named, with the reason and what was expected."""
    spoil, reason = BAD_FILES[case]
    path = tmp_path / "weights.h5"
    if case in ("cut short", "shape", "nan", "link"):
        _save_legacy(source.bare, path)
    spoil(path)
    with pytest.raises(WeightsMissing) as caught:
        resnet50.read_weights(path)
    message = str(caught.value)
    assert message.startswith(f"{path} can't be used as ResNet50's weights: {reason}")
    assert resnet50.WITH_TOP.url in message


def test_without_network_and_cache_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL, the folder to put the file into, and the backbone that works offline."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(resnet50, "BASE_URL", "https://127.0.0.1:9/")  # nothing listens there
    expected = (
        "The weights of resnet50 are not on this machine and this machine can't reach their "
        f"server: fetch {resnet50.WITH_TOP.url} elsewhere, then put it into {tmp_path}/models or "
        "name it with --weights FILE; or choose --backbone efficientnet-lite0, which works offline."
    )
    with pytest.raises(WeightsMissing) as caught:
        install("resnet50", tmp_path / "backbones")
    assert expected == str(caught.value)


def test_a_damaged_download_in_the_cache_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras's cache counts only when the MD5 sum is the published one."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / resnet50.WITH_TOP.name).write_bytes(b"half a download")
    assert resnet50.cached() is None


def test_an_unknown_backbone_is_refused(tmp_path: Path) -> None:
    """The message lists what there is."""
    with pytest.raises(ImgsortError) as caught:
        install("vgg16", tmp_path)
    expected = "There is no backbone 'vgg16'; choose one of resnet50, efficientnet-lite0."
    assert expected == str(caught.value)
