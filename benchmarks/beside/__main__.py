"""`python -m benchmarks.beside`: run it, print the table, write table.json and table.png."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.beside import __doc__ as description
from benchmarks.beside.contender import CONTENDERS, Contender
from benchmarks.beside.contest import Terms, contest
from benchmarks.beside.pictures import from_folder, generated
from benchmarks.beside.table import as_dict, draw, lines


def main() -> None:
    options = _options()
    pictures = (
        generated(options.pictures)
        if options.images is None
        else from_folder(options.images, options.pictures)
    )
    kept = options.kept.resolve()
    kept.mkdir(parents=True, exist_ok=True)
    terms = Terms(pictures, options.rounds, kept, install=not options.skip_install)
    with tempfile.TemporaryDirectory(prefix="run-", dir=kept) as where:
        rows = contest(_chosen(options.only), terms, Path(where))
    table = as_dict(
        rows,
        pictures=options.pictures,
        pictures_are="generated" if options.images is None else "photographs",
        longest_side=500,
        rounds=options.rounds,
    )
    (kept / "table.json").write_text(json.dumps(table, indent=2) + "\n")
    draw(table, kept / "table.png")
    print("\n".join(lines(table)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=64, help="a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=Path, help="a folder, instead of generated pictures")
    parser.add_argument("--only", default="", help="words of names, by commas: keras,imgsort")
    parser.add_argument("--skip-install", action="store_true", help="install nothing")
    parser.add_argument("--kept", type=Path, default=Path(".bench"), help="environments, results")
    return parser.parse_args()


def _chosen(words: str) -> Sequence[Contender]:
    wanted = [word.strip().casefold() for word in words.split(",") if word.strip()]
    chosen = [
        one
        for one in CONTENDERS
        if not wanted or any(word in f"{one.name} {one.network}".casefold() for word in wanted)
    ]
    if not chosen:
        raise SystemExit(f"No contender is called {words!r}.")
    return chosen


if __name__ == "__main__":
    main()
