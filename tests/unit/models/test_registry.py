"""Model versions on disk."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from imgsort.disk.durable import write_synced
from imgsort.errors import ModelProblem
from imgsort.models.heads.classifier import ImagenetHead
from imgsort.models.registry import ClassEntry, ModelDraft, Registry
from imgsort.records.model_card import rendered
from imgsort.records.verdict import NOTHING_KNOWN

CLASSES = (ClassEntry(11, "cat"), ClassEntry(12, "chien"))
CAT = np.array([[4, 0, 0]], np.float32)


def draft(**changes: object) -> ModelDraft:
    fields: dict[str, object] = {
        "kind": "imagenet",
        "backbone": "efficientnet-lite0",
        "backbone_id": "abc",
        "precision": "float32",
        "classes": CLASSES,
        "thresholds": (0.7, 0.5),
        "metrics": {"accuracy": 0.5, "classes": {"cat": [1, 2]}},
        "tensors": {
            "weight": np.eye(3, dtype=np.float32),
            "bias": np.zeros(3, np.float32),
            "groups": np.array([[1, 0, 0], [0, 1, 1]], np.bool_),
        },
    }
    return ModelDraft(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_publish_writes_the_next_version_whole(registry: Registry) -> None:
    """v0001, v0002…: a card and a head each, nothing else, and none is active yet."""
    first = registry.publish(draft())
    second = registry.publish(draft(parent=1))
    assert (first.version, second.version, second.parent) == (1, 2, 1)
    assert tree(registry.folder) == [
        "v0001", "v0001/head.safetensors", "v0001/model.json",
        "v0002", "v0002/head.safetensors", "v0002/model.json",
    ]  # fmt: skip
    assert registry.versions() == [first, second]
    assert registry.card(2) == second
    assert registry.active() is None


def test_the_card_on_disk_is_plain_json(registry: Registry) -> None:
    """Other programs can read what a model is."""
    registry.publish(draft())
    card = json.loads((registry.folder / "v0001" / "model.json").read_text(encoding="utf-8"))
    assert card["schema"] == 1
    assert card["classes"] == [{"id": 11, "name": "cat"}, {"id": 12, "name": "chien"}]
    assert card["thresholds"] == [0.7, 0.5]
    assert list(card["checksums"]) == ["head.safetensors"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", card["created_at"])


def test_a_loaded_model_judges_as_published(registry: Registry) -> None:
    """Weights, groups, thresholds and temperature come back."""
    registry.publish(draft(temperature=2))
    [verdict] = registry.load(1).judge(CAT, 5)
    expected = float(np.exp(2) / (np.exp(2) + 2))
    assert (verdict.label, verdict.decision) == ("cat", "filed")
    assert verdict.confidence == pytest.approx(expected)


def test_classes_bear_their_present_names(registry: Registry) -> None:
    """A rename touches no model; a class that is gone keeps the name it had."""
    registry.publish(draft())
    assert registry.load(1, {12: "dog", 99: "bird"}).classes == ("cat", "dog")
    assert registry.load(1).classes == ("cat", "chien")


def test_the_configured_confidence_replaces_the_thresholds(registry: Registry) -> None:
    """A model that learned no threshold of its own follows config.toml."""
    registry.publish(draft())
    assert registry.load(1, None, 0.99).judge(CAT, 1)[0].decision == "unsure"
    assert registry.load(1, None, 0.70).judge(CAT, 1)[0].decision == "filed"


def test_the_first_model_is_drafted_from_the_imagenet_head(registry: Registry) -> None:
    """Given groups, or each ImageNet class by itself; without a head it knows no class."""
    head = (np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    three = (*CLASSES, ClassEntry(13, "bird"))
    groups = np.array([[1, 0, 0], [0, 1, 1]], np.bool_)
    registry.publish(ModelDraft.imagenet("resnet50", "id", CLASSES, head, groups))
    registry.publish(ModelDraft.imagenet("resnet50", "id", three, head))
    registry.publish(ModelDraft.imagenet("resnet50", "id", CLASSES, None))
    assert registry.load(1).judge(CAT, 1)[0].label == "cat"
    assert [score.label for score in registry.load(2).judge(CAT, 3)[0].top_k] == [
        "cat",
        "chien",
        "bird",
    ]
    [verdict] = registry.load(3, None, 0.7).judge(CAT, 3)
    assert (verdict.label, verdict.doubt) == ("", NOTHING_KNOWN)


def test_tensors_that_are_views_come_back_unscrambled(registry: Registry) -> None:
    """A transposed weight is saved as it reads, not as it lies in memory."""
    weight = np.array([[0, 9, 0], [9, 0, 0], [9, 0, 0]], np.float32)[::-1].T
    tensors = dict(draft().tensors, weight=weight)
    registry.publish(draft(tensors=tensors))
    head = registry.load(1).head
    assert isinstance(head, ImagenetHead)
    assert np.array_equal(head.weight, weight)


def test_activate_and_roll_back(registry: Registry) -> None:
    """Back goes to the version that was active before, and back again one further."""
    for _ in range(3):
        registry.publish(draft())
    registry.activate(1)
    registry.activate(3)
    registry.activate(3)
    registry.activate(2)
    assert registry.active() == 2
    assert (registry.folder / "active").readlink() == Path("v0002")
    assert (registry.rollback(), registry.active()) == (3, 3)
    assert (Registry(registry.folder).rollback(), registry.active()) == (1, 1)
    with pytest.raises(ModelProblem, match=r"no earlier model to go back to"):
        registry.rollback()
    assert registry.active() == 1


def test_rollback_passes_over_a_damaged_version(registry: Registry) -> None:
    """It goes on to the newest one that can be used."""
    for version in (1, 2, 3):
        registry.publish(draft())
        registry.activate(version)
    (registry.folder / "v0002" / "head.safetensors").write_bytes(b"")
    assert registry.rollback() == 1


@pytest.mark.parametrize("target", [None, "v0009", "elsewhere", "../v0001", "v0001/model.json"])
def test_without_a_good_pointer_no_model_is_active(registry: Registry, target: str | None) -> None:
    """Missing, dangling or strange: None, never an exception."""
    registry.publish(draft())
    if target is not None:
        (registry.folder / "active").symlink_to(target)
    assert registry.active() is None
    registry.activate(1)
    assert registry.active() == 1


def test_an_empty_registry_is_no_error(registry: Registry) -> None:
    """Before the first publish there are no versions, and asking makes nothing."""
    assert (registry.versions(), registry.damaged(), registry.active()) == ([], {}, None)
    assert not registry.folder.exists()
    with pytest.raises(ModelProblem, match=r"There is no model v4; see `imgsort models list`"):
        registry.load(4)


@pytest.mark.parametrize("name", ["model.json", "head.safetensors"])
def test_one_flipped_bit_anywhere_is_noticed(registry: Registry, name: str) -> None:
    """The version is refused in words that name it and the remedy; the original bytes load."""
    registry.publish(draft())
    path = registry.folder / "v0001" / name
    good = path.read_bytes()
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << (position % 8)
        path.write_bytes(bad)
        with pytest.raises(ModelProblem, match=r"Model v1 .*`imgsort models activate V`"):
            registry.load(1)
    path.write_bytes(good)
    assert registry.load(1).classes == ("cat", "chien")


@pytest.mark.parametrize("name", ["model.json", "head.safetensors"])
@pytest.mark.parametrize("kept", [None, 0, 100])
def test_a_lost_or_cut_file_is_noticed(registry: Registry, name: str, kept: int | None) -> None:
    """Missing, empty or short: refused, never activated, and the others stay usable."""
    registry.publish(draft())
    registry.publish(draft())
    registry.activate(1)
    path = registry.folder / "v0002" / name
    content = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(content[:kept])
    with pytest.raises(ModelProblem, match=r"Model v2 is damaged"):
        registry.activate(2)
    assert registry.active() == 1
    assert registry.load(1).classes == ("cat", "chien")


def resealed(content: dict[str, object]) -> bytes:
    """A model.json as a program with a grudge would write it: the seal fits."""
    content.pop("seal", None)
    body = (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
    content["seal"] = hashlib.sha256(body).hexdigest()
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"colour": "red"}, "colour"),
        ({"thresholds": [0.7]}, "1 thresholds for 2 classes"),
        ({"thresholds": [0.7, 7.0]}, "outside 0 to 1"),
        ({"temperature": 0.0}, "temperature"),
        ({"classes": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}, "listed twice"),
        ({"classes": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]}, "has no id"),
        ({"classes": [{"id": 1, "name": "a", "x": 2}, {"id": 2, "name": "b"}]}, "classes"),
        ({"version": 2}, "that of v2"),
        ({"version": "1"}, "version"),
        ({"created_at": "yesterday"}, "created_at|isoformat"),
        ({"checksums": {}}, "sha256"),
        ({"schema": 2}, "newer imgsort"),
        ({"schema": None}, "changed after"),
        ({"kind": "cubist"}, "doesn't know"),
        ({"kind": "dense"}, "doesn't fit its card"),
        ({"kind": "learned"}, "doesn't fit its card"),
    ],
)
def test_a_card_must_be_consistent(
    registry: Registry, change: dict[str, object], why: str | None
) -> None:
    """Unknown keys, wrong types and contradictions are refused even under a fitting seal."""
    registry.publish(draft())
    path = registry.folder / "v0001" / "model.json"
    path.write_bytes(resealed({**json.loads(path.read_bytes()), **change}))
    if why is None:
        assert registry.load(1).classes == ("cat", "chien")
        return
    with pytest.raises(ModelProblem, match=why):
        registry.load(1)


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_card_that_is_no_card_is_refused(registry: Registry, text: bytes) -> None:
    """The list shows the other versions; the damaged one is told apart."""
    registry.publish(draft())
    good = registry.publish(draft())
    (registry.folder / "v0001" / "model.json").write_bytes(text)
    with pytest.raises(ModelProblem, match=r"Model v1 is damaged"):
        registry.card(1)
    assert registry.versions() == [good]
    assert list(registry.damaged()) == [1]


def test_a_head_that_does_not_fit_its_card_is_refused(registry: Registry) -> None:
    """Right sha256, wrong numbers."""
    tensors = dict(draft().tensors)
    del tensors["bias"]
    registry.publish(draft(tensors=tensors))
    registry.publish(draft(tensors=dict(draft().tensors, bias=np.zeros(2, np.float32))))
    for version in (1, 2):
        with pytest.raises(ModelProblem, match=rf"Model v{version} is damaged \(its head doesn't"):
            registry.load(version)


def test_a_head_that_is_no_safetensors_file_is_refused(registry: Registry) -> None:
    """A pickle with a fitting checksum is still no model."""
    registry.publish(draft())
    folder = registry.folder / "v0001"
    card = json.loads((folder / "model.json").read_bytes())
    head = b"cos\nsystem\n(S'echo pwned'\ntR."
    card["checksums"]["head.safetensors"] = hashlib.sha256(head).hexdigest()
    (folder / "head.safetensors").write_bytes(head)
    (folder / "model.json").write_bytes(resealed(card))
    with pytest.raises(ModelProblem, match=r"Model v1 is damaged \(head.safetensors: "):
        registry.load(1)


def test_publishers_at_once_get_different_versions(registry: Registry) -> None:
    """Eight of them: eight whole models, numbered without gaps."""
    with ThreadPoolExecutor(8) as pool:
        cards = list(pool.map(lambda _: Registry(registry.folder).publish(draft()), range(8)))
    assert sorted(card.version for card in cards) == list(range(1, 9))
    assert [card.version for card in registry.versions()] == list(range(1, 9))
    assert all(registry.load(version).classes for version in range(1, 9))


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from imgsort.models.registry import ClassEntry, ModelDraft, Registry
classes = (ClassEntry(11, "cat"), ClassEntry(12, "chien"))
head = (np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
draft = ModelDraft.imagenet("efficientnet-lite0", "abc", classes, head)
registry = Registry(Path(sys.argv[1]))
{act}
"""


def killed(registry: Registry, failpoint: str, act: str) -> None:
    """Let another process act and die (SIGKILL) at a fail point."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(act=act), str(registry.folder)],
        env={**os.environ, "IMGSORT_FAILPOINT": failpoint, "PYTHONPATH": str(root)},
        cwd=root,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def test_a_publisher_killed_half_way_leaves_no_version(registry: Registry) -> None:
    """Its leftovers are no version, and the next publish clears them away."""
    registry.publish(draft())
    registry.activate(1)
    killed(registry, "publish-staged", "registry.publish(draft)")
    assert ".publishing" in tree(registry.folder)
    assert [card.version for card in registry.versions()] == [1]
    assert registry.active() == 1
    assert registry.publish(draft()).version == 2
    assert ".publishing" not in tree(registry.folder)
    assert registry.load(2).classes == ("cat", "chien")


def test_a_publisher_killed_after_the_rename_leaves_a_whole_version(registry: Registry) -> None:
    """It loads, and the next one gets the next number."""
    killed(registry, "publish-renamed", "registry.publish(draft)")
    assert registry.load(1).classes == ("cat", "chien")
    assert registry.publish(draft()).version == 2


@pytest.mark.parametrize(
    ("failpoint", "act", "active", "then"),
    [
        ("activate-recorded", "registry.activate(3)", 2, 1),
        ("rollback-linked", "registry.rollback()", 1, None),
    ],
)
def test_switching_killed_half_way_keeps_a_good_history(
    registry: Registry, failpoint: str, act: str, active: int, then: int | None
) -> None:
    """One model is active at any time, and rollback never answers with that same one."""
    for _ in range(3):
        registry.publish(draft())
    registry.activate(1)
    registry.activate(2)
    killed(registry, failpoint, act)
    assert registry.active() == active
    if then is None:
        with pytest.raises(ModelProblem):
            registry.rollback()
    else:
        assert registry.rollback() == then


def test_a_folder_that_can_not_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    """Here because a file stands in its place."""
    (tmp_path / "models").write_text("")
    with pytest.raises(ModelProblem, match=r"models can't be written \(File exists\); free space"):
        Registry(tmp_path / "models").publish(draft())


def test_a_full_disk_leaves_nothing_behind(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The half-written version is cleared away and the message says what to do."""
    registry.publish(draft())

    def full(path: Path, content: bytes) -> None:
        if path.name == "model.json":
            raise OSError(28, "No space left on device")
        write_synced(path, content)

    monkeypatch.setattr("imgsort.models.registry.write_synced", full)
    with pytest.raises(ModelProblem, match=r"No space left on device\); free space"):
        registry.publish(draft())
    assert tree(registry.folder) == ["v0001", "v0001/head.safetensors", "v0001/model.json"]


def test_cards_sum_themselves_up_for_scripts(registry: Registry) -> None:
    """`models list --json` and `models show --json` print these."""
    card = registry.publish(draft())
    assert card.summary() == {
        "version": 1,
        "kind": "imagenet",
        "backbone": "efficientnet-lite0",
        "precision": "float32",
        "classes": 2,
        "parent": None,
        "created_at": card.created_at,
    }
    assert card.detail()["thresholds"] == {"cat": 0.7, "chien": 0.5}
    assert json.loads(json.dumps(card.detail())) == card.detail()
    assert rendered(card) == (registry.folder / "v0001" / "model.json").read_bytes()


def test_who_holds_it_is_alone(registry: Registry) -> None:
    """Between the last look at what serves and the activation of a better model nobody else can
    activate: their word comes after, and stays."""
    for _ in range(3):
        registry.publish(draft())
    registry.activate(1)
    other = threading.Thread(target=Registry(registry.folder).activate, args=(3,))
    with registry.held():
        other.start()
        other.join(0.3)
        assert registry.active() == 1
        registry.activate(2)
        assert other.is_alive()
    other.join()
    assert registry.active() == 3
    assert registry.rollback() == 2
