"""What pyproject.toml can't say: no build without the wings, and none from left-overs."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

WINGS = ("daemon", "trainer", "migrations")


def refuse_lost_links(package: Path) -> None:
    """Stop where a wing is no folder; the wheel would silently lack it."""
    lost = [wing for wing in WINGS if not (package / wing).is_dir()]
    if lost:
        raise SystemExit(
            f"imgsort/{lost[0]} is not a folder: this copy lost its symbolic links "
            f"(Python's zipfile and some other tools drop them); unpack it again with `unzip` or "
            f"`tar`, or clone it with git, and build from there."
        )


class FreshBuild(build_py):
    """A left-over build/ would bring deleted modules back into the wheel."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


refuse_lost_links(Path(__file__).parent / "imgsort")
setup(cmdclass={"build_py": FreshBuild})
