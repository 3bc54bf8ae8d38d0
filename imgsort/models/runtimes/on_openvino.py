"""OpenVINO on a CPU."""

import logging
import os
import queue
from pathlib import Path
from typing import Any

import numpy as np

from imgsort.errors import RuntimeUnavailable
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.heavy_imports import import_openvino
from imgsort.models.backbones.int8 import INT8, required_record, verified_graph
from imgsort.models.backbones.on_disk import CACHE, GRAPH
from imgsort.models.runtimes.base import Embeddings, Images
from imgsort.models.runtimes.choice import has_vnni
from imgsort.models.runtimes.compiled_cache import trusted_blobs

LOG = logging.getLogger(__name__)
CHUNK = 4
"""Images a request. Of 1, 4, 8, 16 and 32 the fastest on both backbones, in two streams."""
CALLERS = 2
"""Calls that may run side by side: while one waits for its last requests, the other's keep all
streams busy."""
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
"""An int8 graph says itself which of its steps are in int8; the others are as before."""


class OpenvinoRuntime:
    """A fixed shape of CHUNK images, several requests in flight, one a stream.

    Every image is computed by the same instructions whatever its batch; a last chunk that is not
    full is filled up. A shape left open costs 7 % on efficientnet-lite0.
    """

    name = "openvino"

    def __init__(
        self, backbone: InstalledBackbone, precision: str, graph: Path | None = None
    ) -> None:
        """``graph`` is one that is not the backbone's own yet; its compiled form isn't kept."""
        openvino = import_openvino()
        self.precision = precision
        cache = None if graph else _cache_folder(backbone)
        if precision == INT8 and graph is None:
            record = required_record(backbone)
            if record.vnni and not has_vnni():
                raise RuntimeUnavailable(
                    "The int8 form was made on a CPU with VNNI, which this one lacks; make it anew "
                    'with `imgsort quantize --again`, or set model.precision to "auto".'
                )
            self.precision, graph = record.precision, verified_graph(backbone, record)
        self._width = backbone.width
        core = openvino.Core()
        if precision == "bfloat16" and "BF16" not in _capabilities(core):
            raise RuntimeUnavailable(
                'This CPU can\'t compute in bfloat16; set model.precision to "auto" in config.toml.'
            )
        model = core.read_model(graph or backbone.path / GRAPH)
        model.reshape([CHUNK, backbone.input_size, backbone.input_size, 3])
        compiled = _compiled(core, model, HINTS[precision], cache)
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


def _compiled(core: Any, model: Any, hint: str, cache: Path | None) -> Any:
    """Compile, or map the blob that an earlier start left in the ``cache`` folder."""
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": hint}
    if cache:
        try:
            with trusted_blobs(cache):
                return core.compile_model(model, "CPU", {**settings, "CACHE_DIR": str(cache)})
        except (OSError, RuntimeError) as problem:
            LOG.warning("the compiled model can't be kept in %s: %s", cache, _said(problem))
    try:
        return core.compile_model(model, "CPU", settings)
    except RuntimeError as problem:
        raise RuntimeUnavailable(
            f"OpenVINO can't compile the model here ({_said(problem)}); give it a gigabyte of "
            f"memory, and don't forbid it to make code: no MemoryDenyWriteExecute in a service."
        ) from problem


def _said(problem: Exception) -> str:
    """In one line, without the places in OpenVINO's source."""
    lines = [line.strip() for line in str(problem).splitlines()]
    return ", ".join(line for line in lines if line and not line.startswith("Exception from"))


def _cache_folder(backbone: InstalledBackbone) -> Path | None:
    """None where this process may not write: then every start compiles anew."""
    cache = backbone.path / CACHE
    try:
        cache.mkdir(exist_ok=True)
    except OSError:
        return None
    return cache if os.access(cache, os.W_OK) else None
