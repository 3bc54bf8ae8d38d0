"""A workspace made by `imgsort init`, once, and copied for each test."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli_runner import Answer, daemon_of, imgsort

INIT = ("init", "--classes", "cat,dog,snake", "--backbone", "efficientnet-lite0")
PICTURES = ("cat", "dog", "snake")


@dataclass(frozen=True)
class Made:
    """A workspace, and what `init` answered when it made it."""

    root: Path
    answer: Answer


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """`init --classes cat,dog,snake --backbone efficientnet-lite0`; xdist workers share it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root, done = shared / "made by init", shared / "init.answer"
    with (shared / "init.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            answer = imgsort("-C", root, *INIT)
            assert answer.code == 0, answer.err
            picture = shared / "grey.png"
            Image.new("RGB", (64, 64), "grey").save(picture)
            # Compiles the model into the backbone's cache, which every copy then has.
            assert imgsort("-C", root, "classify", picture).code == 0
            done.write_text(json.dumps([answer.code, answer.out, answer.err]))
    code, out, err = json.loads(done.read_text())
    return Made(root, Answer(code, out, err, frozenset()))


@pytest.fixture
def home(made: Made, tmp_path: Path) -> Path:
    """A fresh workspace to change at will."""
    shutil.copytree(made.root, tmp_path / "photos", symlinks=True, copy_function=_copied)
    return tmp_path / "photos"


def _copied(source: str, target: str) -> str:
    """Backbones are never changed, so their large files need not be copied."""
    if "/state/backbones/" in source:
        os.link(source, target)
        return target
    return shutil.copy2(source, target)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few generated pictures that no model knows, each with content of its own."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(1)
    paths = [folder / f"{name}.png" for name in PICTURES]
    for path in paths:
        Image.fromarray(noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(path)
    return paths


@pytest.fixture(scope="session")
def bound() -> list[str]:
    """What to put before a command so that file modes count for it, even if root runs the tests."""
    if os.geteuid() != 0:
        return []
    wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if not shutil.which("setpriv") or subprocess.run([*wrapper, "true"], check=False).returncode:
        pytest.skip("root is stopped by no mode, and setpriv is not here to bind it")
    return wrapper


@pytest.fixture
def daemon(home: Path) -> Iterator[subprocess.Popen[str]]:
    """`imgsort run` on ``home``, ready."""
    with daemon_of(home) as process:
        yield process
