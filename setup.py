"""What pyproject.toml can't say: no build without the linked folders, and none from left-overs."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

LINKED = ("daemon", "trainer", "backfill", "review", "migrations", "systemd")


def refuse_lost_links(package: Path) -> None:
    """Stop where a link to a folder is none; the wheel would silently lack what is in it."""
    lost = [folder for folder in LINKED if not (package / folder).is_dir()]
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
