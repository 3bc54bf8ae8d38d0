"""A workspace of before there were inner layers: it goes on, and changes over without a stop."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from imgsort.care.init import first_model
from imgsort.daemon.pipeline.active_model import RETRY_SECONDS, ActiveModel
from imgsort.daemon.service import run as service
from imgsort.errors import ModelProblem
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.on_disk import CACHE
from imgsort.models.classify import pictures_in
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.quantize import quantize
from imgsort.models.registry import Registry
from imgsort.models.serving import open_serving
from imgsort.models.vocabulary import resolve
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import imgsort
from tests.workspace.test_daemon import Daemon, dropped, logged, photos, start, wait_for
from tests.workspace.test_quantize import CONFIG, ENOUGH

__all__ = ["photos", "start"]
WORDS = ["cat", "dog", "snake"]
COLOURS = {"brick": (40, 60, 180), "grass": (50, 160, 60), "sea": (190, 120, 40)}
EACH = 32


@pytest.fixture
def workspace(tmp_path: Path, earlier: InstalledBackbone) -> Workspace:
    """As an earlier version founded it."""
    root = tmp_path / "photos"
    root.mkdir()
    (root / "config.toml").write_text('[model]\nbackbone = "efficientnet-lite0"\n')
    workspace = Workspace.open(root)
    for folder in (*workspace.picture_folders, workspace.models, workspace.backbones):
        folder.mkdir(parents=True)
    put_in(workspace, earlier)
    migrate(workspace.database)
    first_model(workspace, earlier, resolve(WORDS))
    return workspace


def put_in(workspace: Workspace, backbone: InstalledBackbone) -> None:
    """Install it as an upgrade does, without the time that takes."""
    target = workspace.backbones / backbone.id
    shutil.copytree(backbone.path, target, ignore=shutil.ignore_patterns(CACHE))


def widths(workspace: Workspace, backbone: InstalledBackbone) -> list[int]:
    """Of the embeddings that are stored of this backbone, as a model of it finds them."""
    keys = [row.sha256 for row in logged(workspace)]
    with Store.open(workspace.database, root=workspace.root) as store:
        precision = open_serving(workspace, store, idle=True).runtime.precision
    with EmbeddingStore.open(workspace.embeddings) as kept:
        return [len(vector) for vector in kept.get(backbone.id, precision, keys).values()]


def drawn(folder: Path, each: int, start: int = 0) -> Path:
    """A folder a colour with so many pictures of it, no two alike."""
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for at in range(start, start + each):
            rng = np.random.default_rng([at, *colour])
            coarse = np.clip(rng.normal(0, 45, (12, 12, 1)) + np.array(colour), 0, 255)
            picture = cv2.resize(coarse.astype(np.uint8), (96, 96))
            cv2.imwrite(str(folder / name / f"{name}{at}.png"), picture)
    return folder


def test_a_workspace_of_before_goes_on_unchanged(
    workspace: Workspace, photos: list[Path], earlier: InstalledBackbone
) -> None:
    """Its model, its backbone and the width of what it stores."""
    dropped(workspace, photos)
    service.run(workspace, once=True)
    assert not pictures_in([workspace.inbox])
    assert {row.model for row in logged(workspace)} == {1}
    assert widths(workspace, earlier) == [1280] * len(photos)
    assert [path.name for path in workspace.backbones.iterdir()] == [earlier.id]


def test_a_model_of_before_looks_through_the_new_form(
    workspace: Workspace, lite0: InstalledBackbone, earlier: InstalledBackbone
) -> None:
    """Which is how retraining compares the two; not through any other backbone."""
    clouds = np.random.default_rng(5).integers(0, 256, (4, 7, 7, 3), np.uint8)
    pictures = clouds.repeat(32, axis=1).repeat(32, axis=2)
    with Store.open(workspace.database, root=workspace.root) as store:
        before = open_serving(workspace, store)
        now = open_serving(workspace, store, backbone=lite0)
        assert (before.backbone.id, now.backbone.id) == (earlier.id, lite0.id)
        old, new = (serving.judge(pictures) for serving in (before, now))
        new_card = first_model(workspace, lite0, resolve(WORDS))
        with pytest.raises(ModelProblem, match=f"v2 looks through the backbone {lite0.id}, not"):
            before.with_model(new_card, before.classifier)
    assert [one.label for one in old] == [one.label for one in new]
    assert [one.confidence for one in old] == pytest.approx([one.confidence for one in new])


def test_the_daemon_changes_backbones_between_batches(
    workspace: Workspace,
    photos: list[Path],
    earlier: InstalledBackbone,
    lite0: InstalledBackbone,
    start: Callable[[], Daemon],
) -> None:
    """To the new form and back, and what is stored is stored under the right one."""
    daemon = start()
    dropped(workspace, photos[:1])
    wait_for(lambda: len(logged(workspace)) == 1, "an image under v1")
    put_in(workspace, lite0)
    first_model(workspace, lite0, resolve(["animal"]))
    wait_a_look(workspace, photos[1:2], 2)
    assert Registry(workspace.models).rollback() == 1
    wait_a_look(workspace, photos[2:3], 3)
    assert [row.model for row in reversed(logged(workspace))] == [1, 2, 1]
    assert daemon.has_logged(f"the backbone {lite0.id} takes the place of {earlier.id}")
    wait_for(lambda: widths(workspace, earlier) == [1280] * 2, "the embeddings of v1")
    wait_for(lambda: widths(workspace, lite0) == [4736], "the embedding of v2")


def test_a_backbone_that_is_not_there_leaves_the_old_one(
    workspace: Workspace, lite0: InstalledBackbone, earlier: InstalledBackbone
) -> None:
    """The daemon says why, goes on, and takes the model once its backbone is back."""
    now = [0.0]
    with Store.open(workspace.database, root=workspace.root) as store:
        running = open_serving(workspace, store, idle=True)
        model = ActiveModel(workspace, store, running, clock=lambda: now[0])
        first_model(workspace, lite0, resolve(["animal"]))
        now[0] += 2
        assert model.current().backbone.id == earlier.id
        assert model.trouble is not None
        complaint = "model v2 can't be used, v1 goes on: The backbone "
        assert model.trouble.startswith(f"{complaint}{workspace.backbones / lite0.id} can't be")
        assert "put it back with `imgsort models reinstall`" in model.trouble
        put_in(workspace, lite0)
        now[0] += RETRY_SECONDS
        exchanged = model.current()
        assert (exchanged.backbone.id, exchanged.card.version) == (lite0.id, 2)


@pytest.mark.slow
def test_retrain_adds_the_inner_layers(
    workspace: Workspace, tmp_path: Path, earlier: InstalledBackbone, lite0: InstalledBackbone
) -> None:
    """Of what is installed. The new model looks through them, the one before it does not."""
    folder = drawn(tmp_path / "set", EACH)
    assert imgsort("-C", workspace.root, "import", folder).code == 0
    answer = imgsort("-C", workspace.root, "retrain")
    assert answer.code == 0, answer.err
    assert "inner layers are looked at too" in answer.err
    registry = Registry(workspace.models)
    cards = [registry.card(version) for version in (1, 2)]
    assert [card.backbone_id for card in cards] == [earlier.id, lite0.id]
    assert registry.active() == 2
    assert checked(workspace, 2)
    assert registry.rollback() == 1
    assert checked(workspace, 1)


def checked(workspace: Workspace, version: int) -> bool:
    """Does `run` file with this version?"""
    drawn(workspace.inbox / f"for-v{version}", 1, start=500 + version)
    service.run(workspace, once=True)
    newest = logged(workspace)[: len(COLOURS)]
    return {row.model for row in newest} == {version} and not pictures_in([workspace.inbox])


@pytest.mark.slow
def test_what_works_in_int8_keeps_its_form(
    workspace: Workspace, tmp_path: Path, test_data: Path, earlier: InstalledBackbone
) -> None:
    """int8 was measured on that one: another would have no int8 to serve in."""
    pytest.importorskip("nncf", reason="nncf is not installed (the extra int8)")
    quantize(workspace, pictures_in([test_data / "cats_dogs_snakes"]), ENOUGH)
    workspace.config_file.write_text(CONFIG.format("int8"))
    folder = drawn(tmp_path / "set", EACH)
    assert imgsort("-C", workspace.root, "import", folder).code == 0
    answer = imgsort("-C", workspace.root, "retrain")
    assert answer.code == 0, answer.err
    assert "int8 goes on without the inner layers" in answer.err
    card = Registry(workspace.models).card(2)
    assert (card.backbone_id, card.precision[:5]) == (earlier.id, "int8-")


def wait_a_look(workspace: Workspace, photos: list[Path], count: int) -> None:
    """Drop pictures after the pointer has been looked at again, and wait for them."""
    time.sleep(1.1)
    dropped(workspace, photos)
    wait_for(lambda: len(logged(workspace)) == count, f"{count} images in the log")
