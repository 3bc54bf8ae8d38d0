"""OpenVINO on a CPU."""

import logging
import os
import queue
from pathlib import Path
from typing import Any

import numpy as np

from imgsort.backbones import InstalledBackbone
from imgsort.backbones.installed import CACHE, GRAPH
from imgsort.backbones.quiet import import_openvino
from imgsort.errors import RuntimeUnavailable
from imgsort.runtime.base import Embeddings, Images
from imgsort.runtime.blobs import trusted_blobs

LOG = logging.getLogger(__name__)
CHUNK = 4
"""Images a request. Of 1, 4, 8, 16 and 32 the fastest on both backbones, in two streams."""
CALLERS = 2
"""Calls that may run side by side: while one waits for its last requests, the other's keep all
streams busy."""
HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenvinoRuntime:
    """A fixed shape of CHUNK images, several requests in flight, one a stream.

    Every image is computed by the same instructions whatever its batch; a last chunk that is not
    full is filled up. A shape left open costs 7 % on efficientnet-lite0.
    """

    name = "openvino"

    def __init__(self, backbone: InstalledBackbone, precision: str) -> None:
        openvino = import_openvino()
        self.precision = precision
        self._width = backbone.width
        core = openvino.Core()
        if precision == "bfloat16" and "BF16" not in _capabilities(core):
            raise RuntimeUnavailable(
                'This CPU can\'t compute in bfloat16; set model.precision to "auto" in config.toml.'
            )
        compiled = _compiled(core, backbone, HINTS[precision])
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(CALLERS):
            requests = openvino.AsyncInferQueue(compiled, 0)
            requests.set_callback(_collect)
            self._idle.put(requests)
        self._filling = np.zeros((CHUNK, backbone.input_size, backbone.input_size, 3), np.uint8)

    def embed(self, images: Images) -> Embeddings:
        """[N, S, S, 3] -> [N, D] for any N."""
        requests = self._idle.get()
        try:
            return self._embedded(requests, np.ascontiguousarray(images))
        finally:
            self._idle.put(requests)

    def _embedded(self, requests: Any, images: Images) -> Embeddings:
        """``images`` must be contiguous: requests read it in place."""
        embeddings = np.empty((len(images), self._width), np.float32)
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK]
            if len(part) < CHUNK:
                filled = self._filling.copy()
                filled[: len(part)] = part
                part = filled
            target = embeddings[start : start + CHUNK]
            requests.start_async([part], target, share_inputs=True)
        requests.wait_all()
        return embeddings


def _collect(request: Any, target: Embeddings) -> None:
    target[:] = request.get_output_tensor().data[: len(target)]


def _capabilities(core: Any) -> list[str]:
    return list(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def _compiled(core: Any, backbone: InstalledBackbone, hint: str) -> Any:
    """Compile, or map the blob that an earlier start left in the backbone's folder."""
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": hint}
    model = core.read_model(backbone.path / GRAPH)
    model.reshape([CHUNK, backbone.input_size, backbone.input_size, 3])
    cache = _cache_folder(backbone)
    if cache:
        try:
            with trusted_blobs(cache):
                return core.compile_model(model, "CPU", {**settings, "CACHE_DIR": str(cache)})
        except (OSError, RuntimeError) as problem:
            LOG.warning("the compiled model can't be kept in %s: %s", cache, problem)
    return core.compile_model(model, "CPU", settings)


def _cache_folder(backbone: InstalledBackbone) -> Path | None:
    """None where this process may not write: then every start compiles anew."""
    cache = backbone.path / CACHE
    try:
        cache.mkdir(exist_ok=True)
    except OSError:
        return None
    return cache if os.access(cache, os.W_OK) else None
