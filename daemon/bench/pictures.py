"""Pictures to measure with: somebody's own, or generated ones; never the same bytes twice."""

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

from imgsort.errors import ImgsortError
from imgsort.images.generated import generated_jpegs
from imgsort.models.classify import pictures_in

_GENERATED_BYTES = 400e6
"""At most so much is generated; beyond that pictures come again under another tail."""


@dataclass
class Stock:
    """Pictures by their bytes. A tail after the picture's end makes each copy a new content."""

    contents: list[tuple[str, bytes]]
    what: str
    """In words, for the report."""
    _serial: "itertools.count[int]" = field(default_factory=itertools.count)

    @classmethod
    def generated(cls, width: int, height: int, count: int) -> "Stock":
        """JPEG pictures of width x height pixels."""
        distinct = max(8, min(count, int(_GENERATED_BYTES / (width * height * 0.4))))
        made = generated_jpegs(width, height, min(distinct, 256))
        contents = [(f"picture-{n:04d}.jpg", data) for n, data in enumerate(made)]
        return cls(contents, f"generated {width} x {height} JPEG")

    @classmethod
    def from_folder(cls, folder: Path) -> "Stock":
        """The pictures below a folder; they are read, never touched. Raises ImgsortError."""
        paths = pictures_in([folder])
        if not paths:
            raise ImgsortError(
                f"{folder} holds no picture imgsort reads; name another with --images."
            )
        return cls([(path.name, path.read_bytes()) for path in paths], f"{len(paths)} of {folder}")

    def lay_out(self, folder: Path, count: int) -> list[Path]:
        """Write ``count`` files that never were before, and wait until the disk has them."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, data in itertools.islice(itertools.cycle(self.contents), count):
            serial = next(self._serial)
            path = folder / f"{serial:06d}-{name}"
            path.write_bytes(data + b"imgsort bench %d" % serial)
            paths.append(path)
        os.sync()
        return paths
