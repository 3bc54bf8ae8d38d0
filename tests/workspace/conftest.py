"""A real workspace with a real small model, made once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from imgsort.care.init import first_model
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.vocabulary import resolve
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory, lite0: InstalledBackbone) -> Path:
    """A fresh workspace for cat, dog and snake, to be copied."""
    root = tmp_path_factory.mktemp("founded")
    (root / "config.toml").write_text('[model]\nbackbone = "efficientnet-lite0"\n')
    workspace = Workspace.open(root)
    for folder in (*workspace.picture_folders, workspace.models):
        folder.mkdir(parents=True)
    workspace.backbones.symlink_to(lite0.path.parent)
    migrate(workspace.database)
    first_model(workspace, lite0, resolve(["cat", "dog", "snake"]))
    return root


@pytest.fixture
def workspace(founded: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(founded, tmp_path / "photos", symlinks=True)
    return Workspace.open(tmp_path / "photos")
