"""Versions of libraries with bugs that matter here: what is installed against a short table.

Each row was checked against its source. What imgsort doesn't use (Keras's ``load_model``, image
formats it never opens) is left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from imgsort.care.finding import Finding, Level, ok
from imgsort.images.versions import libheif_version
from imgsort.store.engine import sqlite_version

_CHECK = "versions"


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug of a library, and the releases without it."""

    library: str
    fixed_in: tuple[str, ...]
    """The release that fixed it first, then those of older lines that got the fix too: a version
    of such a line is sound from there on."""
    level: Level
    what: str
    remedy: str
    source: str

    def has(self, installed: str) -> bool:
        """Is this version affected?"""
        try:
            now = Version(installed)
        except InvalidVersion:
            return False
        first, *lines = map(Version, self.fixed_in)
        if now >= first:
            return False
        return not any(now.release[:2] == one.release[:2] and now >= one for one in lines)


BUGS = (
    Bug(
        "SQLite",
        ("3.51.3", "3.50.7", "3.44.6"),
        "warning",
        "can damage a database in WAL mode when two programs checkpoint it at the same moment "
        "(very rare); of imgsort's own processes only the daemon does",
        "Update SQLite or Python, and don't write to imgsort.db with other programs meanwhile",
        "https://www.sqlite.org/wal.html#walresetbug",
    ),
    Bug(
        "Pillow",
        ("13.0.0",),
        "warning",
        "writes beyond its buffer when it decodes certain broken JPEGs (GHSA-5x8w-8jj5-q52h, "
        "GHSA-8g5g-8vmr-9782)",
        "Update it: pip install -U pillow",
        "https://pillow.readthedocs.io/en/stable/releasenotes/13.0.0.html",
    ),
    Bug(
        "libheif",
        ("1.22.0",),
        "warning",
        "writes beyond its buffer when it decodes certain broken HEIF and AVIF files "
        "(CVE-2026-32740, CVE-2026-32741)",
        "Update the package that brings it: pip install -U pillow-heif",
        "https://osv.dev/vulnerability/CVE-2026-32740",
    ),
    Bug(
        "watchdog",
        ("6.0.0",),
        "warning",
        "reads an inotify descriptor that it has closed already",
        "Update it: pip install -U watchdog",
        "https://github.com/gorakhargosh/watchdog/pull/1081",
    ),
)


def check_versions() -> Iterator[Finding]:
    installed = {name: found for name, ask in _ASK.items() if (found := _asked(ask)) is not None}
    yield from known_bugs(installed, BUGS)
    yield from _requirements()


def known_bugs(installed: Mapping[str, str], bugs: Sequence[Bug]) -> Iterator[Finding]:
    """What the table has against these versions. Pure."""
    found = [bug for bug in bugs if bug.library in installed and bug.has(installed[bug.library])]
    for bug in found:
        yield Finding(
            bug.level,
            _CHECK,
            f"{bug.library} {installed[bug.library]} {bug.what}.",
            f"{bug.remedy}; fixed in {', '.join(bug.fixed_in)} ({bug.source}).",
        )
    sound = installed.keys() - {bug.library for bug in found}
    if sound:
        listed = ", ".join(f"{name} {installed[name]}" for name in sorted(sound))
        yield ok(_CHECK, f"No bug that matters here is known of {listed}.")


def _requirements() -> Iterator[Finding]:
    """Are the installed versions those that imgsort asks for? pip says so only once."""
    try:
        wanted = [Requirement(text) for text in requires("imgsort") or ()]
    except PackageNotFoundError:  # run from its source, not installed
        return
    for one in wanted:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            there = version(one.name)
        except PackageNotFoundError:
            yield Finding(
                "error", _CHECK, f"{one.name} is missing.", f'Install it: pip install "{one}".'
            )
            continue
        if not one.specifier.contains(there, prereleases=True):
            yield Finding(
                "warning",
                _CHECK,
                f"{one.name} {there} is not a version imgsort was made for ({one.specifier}).",
                f'Install one that is: pip install "{one}".',
            )


def _asked(ask: Callable[[], str]) -> str | None:
    try:
        return ask()
    except (ImportError, PackageNotFoundError):
        return None


_ASK: dict[str, Callable[[], str]] = {
    "SQLite": sqlite_version,
    "Pillow": lambda: version("pillow"),
    "libheif": libheif_version,
    "watchdog": lambda: version("watchdog"),
}
