"""Decoders that misbehave on purpose; worker processes import them by name."""

import ctypes
import os
import sys
import time

import numpy as np
from numpy.typing import NDArray

from imgsort import images
from imgsort.images import BadImage, ImageFacts, ImageLimits

MAGIC = (13, 37, 42)
Decoded = tuple[NDArray[np.uint8], ImageFacts]


def _is_magic(pixels: NDArray[np.uint8]) -> bool:
    return bool((pixels == MAGIC).all())


def crash_on_magic(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    """Dies of SIGSEGV at a picture all of one colour."""
    pixels, facts = images.decode(data, size, limits)
    if _is_magic(pixels):
        ctypes.string_at(0)
    return pixels, facts


def hang_on_magic(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    pixels, facts = images.decode(data, size, limits)
    if _is_magic(pixels):
        time.sleep(3600)
    return pixels, facts


def exit_on_magic(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    pixels, facts = images.decode(data, size, limits)
    if _is_magic(pixels):
        os._exit(3)
    return pixels, facts


def killed_on_magic(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    """As when the kernel runs out of memory at this picture each time."""
    pixels, facts = images.decode(data, size, limits)
    if _is_magic(pixels):
        os.kill(os.getpid(), 9)
    return pixels, facts


def greedy(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    """Wants 2 GB more than any worker may have."""
    try:
        hoard = bytearray(2_000_000_000)
    except MemoryError:
        raise BadImage("memory is limited") from None
    raise AssertionError(len(hoard))


def slow(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    """Slow enough to be killed in the middle."""
    time.sleep(0.02)
    return images.decode(data, size, limits)


def chatty(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    os.write(1, b"noise" * 1000)
    os.write(2, b"noise" * 1000)
    return images.decode(data, size, limits)


def confess(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    """Tells what the worker process is like, as the reason of a refusal."""
    import resource
    import signal
    from pathlib import Path

    import cv2

    heavy = {"typer", "rich", "sqlalchemy", "pydantic", "openvino", "tensorflow", "pytest"}
    traits = {
        "heavy": sorted(heavy & set(sys.modules)),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "interrupt": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
        "threads": cv2.getNumThreads(),
        "oom": Path("/proc/self/oom_score_adj").read_text().strip(),
    }
    raise BadImage(repr(traits))


def change_it(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    """Somebody writes into the file while it is decoded; its path is in the picture's tail."""
    path = data.rsplit(b"\0path:", 1)[1]
    with open(path, "ab") as file:  # noqa: PTH123 - bytes
        file.write(b"more")
    return images.decode(data, size, limits)


def careless(data: bytes, size: int, limits: ImageLimits) -> Decoded:
    """A bug in our own code."""
    raise LookupError("a bug")
