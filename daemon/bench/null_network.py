"""What the daemon's main process costs an image besides the network: its part of a GPU machine.

The network is replaced by one that costs nothing, and so is the decoding, which has processes of
its own: the main process has all it can do, as on a machine with cores enough. What a start costs
is left out by taking the slope between a small and a large count.
"""

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.daemon.bench.pictures import Stock
from imgsort.daemon.bench.rounds import end_to_end, throw_away
from imgsort.daemon.service.wiring import wired
from imgsort.images.generated import undecoded
from imgsort.images.pool import open_decoder
from imgsort.models.backbones import InstalledBackbone
from imgsort.workspace.config import Config

SHARE = 8
"""The large count is so many times the small one."""


class NullNetwork:
    """Embeds every picture as zeros."""

    name, precision = "null", "float32"

    def __init__(self, width: int) -> None:
        self._width = width

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.zeros((len(images), self._width), np.float32)


@dataclass(frozen=True, slots=True)
class Pass:
    """One inbox through the daemon."""

    images: int
    core_seconds: float
    """Processor time of the main process, in user and system mode."""
    images_per_second: float


@dataclass(frozen=True, slots=True)
class NullResult:
    """Two passes, and their slope."""

    small: Pass
    large: Pass

    @property
    def core_seconds_an_image(self) -> float:
        spent = self.large.core_seconds - self.small.core_seconds
        return spent / (self.large.images - self.small.images)

    def as_dict(self) -> dict[str, Any]:
        return {
            "passes": [asdict(self.small), asdict(self.large)],
            "main_process_core_ms_an_image": self.core_seconds_an_image * 1e3,
            "most_images_per_second": 1 / self.core_seconds_an_image,
        }

    def lines(self) -> list[str]:
        """For people."""
        spent = self.core_seconds_an_image
        return [
            f"main process    {spent * 1e3:.2f} core-ms an image besides the network: at most "
            f"{1 / spent:,.0f} images/s, whatever computes the network",
            f"measured        between {self.small.images:,} pictures "
            f"({self.small.core_seconds:.2f} core-s) and {self.large.images:,} "
            f"({self.large.core_seconds:.2f} core-s, {self.large.images_per_second:,.0f} images/s)",
        ]


def null_network(
    installed: InstalledBackbone, stock: Stock, config: Config, where: Path, count: int
) -> NullResult:
    """Two passes over ``count`` / 8 and ``count`` pictures, in a workspace made below ``where``."""
    small, large = (
        _pass(installed, stock, config, where, images) for images in (count // SHARE, count)
    )
    return NullResult(small, large)


def _pass(
    installed: InstalledBackbone, stock: Stock, config: Config, where: Path, images: int
) -> Pass:
    with throw_away(installed, config, where) as workspace, ExitStack() as stack:
        works = wired(workspace, stack, once=True)
        serving = works.model.serving
        works.model.serving = replace(serving, runtime=NullNetwork(serving.backbone.width))
        size, folders = serving.backbone.input_size, workspace.picture_folders
        decoder = open_decoder(config.decode, size, works.store.attempts, folders, undecoded)
        stack.enter_context(decoder)
        works.pipeline.stages = replace(works.pipeline.stages, decoder=decoder)
        stock.lay_out(workspace.inbox, images)
        began = time.process_time()
        rate = end_to_end(works, images)
        works.keeper.close()
        return Pass(images, time.process_time() - began, rate)
