"""Does memory grow with what waits? Many small pictures lie in the inbox when the daemon starts.

    python benchmarks/waiting.py [--waiting 50000] [--seconds 120] [--out waiting.json]

64x64 JPEGs, no two alike, a fresh workspace with efficientnet-lite0, and `imgsort run` for so many
seconds, then SIGTERM. Memory is PSS (shared pages count once), of the daemon and of its decoder
workers. Exit 1 where both together take over 1 GB, or the daemon grew by over 1 MB per 10,000
pictures after the first fifth of the time.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
from soak import MOST_GROWTH_MB, Sample, counted, daemon, drop, made, memory, size_mb

from imgsort.workspace.workspace import Workspace

MOST_MB, TICK = 1000.0, 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--waiting", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--out", type=Path, default=Path("waiting.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgsort-waiting-") as folder:
        workspace = made(Path(folder, "photos"))
        drop(workspace.inbox, range(options.waiting))
        with daemon(workspace) as process:
            samples = list(looks(workspace, process, options.seconds))
    most = max(one.daemon_mb + one.workers_mb for one in samples)
    growth = slope(samples)
    options.out.write_text(json.dumps([asdict(one) for one in samples], indent=1) + "\n")
    print(f"through          {samples[-1].images:,} of {options.waiting:,}")
    print(f"daemon           {told([one.daemon_mb for one in samples])}")
    print(f"decoder workers  {told([one.workers_mb for one in samples])}")
    print(f"together         at most {most:,.0f} MB; the daemon {growth:+.2f} MB per 10,000")
    sys.exit(most > MOST_MB or growth > MOST_GROWTH_MB)


def looks(workspace: Workspace, process: psutil.Popen, seconds: float) -> Iterator[Sample]:
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        yield Sample(spent, counted(workspace), *memory(process), size_mb(workspace))
        time.sleep(TICK)


def slope(samples: Sequence[Sample]) -> float:
    """MB per 10,000 pictures, without the warm-up."""
    settled = samples[len(samples) // 5 :]
    counts = [one.images / 10_000 for one in settled]
    return float(np.polyfit(counts, [one.daemon_mb for one in settled], 1)[0])


def told(megabytes: Sequence[float]) -> str:
    cuts = [megabytes[0], megabytes[len(megabytes) // 2], megabytes[-1]]
    return "{:,.0f} MB at the start, {:,.0f} half way, {:,.0f} at the end".format(*cuts)


if __name__ == "__main__":
    main()
