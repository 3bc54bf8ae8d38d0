"""What a stranger gets with `pip install`: built for real, then looked into."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).parent.parent
WINGS = ("daemon", "trainer", "backfill", "review", "migrations")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SDIST = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
OFFLINE = ("--disable-pip-version-check", "--no-deps", "--no-build-isolation")
PIP_WHEEL = (sys.executable, "-m", "pip", "wheel", *OFFLINE)
NOT_COPIED = shutil.ignore_patterns(
    *(".*", "__pycache__", "build", "dist", "*.egg-info", "tests", "benchmarks")
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the repository to build in, links as links."""
    return _checkout(tmp_path / "checkout")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy that the sdist and the wheel are built from."""
    return _checkout(tmp_path_factory.mktemp("source") / "checkout")


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    built = _run([sys.executable, "-c", SDIST, str(folder)], source)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    return _wheel(sdist, sdist.parent)


def test_the_wheel_holds_one_package(wheel: Path) -> None:
    """Only `imgsort` lands in site-packages: PyPI's python-daemon would overwrite a `daemon`."""
    tops = {name.partition("/")[0] for name in _names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"imgsort"}


def test_the_wheel_holds_every_module(source: Path, wheel: Path) -> None:
    """Core and wings are all there as real files, byte for byte, and nothing else."""
    expected = _modules(source / "imgsort", "imgsort")
    for wing in WINGS:
        expected |= _modules(source / wing, f"imgsort/{wing}")
    with zipfile.ZipFile(wheel) as archive:
        actual = {name: archive.read(name) for name in archive.namelist() if name.endswith(".py")}
    assert sorted(actual) == sorted(expected)
    assert actual == expected


def test_the_wheel_holds_data_and_licences(wheel: Path) -> None:
    """Vocabulary, templates, systemd units, type marker and licences are in the wheel."""
    names = _names(wheel)
    templates = {f"imgsort/migrations/{p.name}" for p in (REPOSITORY / "migrations").glob("*.mako")}
    units = {
        f"imgsort/systemd/{p.name}" for p in (REPOSITORY / "systemd").iterdir() if p.suffix != ".md"
    }
    assert len(units) > 5
    wanted = {"imgsort/data/imagenet_wordnet.json", "imgsort/py.typed", *templates, *units}
    wanted.add("imgsort/trainer/report/page.html")
    assert wanted - set(names) == set()
    licences = {PurePosixPath(name).name for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_the_metadata_says_what_it_is(wheel: Path) -> None:
    """The package page shows the README and the licence, and the command is called imgsort."""
    with zipfile.ZipFile(wheel) as archive:
        folder = next(n.partition("/")[0] for n in archive.namelist() if n.endswith("/METADATA"))
        metadata = archive.read(f"{folder}/METADATA").decode()
        commands = archive.read(f"{folder}/entry_points.txt").decode()
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Description-Content-Type: text/markdown\n" in metadata
    assert metadata.endswith((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert commands == "[console_scripts]\nimgsort = imgsort.cli:main\n"


def test_the_sdist_is_enough_to_build_from(sdist: Path) -> None:
    """The sdist has the licences, the sample config.toml, and the wings as folders, not links."""
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2]: member for name, member in _members(archive)}
    wanted = {"LICENSE", "NOTICE", "README.md", "config.toml", "constraints.txt", "setup.py"}
    assert wanted - set(members) == set()
    assert [name for name, member in members.items() if member.issym() or member.islnk()] == []
    assert "imgsort/daemon/__init__.py" in members


def test_a_left_over_build_folder_changes_nothing(checkout: Path, tmp_path: Path) -> None:
    """A module that was deleted since the last build doesn't come back from build/."""
    ghost = checkout / "build" / "lib" / "imgsort" / "ghost.py"
    ghost.parent.mkdir(parents=True)
    ghost.touch()
    assert "imgsort/ghost.py" not in _names(_wheel(checkout, tmp_path))


def test_lost_links_stop_the_build(checkout: Path, tmp_path: Path) -> None:
    """Where links became text files, as Python's zipfile makes them, no build is made."""
    packed, unpacked = tmp_path / "packed.zip", tmp_path / "unpacked"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in checkout.rglob("*"):
            name = path.relative_to(checkout).as_posix()
            if path.is_symlink():
                link = zipfile.ZipInfo(name)
                link.external_attr = 0o120777 << 16
                archive.writestr(link, str(path.readlink()))
            elif path.is_file():
                archive.write(path, name)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(unpacked)  # noqa: S202  (this test packed it)
    assert (unpacked / "imgsort" / "daemon").read_text() == "../daemon"
    built = _run([*PIP_WHEEL, "--wheel-dir", str(tmp_path), str(unpacked)], tmp_path)
    assert built.returncode != 0
    assert "imgsort/daemon is not a folder: this copy lost its symbolic links" in built.stderr
    assert list(tmp_path.glob("*.whl")) == []


@pytest.mark.parametrize("editable", [False, True], ids=["copied", "editable"])
def test_it_installs(checkout: Path, tmp_path: Path, editable: bool) -> None:
    """`pip install .` and `pip install -e .` both give `imgsort` with its wings and its data."""
    target = tmp_path / "site"
    _run([sys.executable, "-m", "venv", "--without-pip", str(target)], tmp_path)
    python = str(target / "bin" / "python")
    how = ["--editable"] if editable else []
    # The new environment borrows pip and setuptools from this one for as long as it builds.
    command = [python, "-m", "pip", "install", *OFFLINE, *how, str(checkout)]
    done = _run(command, tmp_path, {"PYTHONPATH": sysconfig.get_path("purelib")})
    assert done.returncode == 0, done.stderr
    script = """
import imgsort.daemon, imgsort.trainer
from importlib.resources import files
package = files("imgsort")
data, scripts = package / "data" / "imagenet_wordnet.json", package / "migrations" / "env.py"
print(imgsort.__version__, data.is_file(), scripts.is_file(), imgsort.daemon.__file__)
"""
    answer = _run([python, "-c", script], tmp_path)
    home = checkout if editable else target
    assert answer.stdout.startswith(f"{PROJECT['version']} True True {home}/"), answer.stderr
    assert (target / "bin" / "imgsort").is_file()


def test_constraints_fit_the_ranges() -> None:
    """constraints.txt pins every dependency once, inside the range that pyproject.toml allows."""
    pins = _pins()
    extras = PROJECT["optional-dependencies"]
    pinned = ("demo", "dev", "backfill", "ray")
    wanted = [*PROJECT["dependencies"], *(text for name in pinned for text in extras[name])]
    misfits = [
        text
        for text in wanted
        if (need := Requirement(text)).name != PROJECT["name"]  # one extra has another in it
        and (need.name not in pins or not need.specifier.contains(pins[need.name]))
    ]
    assert misfits == []


def test_constraints_are_plain_pins() -> None:
    """No hashes, indexes, paths or ranges: `-c constraints.txt` works with any package index."""
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    odd = [
        line
        for line in lines
        if not line.startswith("#") and not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*", line)
    ]
    assert odd == []
    assert len(_pins()) == sum(not line.startswith("#") for line in lines)


def test_the_version_is_said_once() -> None:
    """The package and its metadata agree on the version."""
    initial = (REPOSITORY / "imgsort" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{PROJECT["version"]}"' in initial


def _modules(folder: Path, installed_as: str) -> dict[str, bytes]:
    return {
        f"{installed_as}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*.py")
        if not path.parent.is_symlink()
    }


def _pins() -> dict[str, Version]:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {name: Version(number) for name, number in pairs}


def _checkout(folder: Path) -> Path:
    if Version(installed("setuptools")) < Version("77"):
        pytest.skip("setuptools is older than 77; pip install '.[dev]' brings a newer one")
    shutil.copytree(REPOSITORY, folder, symlinks=True, ignore=NOT_COPIED)
    return folder


def _wheel(source: Path, folder: Path) -> Path:
    built = _run([*PIP_WHEEL, "--wheel-dir", str(folder), str(source)], folder)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def _run(
    command: list[str], folder: Path, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(extra or {})}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def _names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def _members(archive: tarfile.TarFile) -> list[tuple[str, tarfile.TarInfo]]:
    return [(member.name, member) for member in archive.getmembers()]
