"""`why`, `next` and `refile` on real photographs that a real daemon run has filed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import imgsort
from imgsort.care.init import first_model
from imgsort.cli.app import app
from imgsort.daemon.service import run as service
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.embed import Views, embeddings_for
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.registry import Registry
from imgsort.models.serving import open_serving
from imgsort.models.vocabulary import resolve
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace
from tests.first_model import first_model_again

CONFIG = '[model]\nbackbone = "efficientnet-lite0"\nprecision = "float32"\n[decode]\nworkers = 2\n'
Type = Callable[..., Any]


@pytest.fixture(scope="module")
def filed(
    tmp_path_factory: pytest.TempPathFactory, lite0: InstalledBackbone, test_data: Path
) -> Path:
    """Eighteen photographs, filed by model v1."""
    root = tmp_path_factory.mktemp("filed") / "photos"
    root.mkdir()
    (root / "config.toml").write_text(CONFIG)
    workspace = Workspace.open(root)
    for folder in (*workspace.picture_folders, workspace.models):
        folder.mkdir(parents=True)
    workspace.backbones.symlink_to(lite0.path.parent)
    migrate(workspace.database)
    first_model(workspace, lite0, resolve(["cat", "dog", "snake"]))
    for name in ("cats", "dogs", "snakes"):
        for photo in sorted((test_data / "cats_dogs_snakes" / name).iterdir())[:6]:
            shutil.copy(photo, workspace.inbox / f"{name}-{photo.name}")
    service.run(workspace, once=True)
    return root


@pytest.fixture
def workspace(filed: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(filed, tmp_path / "photos", symlinks=True)
    return Workspace.open(tmp_path / "photos")


@pytest.fixture
def type_(workspace: Workspace) -> Type:
    """Types a command that must succeed; answers with its JSON."""

    def typed(*words: object) -> Any:
        arguments = ["-C", str(workspace.root), *(str(word) for word in words), "--json"]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return typed


def rows_of(workspace: Workspace) -> dict[str, str]:
    """sha256 -> path of every picture of the log."""
    with Store.open(workspace.database, root=workspace.root) as store:
        return {one.sha256: str(one.path) for one in store.pictures.by_ids(range(100))}


def test_the_daemon_stores_every_embedding(workspace: Workspace, type_: Type) -> None:
    """Each picture it judged is in embeddings.db, in the space of the runtime; status says how
    much that is."""
    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store, idle=True)
    with EmbeddingStore.open(workspace.embeddings) as kept:
        stored = kept.get(serving.backbone.id, serving.runtime.precision, rows_of(workspace))
    assert stored.keys() == rows_of(workspace).keys()
    assert {vector.shape for vector in stored.values()} == {(4736,)}
    said = type_("status")["embeddings"]
    assert said["limit_bytes"] == 4_000_000_000
    assert said["bytes"] >= 18 * 4736 * 2


def test_why_tells_all(workspace: Workspace, type_: Type) -> None:
    """Row, model, threshold, top, moves, labels, and nearest labelled pictures, best first."""
    cats = sorted((workspace.sorted / "cat").iterdir())
    snakes = sorted((workspace.sorted / "snake").iterdir())
    for path in (cats[1], *snakes[1:3]):
        type_("label", path, path.parent.name)

    told = type_("why", cats[0])

    assert told["row"]["path"] == f"sorted/cat/{cats[0].name}"
    decided = told["decided_by"]
    assert (decided["model"], decided["label"], decided["threshold"]) == (1, "cat", 0.7)
    assert decided["confidence"] >= 0.7
    assert decided["top"][0]["label"] == "cat"
    assert (decided["reason"], decided["reason_code"]) == (None, None)
    assert decided["unlikeness"] is None  # the first model has seen no training
    assert told["active_model"] is None
    near = told["nearest_labelled"]
    assert [one["label"] for one in near] == ["cat", "snake", "snake"]
    assert [one["cosine"] for one in near] == sorted((one["cosine"] for one in near), reverse=True)
    assert [(one["cause"], one["model"]) for one in told["moves"]] == [("file", 1)]
    assert told["labels"] == []
    assert [one["label"] for one in type_("why", cats[1])["labels"]] == ["cat"]


def test_a_doubt_has_a_word_for_scripts(workspace: Workspace, type_: Type) -> None:
    """`why`, `classify` and `imgsort.open` tell of an unsure picture what the log tells: the
    sentence and its ``reason_code``, the threshold and the model."""
    with imgsort.open(workspace.root) as photos:
        unsure = next(photos.log(unsure=True))
        path = workspace.root / unsure.path
        [predicted] = photos.classify(path)
        text = workspace.root / "note.jpg"
        text.write_text("no picture")
        [refused] = photos.classify(text)
    [told] = type_("classify", path)
    decided = type_("why", path)["decided_by"]

    assert (unsure.reason_code, decided["threshold"]) == ("low_confidence", 0.7)
    names = ("reason", "reason_code", "threshold", "model")
    expected = (unsure.reason, "low_confidence", 0.7, 1)
    assert tuple(told[name] for name in names) == expected
    assert tuple(decided[name] for name in names) == expected
    assert tuple(getattr(predicted, name) for name in names) == expected
    assert (refused.decision, refused.reason_code) == ("rejected", "unreadable")
    assert (refused.threshold, refused.model) == (None, 1)


def test_why_reads_well(workspace: Workspace) -> None:
    """For people it is a page of facts, then tables."""
    cat = sorted((workspace.sorted / "cat").iterdir())[0]
    result = CliRunner().invoke(app, ["-C", str(workspace.root), "why", cat.name])
    assert result.exit_code == 0
    assert "v1 (imagenet, efficientnet-lite0): cat" in result.stdout
    assert "filed from 0.70 on" in result.stdout
    assert "file, model v1" in result.stdout


def test_why_of_nothing(workspace: Workspace) -> None:
    """A picture nobody knows is one sentence."""
    result = CliRunner().invoke(app, ["-C", str(workspace.root), "why", "nobody.jpg"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "nobody.jpg: the log has no picture of that name.\n"


def test_next_lists_what_is_not_labelled(workspace: Workspace, type_: Type) -> None:
    """As many as asked for, none twice; a label takes a picture off the list."""
    first = type_("next", 4)
    assert len({one["sha256"] for one in first}) == 4
    assert all(Path(one["path"]).is_file() for one in first)
    type_("label", first[0]["id"], "cat")
    second = type_("next", 100)
    assert len(second) == 17
    assert first[0]["sha256"] not in {one["sha256"] for one in second}


def test_next_without_embeddings(workspace: Workspace, type_: Type) -> None:
    """With embeddings.db deleted the pictures are opened, and the answer is the same."""
    before = type_("next", 5)
    workspace.embeddings.unlink()
    after = type_("next", 5)
    assert [one["sha256"] for one in after] == [one["sha256"] for one in before]


def test_next_asks_about_the_least_sure_of_many(
    workspace: Workspace, type_: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more pictures than can be asked about at once, it says how many it left out; of those it
    asks about, none is one that the log says models were surer of."""
    from imgsort.labels import suggest

    monkeypatch.setattr(suggest, "_MOST_ASKED", 5)
    every = sorted(type_("log", "--limit", 100), key=lambda row: (row["confidence"], -row["id"]))
    result = CliRunner().invoke(app, ["-C", str(workspace.root), "next", "100", "--json"])
    listed = {one["sha256"] for one in json.loads(result.stdout)}
    assert listed == {row["sha256"] for row in every[:5]}
    left_out = f"{len(every) - 5} pictures that models were surer of were not asked about.\n"
    assert left_out in result.stderr


def swapped(workspace: Workspace) -> None:
    """Activate a v2 that takes cats for dogs and dogs for cats."""
    registry = Registry(workspace.models)
    cat, dog, snake = registry.card(1).classes
    draft = first_model_again(registry, classes=(dog, cat, snake), parent=1)
    registry.activate(registry.publish(draft).version)


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "deleted"])
def test_refile_with_a_real_model(workspace: Workspace, type_: Type, stored: bool) -> None:
    """Cats and dogs change places by their embeddings, stored or not, and undo brings them back."""
    if not stored:
        workspace.embeddings.unlink()
    swapped(workspace)
    before = rows_of(workspace)
    told = type_("refile", "--apply")
    assert {(one["from"], one["to"]) for one in told["flows"]} == {
        ("sorted/cat", "sorted/dog"),
        ("sorted/dog", "sorted/cat"),
    }
    assert told["applied"]["moved"] == told["would_move"] > 5
    name = Path(told["flows"][0]["examples"][0]).name
    opinion = type_("why", name)["decided_by"]
    assert (opinion["model"], opinion["decision"]) == (2, "filed")
    type_("undo", "--last")
    assert rows_of(workspace) == before


def test_an_undone_run_can_be_run_again(workspace: Workspace, type_: Type) -> None:
    """Back in the inbox nothing counts as sent back by hand: the next run files as the first did,
    into the same rows, and nobody is thought to have said anything."""
    before = rows_of(workspace)
    assert type_("undo", "--last")["to_inbox"] == 18
    assert len(list(workspace.inbox.iterdir())) == 18
    service.run(workspace, once=True)
    assert rows_of(workspace) == before
    with Store.open(workspace.database, root=workspace.root) as store:
        assert store.labels.current() == {}
        assert store.counts.overview().total == 18


class Mirror:
    """An augmentation that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, pixels: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
        self.asked.append((len(pixels), view))
        return np.ascontiguousarray(pixels[:, :, ::-1])


def test_training_decodes_only_what_is_missing(workspace: Workspace) -> None:
    """Nothing where the daemon was; views are made once and are other vectors; a file whose
    content has changed is told apart."""
    images = {sha256: Path(path) for sha256, path in rows_of(workspace).items()}
    mirror = Mirror()
    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store)
        plain = embeddings_for(workspace, store, serving, images)
        assert (plain.decoded, len(plain.vectors), plain.missing) == (0, 18, {})
        first = embeddings_for(workspace, store, serving, images, views=Views((1, 7), mirror))
        assert first.decoded == 18
        assert sum(count for count, view in mirror.asked if view == 7) == 18
        mirror.asked.clear()
        again = embeddings_for(workspace, store, serving, images, views=Views((1, 7), mirror))
        assert (again.decoded, mirror.asked) == (0, [])
        workspace.embeddings.unlink()
        changed, other, *_ = images
        images[changed] = images[other]
        fresh = embeddings_for(workspace, store, serving, images)
    assert fresh.missing == {changed: "its file holds another picture now"}
    assert fresh.decoded == 17
    one = again.vectors[other]
    assert one.shape == (3, 4736)
    assert np.allclose(one[0], fresh.plain(other), atol=0.01)
    assert np.array_equal(one[1], one[2])
    assert np.abs(one[0] - one[1]).max() > 0.1
