"""Retraining on a real workspace: real pictures, a real backbone, real labels."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from imgsort.cli.app import app
from imgsort.errors import ModelProblem
from imgsort.images import ImageLimits, decode
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.heads.learned_model import LearnedModel
from imgsort.models.registry import Registry
from imgsort.models.serving import open_serving
from imgsort.records.labels import NewLabel
from imgsort.records.log import LogFilter
from imgsort.store import Store
from imgsort.store.drift import Period
from imgsort.trainer.retrain import Options, retrain
from imgsort.workspace.workspace import Workspace

REPOSITORY = Path(__file__).parents[2]
COLOURS = {"brick": (40, 60, 180), "grass": (50, 160, 60), "sea": (190, 120, 40)}
NEW = {"sand": (120, 200, 230)}
EACH = 32
KILLED = (
    *("retrain-dealt", "retrain-trained", "publish-staged", "publish-renamed"),
    *("retrain-published", "retrain-recorded", "activate-recorded"),
)

pytestmark = pytest.mark.slow


def picture(colour: tuple[int, int, int], seed: int) -> NDArray[np.uint8]:
    """Blotches of one colour: easy to tell, no two alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 45, (12, 12, 1)) + rng.normal(0, 12, (12, 12, 3)) + np.array(colour)
    return np.asarray(cv2.resize(np.clip(coarse, 0, 255).astype(np.uint8), (96, 96)), np.uint8)


def drawn(folder: Path, classes: dict[str, int], start: int = 0) -> Path:
    """A folder a class with so many pictures of its colour."""
    for number, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for at in range(count):
            pixels = picture((COLOURS | NEW)[name], 1_000 * number + start + at)
            cv2.imwrite(str(folder / name / f"{name}{start + at}.png"), pixels)
    return folder


def pixels_of(photos: list[Path], size: int) -> NDArray[np.uint8]:
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    return np.stack([decode(path.read_bytes(), size, limits)[0] for path in photos])


def typed(workspace: Workspace, *words: str) -> Result:
    """Type ``imgsort -C … words``."""
    return CliRunner().invoke(app, ["-C", str(workspace.root), *words], catch_exceptions=False)


@pytest.fixture(scope="session")
def taught(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with pictures of three colours imported, none of which it has heard of."""
    base = tmp_path_factory.mktemp("taught")
    workspace = Workspace.open(Path(shutil.copytree(founded, base / "photos", symlinks=True)))
    folder = drawn(base / "set", dict.fromkeys(COLOURS, EACH))
    assert typed(workspace, "import", str(folder)).exit_code == 0
    return workspace.root


@pytest.fixture(scope="session")
def trained(taught: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The same after `imgsort retrain --json`, and what that answered."""
    base = tmp_path_factory.mktemp("trained")
    workspace = Workspace.open(Path(shutil.copytree(taught, base / "photos", symlinks=True)))
    return workspace.root, typed(workspace, "retrain", "--json")


def copied(root: Path, tmp_path: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(root, tmp_path / "photos", symlinks=True)))


def active(workspace: Workspace) -> int | None:
    return Registry(workspace.models).active()


def test_a_better_model_serves(trained: tuple[Path, Result]) -> None:
    """Labels of classes the model never heard of: a new model that tells them serves at once."""
    root, answer = trained
    workspace = Workspace.open(root)
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert (found["promoted"], found["forced"]) == (True, False)
    assert found["evaluation"]["macro_f1"] > 0.95 > found["champion_evaluation"]["macro_f1"]
    assert found["material"]["labels"] == 3 * EACH
    assert found["material"]["held_out"] >= 0.9 * 3 * EACH
    assert active(workspace) == 2
    report = Path(found["report"])
    assert report == root / "state/models/v0002/report/index.html"
    assert report.stat().st_size > 10_000
    card = Registry(workspace.models).card(2)
    assert (card.kind, card.parent) == ("learned", 1)
    assert card.training.gate.provisional
    assert [path.name for path in workspace.models.iterdir() if path.name.startswith(".")] == []


def test_every_picture_of_the_test_is_kept(trained: tuple[Path, Result]) -> None:
    """Who reads a count of the matrix can look at the very pictures that were counted."""
    root, answer = trained
    found = json.loads(answer.stdout)
    path = root / "state/models/v0002/report/judged.jsonl"
    judged = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({one["sha256"] for one in judged}) == len(judged) == found["material"]["held_out"]
    right = sum(one["truth"] == one["said"] for one in judged)
    assert right == sum(each["right"] for each in found["classes"])
    before = sum(one["truth"] == one["before"] for one in judged)
    assert before == sum(each["champion_right"] for each in found["classes"])
    wrong = {one["sha256"] for one in judged if one["truth"] != one["said"]}
    assert {one["sha256"] for one in found["mistakes"]} <= wrong


def test_a_training_says_how_it_goes_and_how_it_ended(trained: tuple[Path, Result]) -> None:
    """Whoever started it: what the page, or a script, wants to know lies in state/retrain.json."""
    root, answer = trained
    said = json.loads((root / "state/retrain.json").read_text(encoding="utf-8"))
    assert (said["outcome"], said["version"]) == ("serves", 2)
    assert said["started_at"] <= said["ended_at"]
    assert said["sentence"] == json.loads(answer.stdout)["verdict"]["sentence"]


def test_the_report_can_be_asked_for(trained: tuple[Path, Result]) -> None:
    """`report` prints the same sentences again, and the path of the page for a script."""
    root, answer = trained
    workspace = Workspace.open(root)
    path = typed(workspace, "report", "--open-path-only").stdout.strip()
    assert path == json.loads(answer.stdout)["report"]
    assert typed(workspace, "report", "2").stdout.startswith("The new model serves")
    assert json.loads(typed(workspace, "report", "--json").stdout)["version"] == 2
    refused = typed(workspace, "report", "1")
    assert refused.exit_code == 1
    assert "Model v1 has no report" in refused.stderr


def test_known_classes_are_kept(trained: tuple[Path, Result], test_data: Path) -> None:
    """Classes without a label are still recognised, and filed where they were filed before."""
    workspace = Workspace.open(trained[0])
    registry = Registry(workspace.models)
    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store)
    photos = [
        path
        for name in ("cats", "dogs", "snakes")
        for path in sorted((test_data / "cats_dogs_snakes" / name).iterdir())[:8]
    ]
    embeddings = serving.embed(pixels_of(photos, serving.backbone.input_size))
    before = registry.load(1, None, 0.7).judge(embeddings, 1)
    after = registry.load(2).judge(embeddings, 1)
    assert set(registry.load(2).classes) == {"cat", "dog", "snake", *COLOURS}
    same = sum(one.label == two.label for one, two in zip(before, after, strict=True))
    assert same >= 0.9 * len(photos)
    filed = [one.decision == "filed" for one in before]
    again = [one.decision == "filed" for one in after]
    assert sum(again) >= 0.8 * sum(filed)
    assert all(before for before, after in zip(filed, again, strict=True) if after)


def test_what_is_unlike_anything_known_is_not_filed(
    trained: tuple[Path, Result], test_data: Path
) -> None:
    """Photographs of ants and bees don't become bricks or grass."""
    workspace = Workspace.open(trained[0])
    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store)
    photos = sorted((test_data / "ants_bees" / "val").rglob("*.jpg"))[:24]
    verdicts = serving.judge(pixels_of(photos, serving.backbone.input_size))
    assert sum(verdict.decision == "filed" for verdict in verdicts) <= 0.1 * len(photos)
    assert any(verdict.reason == "unlike anything known" for verdict in verdicts)


def test_how_unlike_the_training_pictures_are_is_kept(
    trained: tuple[Path, Result], tmp_path: Path, test_data: Path
) -> None:
    """As far as the model itself finds them, for `status` to tell of; the first model told none."""
    workspace = copied(trained[0], tmp_path)
    known = drawn(tmp_path / "more", dict.fromkeys(COLOURS, 4), start=500).rglob("*.png")
    strange = sorted((test_data / "ants_bees" / "val").rglob("*.jpg"))[:12]
    for path in [*sorted(known), *strange]:
        shutil.copy(path, workspace.inbox)
    assert typed(workspace, "run", "--once").exit_code == 0
    distance = json.loads(typed(workspace, "status", "--json").stdout)["drift"][
        "embedding_distance"
    ]
    with Store.open(workspace.database, root=workspace.root) as store:
        kept = store.drift.unlikeness(Period(model=2), 100)
        novelty = LearnedModel.opened(Registry(workspace.models).tensors(2)).novelty
        rows = [row.sha256 for row in store.log.rows(LogFilter(model=2))]
        assert store.drift.unlikeness(Period(model=1), 100) == []
    with EmbeddingStore.open(workspace.embeddings) as embeddings:
        vectors = embeddings.get(Registry(workspace.models).card(2).backbone_id, "float32", rows)
    expected = novelty.unlikeness(np.stack(list(vectors.values())))
    assert len(kept) == len(expected) == distance["of"] == 24
    assert sorted(kept) == pytest.approx(sorted(expected.tolist()), abs=0.01)
    assert 6 <= distance["beyond_limit"] <= 13


def test_a_rename_touches_no_model(trained: tuple[Path, Result], tmp_path: Path) -> None:
    """A class that is called otherwise now is so in the verdicts of a model trained before."""
    workspace = copied(trained[0], tmp_path)
    registry = Registry(workspace.models)
    ids = {entry.name: entry.id for entry in registry.card(2).classes}
    renamed = registry.load(2, {ids["brick"]: "ziegel", ids["cat"]: "katze"})
    assert {"ziegel", "katze", "sea", "dog"} <= set(renamed.classes)
    assert "brick" not in renamed.classes


@pytest.mark.parametrize("place", [100, 5_000, -10])
def test_a_flipped_bit_is_noticed(trained: tuple[Path, Result], tmp_path: Path, place: int) -> None:
    """A damaged head is refused by its sum, and can't be activated."""
    workspace = copied(trained[0], tmp_path)
    path = workspace.models / "v0002" / "head.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    with pytest.raises(ModelProblem, match="sha256"):
        Registry(workspace.models).load(2)


def test_nothing_changed_and_not_better(trained: tuple[Path, Result], tmp_path: Path) -> None:
    """The same labels again: nothing to do. A few more that change nothing: the old model stays,
    the new one lies beside it, and has every picture in the fold where the old one had it. By
    force it serves, and its card says so."""
    workspace = copied(trained[0], tmp_path)
    again = typed(workspace, "retrain")
    assert again.exit_code == 4
    assert "Nothing has changed since v2 was trained; label more images" in again.stderr
    assert active(workspace) == 2

    more = drawn(tmp_path / "more", {"sea": 4, "grass": 4}, start=500)
    assert typed(workspace, "import", str(more)).exit_code == 0
    equal = typed(workspace, "retrain")
    assert equal.exit_code == 4
    assert "The serving model stays" in equal.stdout
    assert "it is right on as many images and files no more of them" in equal.stdout
    assert active(workspace) == 2
    before, after = model(workspace, 2).seen, model(workspace, 3).seen
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 8
    registry = Registry(workspace.models)
    assert registry.report(3).is_dir()

    forced = typed(workspace, "retrain", "--force")
    assert forced.exit_code == 0
    assert "v4 serves because of --force" in forced.stdout
    assert active(workspace) == 4
    assert registry.card(4).training.gate.forced


def model(workspace: Workspace, version: int) -> LearnedModel:
    return LearnedModel.opened(Registry(workspace.models).tensors(version))


def test_it_remembers_what_it_has_seen(trained: tuple[Path, Result]) -> None:
    """Exactly the labelled pictures, each in one of five folds; nothing that nobody spoke of."""
    workspace = Workspace.open(trained[0])
    seen = model(workspace, 2).seen
    with Store.open(workspace.database, root=workspace.root) as store:
        assert seen.keys() == store.labels.current().keys()
    assert set(seen.values()) == set(range(5))


@pytest.mark.parametrize(
    ("classes", "words", "said"),
    [
        ({}, (), "There are no labels to learn from yet"),
        ({"sea": 20}, (), "All 20 labels are of one class, sea"),
        ({"sea": 9, "grass": 1}, (), "at least two classes need 2, and there are sea 9, grass 1"),
        ({"sea": 9, "grass": 10}, (), "only 19 of the 20 images that are needed for that"),
        ({"sea": 9, "grass": 3}, ("--if-new-labels", "50"), "12 new labels since the last"),
    ],
)
def test_too_little_to_learn_from(
    founded: Path, tmp_path: Path, classes: dict[str, int], words: tuple[str, ...], said: str
) -> None:
    """What lacks is told in one sentence with the next step; exit 4, and nothing is touched."""
    workspace = copied(founded, tmp_path)
    if classes:
        folder = drawn(tmp_path / "set", classes)
        assert typed(workspace, "import", str(folder)).exit_code == 0
    answer = typed(workspace, "retrain", *words)
    assert answer.exit_code == 4
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert active(workspace) == 1
    assert [card.version for card in Registry(workspace.models).versions()] == [1]


def test_one_training_at_a_time(founded: Path, tmp_path: Path) -> None:
    """A second retrain says who is at it."""
    workspace = copied(founded, tmp_path)
    with workspace.retrain_lock():
        answer = typed(workspace, "retrain")
    assert answer.exit_code == 1
    assert f"Another `imgsort retrain` (pid {os.getpid()}) is at work" in answer.stderr


def with_sand(root: Path, tmp_path: Path) -> Workspace:
    """A workspace in which twenty pictures of a new class have been imported besides."""
    workspace = copied(root, tmp_path)
    sand = drawn(tmp_path / "new", {"sand": 20}, start=700)
    assert typed(workspace, "import", "--new-class", str(sand)).exit_code == 0
    return workspace


def test_a_new_class_does_not_open_the_gate(trained: tuple[Path, Result], tmp_path: Path) -> None:
    """Nearly half of the old labels are wrong by now, and a new class comes: what would serve is
    right on all of that, and worse on every old one; it is refused."""
    workspace = with_sand(trained[0], tmp_path)
    dice = np.random.default_rng(1)
    with Store.open(workspace.database, root=workspace.root) as store:
        names = store.classes.names()
        wrong = [
            NewLabel(
                sha256, "label", str(dice.choice(sorted({*COLOURS} - {names[said]}))), "cli", True
            )
            for sha256, label in sorted(store.labels.current().items())
            if (said := label.class_id) is not None
            and names[said] in COLOURS
            and dice.random() < 0.45
        ]
        store.labels.add(None, wrong)
    answer = typed(workspace, "retrain")
    assert answer.exit_code == 4
    assert "but on the classes that both know it is right on" in answer.stdout
    assert active(workspace) == 2


class _MeanwhileActivating:
    """Somebody who takes the serving model back while another is trained."""

    def __init__(self, workspace: Workspace) -> None:
        self.registry = Registry(workspace.models)

    def tell(self, sentence: str) -> None:
        pass

    def stage(self, name: str) -> None:
        if name == "writing the report":
            self.registry.activate(1)

    def progress(self, done: int, total: int) -> None:
        pass


def test_what_a_person_activates_meanwhile_goes_on(
    trained: tuple[Path, Result], tmp_path: Path
) -> None:
    """The better model is published, and says why it doesn't serve; nobody compared it with v1."""
    workspace = with_sand(trained[0], tmp_path)
    outcome = retrain(workspace, Options(), _MeanwhileActivating(workspace))
    assert active(workspace) == 1
    assert not outcome.findings.promoted
    assert outcome.findings.verdict.sentence.startswith(
        "v1 was activated while this was trained and compared with v2, so nothing is changed;"
    )
    assert outcome.card.training.labels is not None
    assert not outcome.card.training.gate.promoted


def test_one_fixed_camera_is_enough(founded: Path, tmp_path: Path) -> None:
    """Twenty frames each of two scenes that hardly change: they teach, they judge, and it is said
    that they are all alike."""
    workspace = copied(founded, tmp_path)
    dice = np.random.default_rng(0)
    for name in ("grass", "sea"):
        (tmp_path / "set" / name).mkdir(parents=True)
        scene = picture(COLOURS[name], 1).astype(np.int16)
        for at in range(20):
            frame = np.clip(scene + dice.integers(-3, 4, scene.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "set" / name / f"{at}.png"), frame)
    assert typed(workspace, "import", str(tmp_path / "set")).exit_code == 0
    answer = typed(workspace, "retrain", "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["all_alike"]
    assert found["material"]["held_out"] == 40
    assert any("(one fixed camera?)" in line for line in found["summary"])


def test_confirming_sorted_alone_flatters_nobody(
    founded: Path, tmp_path: Path, test_data: Path
) -> None:
    """What v1 dared to file was right, and a person confirmed it: that says nothing of the ones it
    left unsure, and it is not told that v1 is always right."""
    workspace = copied(founded, tmp_path)
    for name in ("cats", "dogs", "snakes"):
        for path in sorted((test_data / "cats_dogs_snakes" / name).iterdir())[:16]:
            shutil.copy(path, workspace.inbox / f"{name} {path.name}")
    assert typed(workspace, "run", "--once").exit_code == 0
    folders = [str(folder) for folder in sorted(workspace.sorted.iterdir())]
    assert typed(workspace, "confirm", *folders).exit_code == 0
    found = json.loads(typed(workspace, "retrain", "--json").stdout)
    unsure = sum(1 for _ in workspace.unsure.iterdir()) / 48
    assert found["unchecked_unsure"] == pytest.approx(unsure)
    assert unsure > 0.2
    told = found["champion_shares"]["right"]
    assert told["share"] < 0.93
    assert told["low"] < 1 - unsure
    assert any("none of it has been looked through" in line for line in found["summary"])


@pytest.mark.chaos
@pytest.mark.parametrize("seconds", [1.0, 3.0, 6.0, 10.0])
def test_a_kill_at_any_moment_leaves_a_model_serving(
    taught: Path, tmp_path: Path, seconds: float
) -> None:
    """Killed by the clock, a model serves, the labels stand, and the next training has its say."""
    workspace = copied(taught, tmp_path)
    said = label_count(workspace)
    program = "from imgsort.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "-C", str(workspace.root), "retrain"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    registry = Registry(workspace.models)
    serving = active(workspace)
    assert serving in {1, 2}  # 2 only if it was quicker than the clock
    assert serving is not None
    assert registry.load(serving).classes
    assert registry.damaged() == {}
    assert typed(workspace, "retrain").exit_code in {0, 4}
    assert label_count(workspace) == said


def label_count(workspace: Workspace) -> int:
    with Store.open(workspace.database, root=workspace.root) as store:
        return sum(len(store.labels.history(sha256)) for sha256 in store.labels.current())


@pytest.mark.chaos
@pytest.mark.parametrize("point", KILLED)
def test_a_kill_leaves_a_model_serving(taught: Path, tmp_path: Path, point: str) -> None:
    """Killed anywhere, the old model serves; the next training works, or says what to do."""
    workspace = copied(taught, tmp_path)
    program = "from imgsort.cli import main; main()"
    killed = subprocess.run(
        [sys.executable, "-c", program, "-C", str(workspace.root), "retrain"],
        env=os.environ | {"IMGSORT_FAILPOINT": point, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    registry = Registry(workspace.models)
    assert registry.active() == 1
    assert registry.load(1).classes == ("cat", "dog", "snake")
    assert registry.damaged() == {}
    answer = typed(workspace, "retrain")
    if answer.exit_code == 4:  # it had been published
        assert "`imgsort models activate 2` would make it" in answer.stderr
        registry.activate(2)
    assert registry.active() == 2
    assert set(COLOURS) <= set(registry.load(2).classes)
