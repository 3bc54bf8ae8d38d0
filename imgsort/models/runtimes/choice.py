"""Which runtime, at which precision? Decided from a few facts about the machine."""

import ctypes
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsort.errors import RuntimeUnavailable


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts that matter."""

    nvidia: bool
    """An NVIDIA GPU is visible."""
    matrix_bfloat16: bool
    """The CPU multiplies bfloat16 matrices in hardware (Intel AMX)."""
    cuda: bool = True
    """What TensorFlow needs to use such a GPU is installed."""
    matrix_int8: bool = False
    """The CPU sums up products of int8 in hardware (VNNI, AMX)."""


@dataclass(frozen=True, slots=True)
class Choice:
    runtime: Literal["openvino", "tensorflow"]
    precision: str
    """``float32``, ``bfloat16``, ``int8``, or on a GPU ``float16``."""


def choose(device: str, precision: str, machine: Machine) -> Choice:
    """From the configuration's ``device`` and ``precision``. Raises RuntimeUnavailable."""
    if device == "gpu" and not machine.nvidia:
        raise RuntimeUnavailable(
            'No NVIDIA GPU is visible, but model.device is "gpu"; set it to "auto" in config.toml.'
        )
    on_gpu = device == "gpu" or (device == "auto" and machine.nvidia and machine.cuda)
    if on_gpu and precision == "int8":
        raise RuntimeUnavailable(
            'model.precision "int8" is for CPUs, but an NVIDIA GPU is in use here; set '
            'model.precision to "auto", or model.device to "cpu" in config.toml.'
        )
    if precision == "auto":
        on_cpu = "bfloat16" if machine.matrix_bfloat16 else "float32"
        precision = "float16" if on_gpu else on_cpu
    return Choice("tensorflow" if on_gpu else "openvino", precision)


CPUINFO = Path("/proc/cpuinfo")


def this_machine(cpuinfo: Path | None = None) -> Machine:
    """Look without importing anything heavy. ``cpuinfo``: what to believe of the CPU."""
    cpuinfo = cpuinfo or CPUINFO
    return Machine(
        nvidia=nvidia_visible(Path("/")),
        matrix_bfloat16=_has_amx(cpuinfo),
        cuda=has_cuda(),
        matrix_int8=has_vnni(cpuinfo),
    )


def nvidia_visible(root: Path) -> bool:
    """Has the driver a GPU, or has a container been given one (/dev/nvidia0, /dev/nvidia1, …)?"""
    found: Iterable[Path] = root.glob("proc/driver/nvidia/gpus/*")
    devices = root.glob("dev/nvidia[0-9]*")
    return any(True for _ in found) or any(True for _ in devices)


def has_cuda() -> bool:
    """Are the libraries there that `imgsort[gpu]` brings, or the system's? No GPU is asked."""
    packages = importlib.util.find_spec("nvidia")
    places = list(packages.submodule_search_locations or ()) if packages else []
    if any(True for place in places for _ in Path(place).glob("cudnn/lib/libcudnn.so*")):
        return True
    return any(_loads(name) for name in ("libcudnn.so.9", "libcudnn.so.8"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_vnni(cpuinfo: Path | None = None) -> bool:
    """Without these instructions sums of int8 products overflow unless weights keep to 7 bits."""
    return bool(_flags(cpuinfo or CPUINFO) & {"avx512_vnni", "avx_vnni", "amx_int8"})


def _has_amx(cpuinfo: Path) -> bool:
    """AVX-512's own bfloat16 is not enough: ResNet50 ran at 0.58 of its float32 rate there."""
    return "amx_bf16" in _flags(cpuinfo)


def _flags(cpuinfo: Path) -> set[str]:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}
