"""Runtimes: ``embed`` pictures with an installed backbone, on what this machine has."""

import logging
from dataclasses import replace

from imgsort.errors import RuntimeUnavailable
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import INT8, required_record
from imgsort.models.runtimes.base import DeviceMemoryExhausted, Embeddings, Images, Runtime
from imgsort.models.runtimes.choice import Choice, Machine, choose, this_machine
from imgsort.models.runtimes.lazy import IdleRuntime

__all__ = [
    "DeviceMemoryExhausted",
    "Embeddings",
    "Images",
    "Runtime",
    "idle_runtime",
    "open_runtime",
]

NO_CUDA = (
    "An NVIDIA GPU is visible, but the libraries to use it aren't installed; install them with "
    '`pip install "imgsort[gpu]"`, or set model.device to "cpu" in config.toml.'
)
LOG = logging.getLogger(__name__)


def open_runtime(
    backbone: InstalledBackbone, *, device: str, precision: str, batch_size: int
) -> Runtime:
    """Start the runtime that the configuration asks for; "auto" takes the fastest there is.

    Raises RuntimeUnavailable, or ModelProblem where the backbone's files are damaged.
    """
    machine = this_machine()
    choice = choose(device, precision, machine)
    if device == "auto" and machine.nvidia and not machine.cuda:
        LOG.warning("%s Going on without the GPU.", NO_CUDA)
    try:
        return _start(backbone, choice, batch_size)
    except RuntimeUnavailable as problem:
        if device != "auto" or choice.runtime == "openvino":
            raise
        LOG.warning("%s Going on without the GPU.", problem)
    without = Machine(nvidia=False, matrix_bfloat16=machine.matrix_bfloat16)
    return _start(backbone, choose("cpu", precision, without), batch_size)


def idle_runtime(
    backbone: InstalledBackbone, *, device: str, precision: str, batch_size: int
) -> Runtime:
    """The same runtime, started when it is given its first picture.

    At once where a GPU is to be used if it can: only starting it tells whether it can, and so at
    which precision embeddings are looked for.
    """

    def start() -> Runtime:
        return open_runtime(backbone, device=device, precision=precision, batch_size=batch_size)

    choice = choose(device, precision, this_machine())
    if device == "auto" and choice.runtime != "openvino":
        return start()
    if choice.precision == INT8:
        choice = replace(choice, precision=required_record(backbone).precision)
    return IdleRuntime(choice, start)


def _start(backbone: InstalledBackbone, choice: Choice, batch_size: int) -> Runtime:
    if choice.runtime == "openvino":
        from imgsort.models.runtimes.on_openvino import OpenvinoRuntime

        return OpenvinoRuntime(backbone, choice.precision)
    from imgsort.models.runtimes.on_tensorflow import TensorflowRuntime

    runtime = TensorflowRuntime(backbone, choice.precision, batch_size=batch_size, gpu=True)
    runtime.warm_up()
    return runtime
