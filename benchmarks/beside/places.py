"""Where contenders run: with imgsort, or in a virtual environment that is made for them once."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.beside.contender import Contender
from benchmarks.beside.running import Failed

LONGEST = 1800.0
"""Seconds that an installation may take."""


def python_for(contender: Contender, kept: Path, *, install: bool) -> Path:
    """Its Python, with what it needs. Raises Failed, with the reason for the table."""
    if not contender.packages:
        return Path(sys.executable)
    place = kept / "venv"
    done = place / f"has-{'-'.join(map(_plain, contender.packages))}"
    if not done.exists():
        if not install:
            raise Failed("not installed, and --skip-install was given")
        _require_room(contender, kept)
        _install(contender.packages, place, kept / "pip.log")
        done.touch()
    return place / "bin" / "python"


def _plain(package: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in package)


def _require_room(contender: Contender, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(kept).free / 1e9
    if free < contender.gigabytes:
        raise Failed(f"installing it takes {contender.gigabytes:.0f} GB, and {free:.1f} are free")


def _install(packages: tuple[str, ...], place: Path, log: Path) -> None:
    print(f"installing {', '.join(packages)} …", file=sys.stderr, flush=True)
    if not place.exists():
        venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    command = [python, "-m", "pip", "install", "--quiet", *packages]
    with log.open("a") as told:
        try:
            subprocess.run(command, check=True, stdout=told, stderr=told, timeout=LONGEST)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise Failed(f"pip had not installed it after {LONGEST / 60:.0f} minutes") from None
        except subprocess.CalledProcessError:
            raise Failed(f"pip could not install it; {log.name} has its words") from None
