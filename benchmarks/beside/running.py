"""A contender at work: a process that is asked folder by folder, and what it must answer."""

import json
import os
import select
import subprocess
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PROGRAMS = Path(__file__).parent / "programs"
LONGEST = 240.0
"""Seconds that getting ready, or one folder, may take."""


class Failed(Exception):
    """Why there is no figure, for the table."""


@dataclass(frozen=True, slots=True)
class Round:
    """One folder, judged."""

    seconds: float
    answers: dict[str, str]


class Running:
    """The process of one contender."""

    def __init__(
        self, python: Path, program: str, settings: dict[str, Any], log: Path, longest: float
    ) -> None:
        self._log = log
        self._longest = longest
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - programs of this folder
                [python, PROGRAMS / program, json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=log.parent,
            )
        try:
            self.what = str(self._word("ready"))
        except BaseException:
            self.stop()
            raise

    def judge(self, folder: Path, names: Set[str]) -> Round:
        """Raises Failed where an answer is missing, or is one too many."""
        try:
            _pipe(self._process.stdin).write(f"{folder}\n".encode())
            _pipe(self._process.stdin).flush()
        except BrokenPipeError:
            raise Failed(self._ended()) from None
        line = self._line()
        return checked(line, names)

    def stop(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            _pipe(pipe).close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _word(self, wanted: str) -> Any:
        line = self._line()
        if "skipped" in line:
            raise Failed(str(line["skipped"]))
        return line[wanted]

    def _line(self) -> dict[str, Any]:
        """The next word of the process."""
        output, until, read = _pipe(self._process.stdout), time.monotonic() + self._longest, b""
        while not read.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([output], [], [], left)[0]:
                self._process.kill()
                raise Failed(f"no answer within {self._longest:.0f} s")
            part = os.read(output.fileno(), 1 << 20)
            if not part:
                raise Failed(self._ended())
            read += part
        word: dict[str, Any] = json.loads(read)
        return word

    def _ended(self) -> str:
        """Its last words."""
        status = self._process.wait()
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return f"it ended with status {status}: {lines[-1][:200] if lines else 'not a word'}"


def checked(word: dict[str, Any], names: Set[str]) -> Round:
    """Every picture has one answer, and there are no others. Raises Failed."""
    answers = dict(word["answers"])
    missing, strange = names - answers.keys(), answers.keys() - names
    if missing or strange:
        raise Failed(
            f"it answered for {len(names) - len(missing)} of {len(names)} pictures"
            + (f", and for {len(strange)} that it was not given" if strange else "")
        )
    if not word["seconds"] > 0:
        raise Failed(f"it says that it took {word['seconds']} s")
    return Round(float(word["seconds"]), answers)


def _pipe(one: IO[bytes] | None) -> IO[bytes]:
    assert one is not None  # noqa: S101 - each was asked for
    return one
