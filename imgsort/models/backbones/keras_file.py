"""Read a backbone's weights from any of the HDF5 files that Keras has written over the years.

- legacy ``.h5``: one group a layer, named in the attribute ``layer_names`` (also below
  ``model_weights``, where a whole model was saved); datasets ``…/kernel:0``
- Keras 3 ``.weights.h5``: ``layers/<layer>/vars/0, 1, …``; the layer's name stands in an attribute,
  or, from older Keras 3, layers are counted by class (``conv2d``, ``conv2d_1``, …)

h5py reads the numbers, nothing is executed. Links and datasets that lead out of the file are
refused, and every shape is compared before its numbers are read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgsort.models.backbones.spec import Floats


class UnfitFile(Exception):
    """Not the weights that were expected; str() says what is missing or different."""


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """What an architecture expects of one layer."""

    name: str
    kind: str
    """Keras's snake-case class name: ``conv2d``, ``batch_normalization``, ``dense``."""
    shapes: Mapping[str, tuple[int, ...]]
    """By variable name, in Keras's own order: ``kernel``, ``bias``; ``gamma``, ``beta``, …"""


def require_hdf5(path: Path) -> None:
    """Raise OSError where there is no such file, UnfitFile where it can only be another. Quick."""
    import h5py

    with path.open("rb"):
        pass  # a missing file or a lack of permission is told as such, not as a bad file
    try:
        h5py.File(path, "r").close()
    except OSError as problem:
        raise UnfitFile("it is damaged, or no HDF5 file") from problem


def read_keras_file(
    path: Path, layers: tuple[StoredLayer, ...], optional: str
) -> dict[str, Floats]:
    """Weights by ``layer/variable``; the ``optional`` layer may be absent.

    Raises UnfitFile, or OSError where there is no such file.
    """
    import h5py

    require_hdf5(path)
    try:
        with h5py.File(path, "r") as file:
            tables = dict(_tables(file, layers))
            return dict(_take(tables, layers, optional))
    except UnfitFile:
        raise
    except Exception as problem:
        raise UnfitFile(f"it is damaged, or no HDF5 file ({type(problem).__name__})") from problem


def _take(
    tables: Mapping[str, Mapping[str, Any]], layers: tuple[StoredLayer, ...], optional: str
) -> Iterator[tuple[str, Floats]]:
    for layer in layers:
        table = tables.get(layer.name)
        if table is None and layer.name == optional:
            continue
        if table is None:
            raise UnfitFile(f"layer {layer.name} is missing")
        for variable, shape in layer.shapes.items():
            dataset = table.get(variable)
            if dataset is None or dataset.shape != shape:
                found = "nothing" if dataset is None else f"the shape {dataset.shape}"
                raise UnfitFile(f"{layer.name}/{variable} has {found} instead of {shape}")
            values = dataset[()].astype(np.float32)
            if not np.isfinite(values).all():
                raise UnfitFile(f"{layer.name}/{variable} holds values that are no numbers")
            yield f"{layer.name}/{variable}", values


def _tables(file: Any, layers: tuple[StoredLayer, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Per layer of the file: its datasets by variable name."""
    root = _inside(file, "model_weights") if "model_weights" in file else file
    if "layer_names" in root.attrs or "layer_names0" in root.attrs:
        for name in _names(root, "layer_names"):
            yield name, _legacy_table(_inside(root, name))
    elif "layers" in file:
        yield from _keras3_tables(_inside(file, "layers"), layers)
    else:
        raise UnfitFile("it has neither of the layouts in which Keras saves weights")


def _legacy_table(group: Any) -> dict[str, Any]:
    return {
        name.rpartition("/")[2].partition(":")[0]: _inside(group, name)
        for name in _names(group, "weight_names")
    }


def _names(group: Any, attribute: str) -> list[str]:
    """A list of names; a long one Keras splits over ``attribute0``, ``attribute1``, …"""
    if attribute in group.attrs:
        chunks = [group.attrs[attribute]]
    else:
        chunks = []
        while (part := f"{attribute}{len(chunks)}") in group.attrs:
            chunks.append(group.attrs[part])
    found = [name for chunk in chunks for name in chunk]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in found]


def _keras3_tables(
    group: Any, layers: tuple[StoredLayer, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    by_name = {layer.name: layer for layer in layers}
    counted = _counted_names(layers)
    for key in group:
        if "vars" not in (held := _inside(group, key)) or not len(_inside(held, "vars")):
            continue
        variables = _inside(held, "vars")
        name = variables.attrs.get("name") or (key if key in by_name else counted.get(key))
        if layer := by_name.get(str(name)):
            yield (
                layer.name,
                {
                    variable: _inside(variables, str(number))
                    for number, variable in enumerate(layer.shapes)
                    if str(number) in variables
                },
            )


def _counted_names(layers: tuple[StoredLayer, ...]) -> dict[str, str]:
    """``conv2d_1`` -> the name of the second Conv2D, in the order of the architecture."""
    seen: dict[str, int] = {}
    names = {}
    for layer in layers:
        number = seen.get(layer.kind, 0)
        seen[layer.kind] = number + 1
        names[f"{layer.kind}_{number}" if number else layer.kind] = layer.name
    return names


def _inside(group: Any, name: str) -> Any:
    """A member whose bytes lie in this very file."""
    import h5py

    target = group
    for part in name.split("/"):
        if not isinstance(target.get(part, getlink=True), h5py.HardLink):
            raise UnfitFile("it links to data outside itself")
        target = target[part]
    if isinstance(target, h5py.Dataset) and (target.external or target.is_virtual):
        raise UnfitFile("it links to data outside itself")
    return target
