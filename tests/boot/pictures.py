"""Make pictures, each with content of its own: pictures.py FOLDER PREFIX COUNT [red|green]."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

folder, prefix, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
noise = np.random.default_rng(abs(hash(prefix)) % 2**32)
for number in range(count):
    pixels = noise.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    if len(sys.argv) > 4:
        channel = ("red", "green").index(sys.argv[4])
        pixels[..., [one for one in range(3) if one != channel]] //= 4
    Image.fromarray(pixels).save(folder / f"{prefix}{number:03d}.png")
