"""ONNX Runtime on torchvision's ResNet50; Pillow reads in a thread a core, some batches ahead."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
import torchvision
from answering import Answers, Judge, serve, timed
from numpy.typing import NDArray
from PIL import Image

SIDE = 224
MEAN = np.array((0.485, 0.456, 0.406), np.float32) * 255
SPREAD = np.array((0.229, 0.224, 0.225), np.float32) * 255
AHEAD = 3
"""Batches under way."""


def prepare(settings: Any) -> tuple[Judge, str]:
    size, cores = settings["batch_size"], settings["cores"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    network = onnxruntime.InferenceSession(exported(size, Path(settings["place"])), options)
    readers = ThreadPoolExecutor(cores)

    def judge(folder: Path) -> Answers:
        answers: Answers = {}
        for names, pixels in read_ahead(readers, sorted(folder.iterdir()), size):
            (found,) = network.run(None, {"pictures": pixels})
            answers.update(zip(names, map(str, found.argmax(axis=1)), strict=True))
        return answers

    return timed(judge), f"ONNX Runtime {onnxruntime.__version__}"


def exported(size: int, place: Path) -> Path:
    """The network in ONNX's form, for batches of any size."""
    path = place / "resnet50.onnx"
    torch.onnx.export(
        torchvision.models.resnet50(weights=None).eval(),
        (torch.zeros(size, 3, SIDE, SIDE),),
        path,
        input_names=["pictures"],
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        verbose=False,
    )
    return path


def read_ahead(
    readers: ThreadPoolExecutor, paths: list[Path], size: int
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Names and pixels [N, 3, H, W], a batch at a time."""
    waiting: deque[tuple[list[str], list[Future[NDArray[np.float32]]]]] = deque()
    for start in range(0, len(paths), size):
        part = paths[start : start + size]
        waiting.append(([path.name for path in part], [readers.submit(read, one) for one in part]))
        if len(waiting) == AHEAD:
            names, pictures = waiting.popleft()
            yield names, np.stack([picture.result() for picture in pictures])
    for names, pictures in waiting:
        yield names, np.stack([picture.result() for picture in pictures])


def read(path: Path) -> NDArray[np.float32]:
    picture = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return ((np.asarray(picture, np.float32) - MEAN) / SPREAD).transpose(2, 0, 1)


if __name__ == "__main__":
    serve(prepare)
