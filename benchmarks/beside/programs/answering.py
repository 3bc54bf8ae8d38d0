"""What surrounds each contender: pictures in, answers and seconds out. Nothing but Python's own.

A program is started with its settings as JSON. It gets ready, says so in one line, and then, for
each folder that comes in a line, says in one line what each file in it is and how long that took.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answers = dict[str, str]
"""By file name: a class, as the program calls it."""
Judge = Callable[[Path], tuple[float, Answers]]
"""Seconds, and what each file in the folder is."""


class Skipped(Exception):
    """This machine can't do it, and why."""


def timed(judge: Callable[[Path], Answers]) -> Judge:
    """All of it counts, from the folder's name to the last answer."""

    def with_a_clock(folder: Path) -> tuple[float, Answers]:
        began = time.perf_counter()
        answers = judge(folder)
        return time.perf_counter() - began, answers

    return with_a_clock


def serve(prepare: Callable[[Any], tuple[Judge, str]]) -> None:
    """``prepare`` takes the settings; it returns who judges, and on what, in a few words."""
    words = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        judge, what = prepare(json.loads(sys.argv[1]))
    except Skipped as reason:
        print(json.dumps({"skipped": str(reason)}), file=words)
        return
    print(json.dumps({"ready": what}), file=words)
    for line in sys.stdin:
        seconds, answers = judge(Path(line.rstrip("\n")))
        print(json.dumps({"seconds": seconds, "answers": answers}), file=words)
