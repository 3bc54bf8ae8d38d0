"""Fixtures that several test files share: the test data, and each backbone installed once."""

import fcntl
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from imgsort.cli import registered
from imgsort.disk.durable import replace_file
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.on_disk import CARD

registered()  # tests type any command

REPOSITORY = Path(__file__).parent.parent
INSTALL = """
import sys
from pathlib import Path
from imgsort.models.backbones import install
name, folder, kind = sys.argv[1:]
random, inner = kind == "random", kind != "earlier"
print(install(name, Path(folder), random_weights=random, inner=inner).id)
"""


@pytest.fixture(autouse=True)
def _garbage_is_collected() -> Iterator[None]:
    """Commands that end at once leave that to the end of their process; tests run them in ours."""
    yield
    gc.enable()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of the test data; IMGSORT_TEST_DATA, or shared/data beside the repository."""
    folder = Path(os.environ.get("IMGSORT_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set IMGSORT_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def lite0(tmp_path_factory: pytest.TempPathFactory) -> InstalledBackbone:
    """efficientnet-lite0 with its ImageNet weights."""
    return _installed_once(tmp_path_factory, "efficientnet-lite0", "imagenet")


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> InstalledBackbone:
    """efficientnet-lite0 as versions installed it that knew of no inner layers."""
    made = _installed_once(tmp_path_factory, "efficientnet-lite0", "earlier")
    card = asdict(made.card)
    for later in ("final", "inner", "extends"):
        del card[later]
    replace_file(made.path / CARD, json.dumps(card, indent=2).encode())
    return InstalledBackbone.open(made.path.parent, made.id)


@pytest.fixture(scope="session")
def resnet50_random(tmp_path_factory: pytest.TempPathFactory) -> InstalledBackbone:
    """resnet50 with random weights: right for speed and plumbing, blind to pictures."""
    return _installed_once(tmp_path_factory, "resnet50", "random")


def _installed_once(factory: pytest.TempPathFactory, name: str, weights: str) -> InstalledBackbone:
    """Install in a process of its own, so that TensorFlow stays out of this one.

    xdist workers share the folder: the first to take the lock installs, the others open.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, done = shared / f"{weights}-backbones", shared / f"{name}-{weights}.id"
    with (shared / f"{name}-{weights}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            command = [sys.executable, "-c", INSTALL, name, str(folder), weights]
            answer = subprocess.run(
                command, cwd=REPOSITORY, capture_output=True, text=True, check=False
            )
            assert answer.returncode == 0, answer.stderr
            done.write_text(answer.stdout.strip())
    return InstalledBackbone.open(folder, done.read_text())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a tmpfs of a size such as ``5m``; only root can."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
            pytest.skip("mounting a tmpfs takes root, and a machine that lets it")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)
