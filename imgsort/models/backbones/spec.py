"""What a backbone is: an architecture, and the weights that fit it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from imgsort.models.backbones.heavy_imports import import_keras

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained numbers of one backbone, as read from a file."""

    body: Mapping[str, Floats]
    """By Keras path, ``layer/variable``: everything up to and including the pooled embedding."""
    head: tuple[Floats, Floats] | None
    """ImageNet head: weight [D,1000] and bias [1000]; None where the file has no top."""
    source: str
    """For people: the file, or "random"."""


class InnerLayer(NamedTuple):
    """A feature map inside a network."""

    name: str
    """Keras's."""
    channels: int


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """One way to turn a picture into an embedding: the network's own, then means of inner layers.

    Inner layers tell materials and textures apart that the last one, made for objects, confuses.
    """

    name: str
    input_size: int
    """Side of the square input, pixels."""
    final: int
    """Length of the network's own pooled embedding, the first part."""
    layers: tuple[InnerLayer, ...]
    """The inner layers whose means follow it; none in the form of earlier versions."""
    network: Callable[[], Any]
    """A Keras model from uint8 RGB [N,S,S,3] to [N,final]; preprocessing included."""
    read_weights: Callable[[Path | None], Weights]
    """Weights from a file the user named, or from where this backbone keeps its own."""

    @property
    def inner(self) -> tuple[int, ...]:
        """Lengths of the parts that follow the first."""
        return tuple(layer.channels for layer in self.layers)

    @property
    def width(self) -> int:
        """Length of the whole embedding."""
        return self.final + sum(self.inner)

    def final_only(self) -> Self:
        """The form of earlier versions, without inner layers."""
        return replace(self, layers=())

    def build(self, *, inner: bool = True) -> Any:
        """A Keras model from uint8 RGB [N,S,S,3] to embedding [N,width], or to [N,final]."""
        model = self.network()
        return _with_means(model, self.layers) if inner and self.layers else model


def _with_means(model: Any, layers: tuple[InnerLayer, ...]) -> Any:
    """Averaged in float32 even where the network calculates in half of it."""
    keras = import_keras()
    means = [
        keras.layers.GlobalAveragePooling2D(dtype="float32", name=f"{layer.name}_mean")(
            model.get_layer(layer.name).output
        )
        for layer in layers
    ]
    whole = keras.layers.Concatenate(dtype="float32", name="whole")([model.output, *means])
    return keras.Model(model.input, whole, name=model.name)


def body_variables(model: Any) -> dict[str, Any]:
    """The Keras variables of a built backbone by path, ``layer/variable``."""
    return {variable.path: variable for variable in model.variables}


def fill(model: Any, body: Mapping[str, Floats]) -> None:
    """Put weights into a freshly built backbone; the names and shapes must be its own."""
    variables = body_variables(model)
    if missing := variables.keys() ^ body.keys():
        raise ValueError(f"weights and architecture differ in {sorted(missing)[:3]}")
    for path, variable in variables.items():
        variable.assign(body[path])


def random_weights(spec: BackboneSpec, seed: int = 0) -> Weights:
    """Numbers of the right size that keep activations near one: for speed, not for judging.

    The last batch normalisation of a residual branch would add up over the depth, so every scale
    stays below one; the stem divides by the spread of caffe-style inputs (about 64).
    """
    rng = np.random.default_rng(seed)
    body = {}
    for number, (path, variable) in enumerate(body_variables(spec.network()).items()):
        shape, kind = tuple(variable.shape), path.rpartition("/")[2]
        if kind == "kernel":
            fan_in = int(np.prod(shape[:2] if shape[-1] == 1 else shape[:-1]))
            values = rng.normal(0.0, np.sqrt(2.0 / fan_in) / (64.0 if number == 0 else 1.0), shape)
        elif kind == "gamma":
            values = rng.uniform(0.4, 0.8, shape)
        elif kind == "moving_variance":
            values = rng.uniform(0.8, 1.2, shape)
        else:
            values = rng.normal(0.0, 0.05, shape)
        body[path] = values.astype(np.float32)
    weight = rng.normal(0.0, np.sqrt(1.0 / spec.final), (spec.final, 1000)).astype(np.float32)
    return Weights(body, (weight, np.zeros(1000, np.float32)), "random")
