"""int8 first, float32 where it is close: made beside the daemon, taken in, left alone, or refused.

On a CPU without VNNI the tests say that it has it: what the graph gives is measured all the same.
"""

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from imgsort.care.init import first_model
from imgsort.daemon.int8_form import REFUSED, Int8Form
from imgsort.daemon.log_output import Notices
from imgsort.daemon.pipeline.active_model import ActiveModel
from imgsort.daemon.service.wiring import wired
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import RECORD, record_of
from imgsort.models.backbones.on_disk import CACHE
from imgsort.models.classify import pictures_in
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.quantize import QuantizeTerms, quantize
from imgsort.models.quantize_by_itself import by_itself
from imgsort.models.runtimes import choice
from imgsort.models.serving import open_serving
from imgsort.models.vocabulary import resolve
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace

CONFIG = (
    '[model]\nbackbone = "efficientnet-lite0"\nprecision = "auto"\n[decode]\nworkers = 2\n'
    "[backup]\ndaily = false\n"
)
EASY = QuantizeTerms(count=150, least_pictures=60, least_promise=0.5, least_speedup=0.01)
"""These few pictures can't show 99.9 %, and this machine may be a slow one."""

pytestmark = pytest.mark.usefixtures("vnni")


@pytest.fixture
def vnni(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine says that its CPU has VNNI."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t\t: fpu avx2 avx_vnni\n")
    monkeypatch.setattr(choice, "CPUINFO", cpuinfo)
    return cpuinfo


@pytest.fixture(scope="module")
def photographs(test_data: Path) -> list[Path]:
    return pictures_in([test_data / "cats_dogs_snakes"])


@pytest.fixture(scope="module")
def measured(
    tmp_path_factory: pytest.TempPathFactory, lite0: InstalledBackbone, photographs: list[Path]
) -> Path:
    """A workspace for cat, dog and snake that has an int8 form, as easily promised."""
    pytest.importorskip("nncf", reason="nncf is not installed")
    root = tmp_path_factory.mktemp("measured") / "photos"
    root.mkdir()
    (root / "config.toml").write_text(CONFIG)
    workspace = Workspace.open(root)
    for folder in (*workspace.picture_folders, workspace.models):
        folder.mkdir(parents=True)
    shutil.copytree(
        lite0.path, workspace.backbones / lite0.id, ignore=shutil.ignore_patterns(CACHE)
    )
    migrate(workspace.database)
    first_model(workspace, lite0, resolve(["cat", "dog", "snake"]))
    quantize(workspace, photographs, EASY)
    return root


@pytest.fixture
def workspace(measured: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(measured, tmp_path / "photos", symlinks=True)
    return Workspace.open(tmp_path / "photos")


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    with Store.open(workspace.database, root=workspace.root) as store:
        yield store


def backbone_of(workspace: Workspace) -> InstalledBackbone:
    (folder,) = (path for path in workspace.backbones.iterdir() if path.is_dir())
    return InstalledBackbone.open(workspace.backbones, folder.name)


def widened(workspace: Workspace, odds: float) -> None:
    """The margin, which 25 pictures are too few to choose."""
    path = backbone_of(workspace).path / RECORD
    table = json.loads(path.read_bytes())
    table["measured"][0]["first"]["margin"]["odds"] = odds
    path.write_text(json.dumps(table))


def without_form(workspace: Workspace) -> None:
    for path in backbone_of(workspace).path.glob("int8*"):
        path.unlink()


Row = tuple[str, str | None, str | None]


def filed(workspace: Workspace, photographs: list[Path]) -> list[Row]:
    """Sort these, and tell name, class and precision of each."""
    for number, picture in enumerate(photographs):
        shutil.copyfile(picture, workspace.inbox / f"{number:03d}{picture.suffix}")
    with ExitStack() as stack:
        works = wired(workspace, stack, once=True)
        works.pipeline.start()
        assert works.pipeline.join(120)
    with Store.open(workspace.database, root=workspace.root) as store:
        rows = list(store.log.rows(LogFilter()))
    labels = (row.label if row.decision == "filed" else None for row in rows)
    told = zip((row.name for row in rows), labels, (row.precision for row in rows), strict=True)
    return sorted(told)


def test_decisions_are_float32s_and_the_log_says_whose(
    workspace: Workspace, photographs: list[Path], tmp_path: Path
) -> None:
    """The same folders as with float32 alone; both precisions were at work; so are their
    embeddings kept."""
    others = photographs[1::6]
    widened(workspace, 2.5)
    plain = Workspace.open(shutil.copytree(workspace.root, tmp_path / "plain", symlinks=True))
    plain.config_file.write_text(CONFIG.replace("auto", "float32"))
    record = record_of(backbone_of(workspace))
    assert record is not None
    first = filed(workspace, others)
    alone = filed(Workspace.open(plain.root), others)
    assert [row[:2] for row in first] == [row[:2] for row in alone]
    assert {row[2] for row in alone} == {"float32"}
    told = Counter(row[2] for row in first)
    assert set(told) == {"float32", record.precision}
    with EmbeddingStore.open(workspace.embeddings) as kept:
        with Store.open(workspace.database, root=workspace.root) as store:
            names = [row.sha256 for row in store.log.rows(LogFilter())]
        space = backbone_of(workspace).id
        assert len(kept.get(space, record.precision, names)) == len(set(names))
        assert len(kept.get(space, "float32", names)) == told["float32"]


def test_the_trainer_sees_float32_alone(workspace: Workspace, store: Store) -> None:
    """Whatever decides first in the daemon: learned heads see the space they learned in."""
    serving = open_serving(workspace, store, idle=True)
    assert serving.screen is None
    assert serving.runtime.precision == "float32"


def test_it_is_taken_in_between_two_batches(workspace: Workspace, store: Store) -> None:
    """Not before it is offered, and for no other head than its own."""
    serving = open_serving(workspace, store, idle=True)
    model = ActiveModel(workspace, store, serving)
    screen = model.current().screen
    assert screen is not None
    model.serving = replace(serving, screen=None)
    assert model.current().screen is None
    model.offer(replace(screen, head="ab" * 32))
    assert model.current().screen is None
    model.offer(screen)
    assert model.current().screen == screen
    assert model.serving.precision == f"{screen.runtime.precision} with float32 where it is close"


@pytest.mark.parametrize("change", ["cpu", "precision", "confidence", "head", "graph", "record"])
def test_it_is_not_used_where_it_was_not_measured(
    workspace: Workspace, store: Store, vnni: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another CPU, another wish, other thresholds, another head, damaged files: float32 goes on."""
    backbone = backbone_of(workspace)
    if change == "cpu":
        vnni.write_text("flags\t\t: fpu avx2\n")
    elif change == "precision":
        workspace.config_file.write_text(CONFIG.replace("auto", "float32"))
    elif change == "confidence":
        workspace.config_file.write_text(CONFIG.replace("[decode]", "confidence = 0.9\n[decode]"))
    elif change == "head":
        path = backbone.path / RECORD
        table = json.loads(path.read_bytes())
        table["measured"][0]["head"] = "ab" * 32
        path.write_text(json.dumps(table))
    elif change == "graph":
        (path,) = backbone.path.glob("int8-*.bin")
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    else:
        (backbone.path / RECORD).write_text("{")
    now = Workspace.open(workspace.root)
    with caplog.at_level(logging.WARNING, "imgsort"):
        model = ActiveModel(now, store, open_serving(now, store, idle=True))
    assert model.current().screen is None
    assert model.serving.precision == "float32"
    assert ("is damaged" in caplog.text) == (change in {"graph", "record"})


def waited(form: Int8Form) -> None:
    form.not_before = 0.0
    form.tick()
    deadline = time.monotonic() + 300
    while form.is_working and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not form.is_working


def test_what_is_there_and_good_is_offered(workspace: Workspace, store: Store) -> None:
    """Made by `imgsort quantize` while the daemon ran, say."""
    model = ActiveModel(workspace, store, open_serving(workspace, store, idle=True))
    model.serving = replace(model.serving, screen=None)
    form = Int8Form(workspace, store, model, Notices())
    waited(form)
    assert model.current().screen is not None


@pytest.mark.slow
def test_what_shows_too_little_is_refused_in_a_line_once(
    workspace: Workspace,
    photographs: list[Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A process of its own makes and measures it; 99.9 % can't be shown on 120 pictures; then it
    waits for twice as many."""
    without_form(workspace)
    filed(workspace, photographs[:125])
    with Store.open(workspace.database, root=workspace.root) as store:
        model = ActiveModel(workspace, store, open_serving(workspace, store, idle=True))
        form = Int8Form(workspace, store, model, Notices(), least=120)
        with caplog.at_level(logging.INFO, "imgsort"):
            waited(form)
            waited(form)
    said = [one.getMessage() for one in caplog.records if "int8" in one.getMessage()]
    assert said[0] == "making the int8 form from 120 pictures, beside the work"
    assert said[1].startswith("int8 is not used: int8")
    assert len(said) == 2
    assert model.current().screen is None
    refused = json.loads((backbone_of(workspace).path / REFUSED).read_bytes())
    assert list(refused["pictures"].values()) == [120]


def test_too_few_pictures_start_nothing(workspace: Workspace, store: Store) -> None:
    """Nothing is even tried, and nothing is written."""
    without_form(workspace)
    model = ActiveModel(workspace, store, open_serving(workspace, store, idle=True))
    waited(Int8Form(workspace, store, model, Notices()))
    assert model.current().screen is None
    assert not (backbone_of(workspace).path / REFUSED).exists()


@pytest.mark.slow
def test_damaged_files_are_made_anew(workspace: Workspace, photographs: list[Path]) -> None:
    """By itself it needs nobody to type --again."""
    backbone = backbone_of(workspace)
    (graph,) = backbone.path.glob("int8-*.bin")
    graph.write_bytes(b"")
    for number, picture in enumerate(photographs[:120]):
        shutil.copyfile(picture, workspace.unsure / f"{number}{picture.suffix}")
    assert by_itself(workspace, replace(EASY, count=120, least_agreement=0.0)) is None
    record = record_of(backbone)
    assert record is not None
    assert all((backbone.path / name).stat().st_size > 1000 for name in record.files)
