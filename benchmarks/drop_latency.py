"""How long does one picture take, dropped into the inbox of a daemon that has nothing to do?

    python benchmarks/drop_latency.py [--drops 60] [--out drop_latency.json]

A fresh workspace with efficientnet-lite0 and `imgsort run`. Pictures of 500 x 375 pixels come one
by one, a moment apart: every other one is written in place, as `cp` does, the rest is renamed in,
as a camera's importer does. The time is from the end of writing until the file is out of the inbox;
one written in place has to be left alone for watch.settle_seconds first, which is taken off. Exit 1
where 95 of 100 take longer than 150 ms.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from soak import daemon, made

from imgsort.daemon.bench import Stock
from imgsort.workspace.workspace import Workspace

ASKED_MS = 150.0
LONGEST = 30.0
TICK = 0.001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--drops", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("drop_latency.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imgsort-drops-") as folder:
        workspace = made(Path(folder, "photos"))
        with daemon(workspace):
            waited = dropped(workspace, options.drops)
    table = {way: told(seconds) for way, seconds in waited.items()}
    options.out.write_text(json.dumps(table, indent=1) + "\n")
    for way, row in table.items():
        print(
            f"{way:<17} p50 {row['p50_ms']:6.0f} ms   p95 {row['p95_ms']:6.0f} ms beyond settling"
        )
    sys.exit(any(row["p95_ms"] > ASKED_MS for row in table.values()))


def dropped(workspace: Workspace, drops: int) -> dict[str, list[float]]:
    """Seconds of each drop beyond settling, by the way it came."""
    stock = Stock.generated(500, 375, drops)
    settle = workspace.config.watch.settle_seconds
    waited: dict[str, list[float]] = {"written in place": [], "renamed in": []}
    for number, (name, data) in enumerate((stock.contents * drops)[:drops]):
        content, renamed = data + b"drop %d" % number, number % 2 == 1
        path = workspace.inbox / f"{number:04}-{name}"
        part = path.with_name(f".{path.name}.part")
        (part if renamed else path).write_bytes(content)
        if renamed:
            part.rename(path)
        began = time.monotonic()
        gone(path, began + LONGEST)
        took = time.monotonic() - began
        waited["renamed in" if renamed else "written in place"].append(
            took - (0.0 if renamed else settle)
        )
        time.sleep(random.uniform(0.2, 0.6))  # noqa: S311 - not in step with anything
    return waited


def gone(path: Path, until: float) -> None:
    while path.exists():
        if time.monotonic() > until:
            sys.exit(f"{path.name} was not filed within {LONGEST:g} s")
        time.sleep(TICK)


def told(seconds: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=20)
    return {"p50_ms": round(cuts[9] * 1e3, 1), "p95_ms": round(cuts[18] * 1e3, 1)}


if __name__ == "__main__":
    main()
