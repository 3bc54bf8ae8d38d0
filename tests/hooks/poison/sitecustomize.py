"""Every Python that starts with this folder on its path finds some pictures poisonous.

Their last bytes say how: they kill or hang whoever decodes them, or fill its memory.
"""

import ctypes
import os
import time
from typing import Any

from imgsort import images
from imgsort.images.reasons import NO_MEMORY

_decode = images.decode


def poisoned(data: bytes, size: int, limits: Any) -> Any:
    if data.endswith(b"POISON:segfault"):
        ctypes.string_at(0)
    if data.endswith(b"POISON:exit"):
        os._exit(3)
    if data.endswith(b"POISON:hang"):
        time.sleep(3600)
    if data.endswith(b"POISON:bomb"):
        try:
            hoard = bytearray(8_000_000_000)
        except MemoryError:
            raise images.BadImage(NO_MEMORY) from None  # as images.decode does
        raise AssertionError(len(hoard))
    if data.endswith(b"POISON:bug"):
        raise LookupError("a bug")
    return _decode(data, size, limits)


poisoned.__module__, poisoned.__qualname__ = "sitecustomize", "poisoned"
images.decode = poisoned

if os.environ.get("IMGSORT_TEST_TRUSTING"):
    # The control: pictures are decoded where they are judged, in the process of the actor.
    from concurrent.futures import Future

    from imgsort.disk.identity import Identity
    from imgsort.images import ImageLimits, outcome, pool

    class Trusting:
        """A decoder pool that needs no other process."""

        def __init__(self, size: int) -> None:
            self._size = size
            images.settle_in(ImageLimits(64_000_000, 256_000_000))

        def submit(self, path: Any) -> Any:
            data = path.read_bytes()
            pixels, facts = poisoned(data, self._size, ImageLimits(64_000_000, 256_000_000))
            identity = Identity.of(path.lstat())
            done: Any = Future()
            done.set_result(outcome.Picture(path, identity, "0" * 64, facts, pixels))
            return done

        def close(self) -> None:
            """Nothing to close."""

    def trusting(_config: Any, size: int, *_rest: Any) -> Trusting:
        return Trusting(size)

    pool.open_decoder = trusting  # type: ignore[assignment]
