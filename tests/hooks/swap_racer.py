"""Somebody who may write into an inbox and swaps what lies there, thousands of times.

    python swap_racer.py SECONDS CANARY < PICTURE

Run in the inbox, as nobody where it may. Makes pictures (the bytes of PICTURE and a number after
them), and exchanges each with a link to CANARY, a pipe, a folder or another picture, or its folder
with a link to CANARY's folder, until the daemon has taken it. Prints how many pictures it made and
how often it swapped.
"""

import ctypes
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

VICTIMS = 8
NOBODY = 65534
EXCHANGE = 2  # RENAME_EXCHANGE, renameat2(2)
AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: str, other: str) -> bool:
    return not _libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE)


class Racer:
    """The swapper, at work in the current folder."""

    def __init__(self, canary: Path, picture: bytes) -> None:
        self.pictures = self.swaps = 0
        self._canary, self._picture = canary, picture
        self._chance = random.Random(5)  # noqa: S311 - a repeatable race
        kinds: list[Callable[[str], None]] = [self._link, self._pipe, self._folder, self._write]
        self._kinds = kinds

    def run(self, seconds: float) -> None:
        Path(".spare").mkdir()
        end = time.monotonic() + seconds
        victims = [self._victim() for _ in range(VICTIMS)]
        while time.monotonic() < end:
            place = self._chance.randrange(VICTIMS)
            if exchange(*victims[place]):
                self.swaps += 1
            else:  # the daemon has filed the picture that was under that name
                victims[place] = self._victim()
            time.sleep(self._chance.expovariate(500))

    def _victim(self) -> tuple[str, str]:
        """A picture with a name in the inbox, and what it is to be exchanged with."""
        number = self.pictures
        if number % 5 == 4:
            return self._victim_in_a_folder(number)
        spare, name = f".spare/{number}", f"race-{number}.jpg"
        self._write(".spare/new")
        self._kinds[number % 5](spare)
        Path(".spare/new").rename(name)
        return name, spare

    def _victim_in_a_folder(self, number: int) -> tuple[str, str]:
        folder, spare = f"sub-{number}", f".spare/{number}"
        Path(".spare/new-folder").mkdir()
        self._write(f".spare/new-folder/{self._canary.name}")
        Path(spare).symlink_to(self._canary.parent)
        Path(".spare/new-folder").rename(folder)
        return folder, spare

    def _write(self, path: str) -> None:
        with Path(path).open("xb") as file:
            file.write(self._picture + b"%d" % self.pictures)
        self.pictures += 1

    def _link(self, path: str) -> None:
        Path(path).symlink_to(self._canary)

    def _pipe(self, path: str) -> None:
        os.mkfifo(path)

    def _folder(self, path: str) -> None:
        Path(path).mkdir()
        self._write(f"{path}/inside.jpg")


if __name__ == "__main__":
    if os.geteuid() == 0:  # the interpreter itself may be root's alone, so not before it runs
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    racer = Racer(Path(sys.argv[2]), sys.stdin.buffer.read())
    racer.run(float(sys.argv[1]))
    print(racer.pictures, racer.swaps)
