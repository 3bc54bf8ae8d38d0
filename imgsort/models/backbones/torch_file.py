"""Read tensors from a torch file older than 1.6, without torch and without running any of it.

The format (torch/serialization.py, ``_legacy_load``): five pickles one after the other (magic
number, protocol, facts about the machine, the object itself, the storage keys), then for each
storage its number of elements as int64 and its raw bytes. A pickle can name any Python function to
call; this reader answers only to the handful of names that tensors need, and none of them runs
code from the file.
"""

import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
ELEMENT_LIMIT = 1 << 28
"""Numbers in one storage: a damaged length must not ask for all memory (here 1 GB)."""


class BadTorchFile(Exception):
    """Not a pre-1.6 torch file of tensors, or damaged; str() says what was wrong."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """The element type of a storage."""

    dtype: str


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor that waits for the bytes of its storage."""

    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str
    count: int


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _View:
    return _View(storage.key, offset, tuple(shape), tuple(strides))


ADMITTED: dict[tuple[str, str], Callable[..., Any] | _Kind] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): _Kind("<f4"),
    ("torch", "LongStorage"): _Kind("<i8"),
}


class _TensorsOnly(pickle.Unpickler):
    """Admits the names in ADMITTED and refuses every other before it is looked up."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return ADMITTED[module_name, global_name]
        except KeyError:
            raise BadTorchFile(
                f"it asks to run {module_name}.{global_name}, which tensors do not need"
            ) from None

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _Kind(dtype), str(key), str(), int(count), None):
                return self.storages.setdefault(key, _Storage(key, dtype, count))
        raise BadTorchFile("its tensors refer to something other than a storage")


def read_torch_file(path: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a state dictionary by name. Raises BadTorchFile, or OSError."""
    with path.open("rb") as file:
        try:
            return _read(file)
        except BadTorchFile:
            raise
        except Exception as problem:
            raise BadTorchFile(f"it is damaged: {type(problem).__name__}") from problem


def _read(file: BinaryIO) -> dict[str, NDArray[np.float32]]:
    if _TensorsOnly(file).load() != MAGIC or _TensorsOnly(file).load() != PROTOCOL:
        raise BadTorchFile("it is not a torch file of the kind written before torch 1.6")
    if _TensorsOnly(file).load().get("little_endian") is not True:
        raise BadTorchFile("it was written on a big-endian machine")
    unpickler = _TensorsOnly(file)
    views = unpickler.load()
    keys = _TensorsOnly(file).load()
    buffers = {key: _storage_bytes(file, unpickler.storages[key]) for key in keys}
    return {
        name: _tensor(view, buffers[view.key])
        for name, view in views.items()
        if buffers[view.key].dtype == np.float32
    }


def _storage_bytes(file: BinaryIO, storage: _Storage) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little", signed=True)
    if count != storage.count or not 0 <= count <= ELEMENT_LIMIT:
        raise BadTorchFile("the sizes it states contradict each other")
    dtype = np.dtype(storage.dtype)
    raw = file.read(count * dtype.itemsize)
    if len(raw) != count * dtype.itemsize:
        raise BadTorchFile("it is cut short")
    return np.frombuffer(raw, dtype)


def _tensor(view: _View, buffer: NDArray[Any]) -> NDArray[np.float32]:
    """A contiguous copy of the part of a storage that a tensor covers."""
    reach = sum((side - 1) * stride for side, stride in zip(view.shape, view.strides, strict=True))
    contained = view.offset >= 0 and view.offset + reach < len(buffer)
    overlapping = math.prod(view.shape) > len(buffer)
    if not contained or overlapping or min((*view.shape, *view.strides, 0)) < 0:
        raise BadTorchFile("a tensor reaches beyond its storage")
    item = buffer.itemsize
    strides = tuple(stride * item for stride in view.strides)
    window = np.lib.stride_tricks.as_strided(buffer[view.offset :], view.shape, strides)
    return np.ascontiguousarray(window)
