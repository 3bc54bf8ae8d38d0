"""What every runtime promises."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""RGB [N, S, S, 3], S the backbone's input size."""
Embeddings = NDArray[np.float32]
"""[N, D]"""


class DeviceMemoryExhausted(Exception):
    """Not even one image fits into the device's memory right now."""


class Runtime(Protocol):
    """Runs a backbone. Threads may share one; the GIL is free while it computes."""

    @property
    def name(self) -> str:
        """``openvino`` or ``tensorflow``."""

    @property
    def precision(self) -> str:
        """``float32``, ``bfloat16``, ``float16``, or ``int8-`` with the number of the graph:
        embeddings differ between them."""

    def embed(self, images: Images) -> Embeddings:
        """Any N, zero included. Raises DeviceMemoryExhausted."""
