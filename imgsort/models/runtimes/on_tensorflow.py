"""TensorFlow, for NVIDIA GPUs; on a CPU it serves as the yardstick."""

import threading
from typing import Any

import numpy as np
import safetensors.numpy

from imgsort.errors import RuntimeUnavailable
from imgsort.models.backbones import BACKBONES, InstalledBackbone
from imgsort.models.backbones.heavy_imports import import_keras, import_tensorflow
from imgsort.models.backbones.on_disk import WEIGHTS
from imgsort.models.backbones.spec import fill
from imgsort.models.runtimes.base import DeviceMemoryExhausted, Embeddings, Images
from imgsort.models.runtimes.shrinking_batches import Halving

NO_ROOM = (
    "out of memory",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
    "failed to create cudnn handle",
    "failed to create cublas handle",
)
"""How errors that aren't called so say that the device's memory is used up, in small letters: XLA
wraps a failed allocation of its own (cuDNN's workspace), and a library that finds no room for its
handle says that it failed."""
SMALL = 8
"""Pictures of the smaller of two batch sizes: for a drop, not for a queue."""
POLICIES = {"float32": "float32", "float16": "mixed_float16", "bfloat16": "mixed_bfloat16"}


class TensorflowRuntime:
    """Batches are filled up to one of two sizes, since XLA compiles every shape anew."""

    name = "tensorflow"

    def __init__(
        self, backbone: InstalledBackbone, precision: str, *, batch_size: int, gpu: bool
    ) -> None:
        self.precision = precision
        self._tensorflow = import_tensorflow()
        self._device = _device(self._tensorflow, gpu=gpu)
        with self._tensorflow.device(self._device):
            model = _built(backbone, POLICIES[precision])
        self._model = self._tensorflow.function(
            lambda images: self._tensorflow.cast(model(images, training=False), "float32"),
            jit_compile=gpu,
        )
        self._largest, self._side = batch_size, backbone.input_size
        self._one_at_a_time = threading.Lock()
        self._halving = Halving(self._run, backbone.width, batch_size)

    def embed(self, images: Images) -> Embeddings:
        """[N, S, S, 3] -> [N, D] for any N. Raises DeviceMemoryExhausted."""
        with self._one_at_a_time:  # two batches at once would need the memory twice
            return self._halving.embed(images)

    def warm_up(self) -> None:
        """Compile both sizes, before anybody waits for them. Raises DeviceMemoryExhausted, and
        RuntimeUnavailable where the driver or one of its libraries fails."""
        for size in sorted({padded_size(1, self._largest), self._largest}):
            try:
                self.embed(np.zeros((size, self._side, self._side, 3), np.uint8))
            except (self._tensorflow.errors.OpError, RuntimeError) as problem:
                said = next(iter(str(problem).splitlines()), type(problem).__name__)
                raise RuntimeUnavailable(
                    f'The GPU can\'t run the network ({said[:200]}); set model.device to "cpu" in '
                    f"config.toml, or mend its driver."
                ) from problem

    def _run(self, images: Images) -> Embeddings:
        size = padded_size(len(images), self._halving.limit)
        filling = np.zeros((size - len(images), *images.shape[1:]), np.uint8)
        filled = np.concatenate([images, filling]) if len(filling) else images
        errors = self._tensorflow.errors
        try:
            with self._tensorflow.device(self._device):
                answer = self._model(self._tensorflow.constant(filled)).numpy()
        except errors.ResourceExhaustedError as problem:
            raise DeviceMemoryExhausted(f"no room for {size} images") from problem
        except (errors.OpError, RuntimeError) as problem:
            if not any(words in str(problem).lower() for words in NO_ROOM):
                raise
            raise DeviceMemoryExhausted(f"no room for {size} images") from problem
        embeddings: Embeddings = answer[: len(images)]
        return embeddings


def padded_size(count: int, largest: int) -> int:
    """``SMALL`` where that is enough, else ``largest``, which ``count`` never exceeds."""
    small = min(SMALL, largest)
    return small if count <= small else largest


def _device(tensorflow: Any, *, gpu: bool) -> str:
    if not gpu:
        return "/CPU:0"
    devices = tensorflow.config.list_physical_devices("GPU")
    if not devices:
        raise RuntimeUnavailable(
            "An NVIDIA GPU is visible but TensorFlow can't use it; install its libraries with "
            '`pip install "imgsort[gpu]"`, or set model.device to "cpu" in config.toml.'
        )
    for device in devices:
        try:
            tensorflow.config.experimental.set_memory_growth(device, True)
        except RuntimeError:  # another runtime of this process is using the device already
            break
    return "/GPU:0"


def _built(backbone: InstalledBackbone, policy: str) -> Any:
    keras = import_keras()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = BACKBONES[backbone.name].build(inner=bool(backbone.inner))
    finally:
        keras.config.set_dtype_policy(before)
    fill(model, safetensors.numpy.load_file(backbone.verified(WEIGHTS)))
    return model
