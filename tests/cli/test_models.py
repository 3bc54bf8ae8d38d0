"""`imgsort models`: list, show, activate, rollback."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from imgsort.errors import ModelProblem, WeightsMissing
from imgsort.models.backbones import InstalledBackbone, resnet50
from imgsort.models.registry import ModelDraft, Registry
from imgsort.models.reinstall import reinstall
from imgsort.models.serving import active_card
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import asked, imgsort


@pytest.fixture
def two(home: Path) -> Path:
    """A workspace with a second model, v2, that knows no class and isn't active."""
    workspace = Workspace.open(home)
    card = active_card(workspace)
    draft = ModelDraft.imagenet(card.backbone, card.backbone_id, (), None)
    assert Registry(workspace.models).publish(draft).version == 2
    return home


def test_a_backbone_that_is_gone_or_damaged_is_put_back(home: Path) -> None:
    """By `restore`, for no backup holds it, and by `models reinstall`; then the model judges."""
    backbones = home / "state" / "backbones"
    saved = asked("-C", home, "backup", "--json").json["path"]
    shutil.rmtree(backbones)
    answer = imgsort("-C", home, "restore", saved)
    assert (answer.code, "Preparing the backbone" in answer.err) == (0, True)
    assert "can't be judged" not in answer.err
    (folder,) = backbones.iterdir()
    whole = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(whole[:-1] + b"!")
    code, said = asked("-C", home, "models", "activate", "1").said
    assert (code, "put it back with `imgsort models reinstall`" in said) == (1, True)
    answer = imgsort("-C", home, "models", "reinstall", "--json")
    assert (answer.code, answer.json["id"]) == (0, folder.name)
    assert (folder / "model.bin").read_bytes() == whole
    assert asked("-C", home, "models", "activate", "1").code == 0


def test_both_forms_of_a_backbone_are_put_back(home: Path, earlier: InstalledBackbone) -> None:
    """An older version looks through the one without inner layers, and may be gone back to."""
    workspace = Workspace.open(home)
    draft = ModelDraft.imagenet(earlier.name, earlier.id, (), None)
    old = Registry(workspace.models).publish(draft)
    now = active_card(workspace).backbone_id
    shutil.rmtree(workspace.backbones)
    assert reinstall(workspace, old).id == earlier.id
    assert {path.name for path in workspace.backbones.iterdir()} == {earlier.id}
    answer = imgsort("-C", home, "models", "reinstall", "--json")
    assert (answer.code, answer.json["id"]) == (0, now)
    shutil.rmtree(workspace.backbones / earlier.id)
    assert imgsort("-C", home, "models", "reinstall").code == 0
    assert {path.name for path in workspace.backbones.iterdir()} == {earlier.id, now}
    assert asked("-C", home, "models", "activate", str(old.version)).code == 0


def test_weights_of_another_backbone_are_refused(home: Path) -> None:
    """The embeddings would be others; what is there for other models stays."""
    workspace = Workspace.open(home)
    card = replace(active_card(workspace), backbone_id="efficientnet-lite0-000000000000")
    with pytest.raises(ModelProblem, match=r"looks through .*-000000000000, but these weights"):
        reinstall(workspace, card)
    assert reinstall(workspace, active_card(workspace)).id == active_card(workspace).backbone_id


def test_weights_that_cant_be_had_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With where to get them; another backbone is no way out here."""
    workspace = Workspace.open(home)
    card = replace(active_card(workspace), backbone="resnet50", backbone_id="resnet50-0")
    monkeypatch.setenv("KERAS_HOME", str(home / "none"))
    monkeypatch.setattr(resnet50, "downloadable", lambda: False)
    with pytest.raises(WeightsMissing) as told:
        reinstall(workspace, card)
    assert "and type `imgsort models reinstall`, or name it there with --weights FILE." in str(
        told.value
    )
    assert "lite0" not in str(told.value)


def test_models_are_listed(two: Path) -> None:
    """Every version with `version` and `active`; `models` lists too, -C stands anywhere."""
    answer = imgsort("-C", two, "models", "list", "--json")
    assert answer.loaded == frozenset()
    assert [(one["version"], one["active"]) for one in answer.json] == [(1, True), (2, False)]
    assert asked("models", "--json", "-C", two).out == answer.out
    assert asked("models", "-C", two, "list", "--json").out == answer.out
    lines = asked("-C", two, "models").out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        *(["version", "kind"], ["*", "v1"], ["v2", "imagenet"])
    ]


@pytest.mark.parametrize("typed", ["2", "v2", "V0002"])
def test_a_version_may_be_typed_as_it_is_shown(two: Path, typed: str) -> None:
    """`models show` takes 2, v2 and the folder's name."""
    shown = asked("-C", two, "models", "show", typed, "--json").json
    assert (shown["version"], shown["active"], shown["classes"]) == (2, False, 0)


def test_activate_and_rollback(two: Path) -> None:
    """Each says which version is active now; there is nothing before the first."""
    answer = asked("-C", two, "models", "activate", "v2", "--json")
    assert answer.json == {"version": 2, "active": True}
    assert asked("-C", two, "models", "rollback").out == "Model v1 is active.\n"
    assert asked("-C", two, "models", "rollback", "--json").said == (
        1,
        "There is no earlier model to go back to; see `imgsort models list`.",
    )
    listed = asked("-C", two, "models", "list", "--json").json
    assert [one["active"] for one in listed] == [True, False]


def test_a_version_that_isnt_there_is_told(two: Path) -> None:
    """Unknown: exit code 1. No version at all: exit code 2."""
    for command in ("show", "activate"):
        sentence = "There is no model v9; see `imgsort models list`."
        assert asked("-C", two, "models", command, "9").said == (1, sentence)
    for typed in ("x", "0", "v"):
        code, said = asked("-C", two, "models", "show", typed).said
        assert (code, f"'{typed}' is no model version; give one such as 2" in said) == (2, True)


def test_a_damaged_model_is_told_and_never_activated(two: Path) -> None:
    """`list` says so beside the others, `activate` refuses, the active one stays."""
    head = two / "state" / "models" / "v0002" / "head.safetensors"
    head.write_bytes(b"no model")
    code, said = asked("-C", two, "models", "activate", "2").said
    assert (code, said.startswith("Model v2 is damaged (head.safetensors")) == (1, True)
    (head.parent / "model.json").write_text("{")
    answer = asked("-C", two, "models", "list", "--json")
    assert [one["version"] for one in answer.json] == [1]
    assert answer.err.startswith("Model v2 is damaged (model.json is no JSON); activate another")


def test_a_model_whose_backbone_is_gone_is_never_activated(two: Path) -> None:
    """It could judge nothing."""
    shutil.rmtree(two / "state" / "backbones")
    code, said = asked("-C", two, "models", "activate", "2").said
    assert (code, "can't be read (No such file or directory)" in said) == (1, True)
    assert asked("-C", two, "models", "list", "--json").json[1]["active"] is False
