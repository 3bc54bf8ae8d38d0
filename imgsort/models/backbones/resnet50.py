"""ResNet50 (https://arxiv.org/abs/1512.03385) as Keras builds it, with its ImageNet weights."""

import hashlib
import os
import socket
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgsort.errors import WeightsMissing
from imgsort.models.backbones.heavy_imports import import_keras
from imgsort.models.backbones.keras_file import (
    StoredLayer,
    UnfitFile,
    read_keras_file,
    require_hdf5,
)
from imgsort.models.backbones.spec import BackboneSpec, Floats, InnerLayer, Weights

BASE_URL = "https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
MEAN_BGR = (103.939, 116.779, 123.68)
"""Mean of ImageNet's pixels, blue first: the weights were trained by Caffe on OpenCV's order."""
CONNECT_SECONDS = 4.0
STALL_SECONDS = 20.0
HEAD = "predictions"


@dataclass(frozen=True, slots=True)
class Published:
    """A file that Keras publishes; the MD5 sums stand in keras/src/applications/resnet.py."""

    name: str
    md5: str

    @property
    def url(self) -> str:
        return BASE_URL + self.name


WITH_TOP = Published(
    "resnet50_weights_tf_dim_ordering_tf_kernels.h5", "2cb95161c43110f7111970584f804107"
)
WITHOUT_TOP = Published(
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"
)


def build() -> Any:
    """Keras model from uint8 RGB [N,224,224,3] to embedding [N,2048]."""
    keras = import_keras()
    images = keras.Input((224, 224, 3), dtype="uint8", name="images")
    blue_first = keras.ops.flip(keras.ops.cast(images, "float32"), axis=-1)
    centred = blue_first - keras.ops.convert_to_tensor(MEAN_BGR, "float32")
    base = keras.applications.ResNet50(
        include_top=False, weights=None, input_tensor=centred, pooling="avg"
    )
    return keras.Model(images, base.output, name="resnet50")


def read_weights(path: Path | None) -> Weights:
    """Weights from the file the user named, from Keras's cache, or downloaded into that cache."""
    path = path or cached() or _downloaded()
    try:
        require_hdf5(path)  # before Keras is loaded, which takes seconds
        arrays = read_keras_file(path, _expected(), optional=HEAD)
    except (UnfitFile, OSError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise WeightsMissing(
            f"{path} can't be used as ResNet50's weights: {reason}; expected is a Keras .h5 or "
            f".weights.h5 file of keras.applications.ResNet50, such as {WITH_TOP.url}."
        ) from problem
    body = {name: values for name, values in arrays.items() if not name.startswith(f"{HEAD}/")}
    return Weights(body, _head(arrays), path.name)


def _head(arrays: dict[str, Floats]) -> tuple[Floats, Floats] | None:
    if f"{HEAD}/kernel" not in arrays:
        return None
    return arrays[f"{HEAD}/kernel"], arrays[f"{HEAD}/bias"]


def _expected() -> tuple[StoredLayer, ...]:
    model = build()
    layers = tuple(
        StoredLayer(layer.name, KINDS[type(layer).__name__], _shapes(layer))
        for layer in model.layers
        if layer.variables
    )
    return (*layers, StoredLayer(HEAD, "dense", {"kernel": (2048, 1000), "bias": (1000,)}))


KINDS = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization"}


def _shapes(layer: Any) -> dict[str, tuple[int, ...]]:
    return {variable.name: tuple(variable.shape) for variable in layer.variables}


def cache_folder() -> Path:
    """Where Keras keeps downloaded weights."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "models"


def cached() -> Path | None:
    """An undamaged published file in Keras's cache, the one with the ImageNet head first."""
    for published in (WITH_TOP, WITHOUT_TOP):
        path = cache_folder() / published.name
        if path.is_file() and _md5(path) == published.md5:
            return path
    return None


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def downloadable() -> bool:
    """Does the server of the weights answer within a few seconds?

    Asked in a thread of its own, because looking up a name can't be given a time limit.
    """
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(_answers()), daemon=True)
    asking.start()
    asking.join(CONNECT_SECONDS + 1.0)
    return bool(answers) and answers[0]


def _answers() -> bool:
    request = urllib.request.Request(WITH_TOP.url, method="HEAD")  # noqa: S310 - a fixed https URL
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_SECONDS):  # noqa: S310
            return True
    except OSError:
        return False


def _downloaded() -> Path:
    """Keras's own download (100 MB), which compares the MD5 sum."""
    if not downloadable():
        raise _missing("this machine can't reach their server")
    keras = import_keras()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        return Path(
            keras.utils.get_file(
                WITH_TOP.name, WITH_TOP.url, cache_subdir="models", file_hash=WITH_TOP.md5
            )
        )
    except Exception as problem:
        raise _missing("their download failed") from problem
    finally:
        socket.setdefaulttimeout(before)


def _missing(reason: str) -> WeightsMissing:
    return WeightsMissing(
        f"The weights of resnet50 are not on this machine and {reason}: fetch {WITH_TOP.url} "
        f"elsewhere, then put it into {cache_folder()} or name it with --weights FILE; or choose "
        "--backbone efficientnet-lite0, which works offline.",
        f"The weights of resnet50 are not on this machine and {reason}: fetch {WITH_TOP.url} "
        f"elsewhere, then put it into {cache_folder()} and type `imgsort models reinstall`, or "
        "name it there with --weights FILE.",
    )


INNER = (
    InnerLayer("conv2_block2_out", 256),
    InnerLayer("conv3_block3_out", 512),
    InnerLayer("conv4_block5_out", 1024),
)
"""Near the ends of its stages but the last, whose mean is the embedding.

Of a stage's very end the next stage needs only every fourth position, and OpenVINO computes no
other: a mean over all of them costs 11 % of the speed, one taken a block earlier 1 to 2 %.
"""
SPEC = BackboneSpec("resnet50", 224, 2048, INNER, build, read_weights)
