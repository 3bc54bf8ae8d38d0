"""What learning promises, on real pictures: a way back that changes nothing."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imgsort.cli.app import app
from imgsort.images import ImageLimits, decode
from imgsort.models.registry import Registry
from imgsort.models.serving import open_serving
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

EACH = 34
LIMITS = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)

pytestmark = pytest.mark.slow


def typed(workspace: Workspace, *words: str) -> str:
    """What ``imgsort -C … words`` prints."""
    line = ["-C", str(workspace.root), *words]
    answer = CliRunner().invoke(app, line, catch_exceptions=False)
    assert answer.exit_code == 0, answer.stderr
    return answer.stdout


def answers(workspace: Workspace, photos: list[Path]) -> list[tuple[str, float, str]]:
    """Top-1, its confidence and the decision of the model that serves, for each picture."""
    with Store.open(workspace.database, root=workspace.root) as store:
        serving = open_serving(workspace, store)
    found: list[tuple[str, float, str]] = []
    for photo in photos:
        pixels, _ = decode(photo.read_bytes(), serving.backbone.input_size, LIMITS)
        verdict = serving.judge(pixels[None])[0]
        found.append((verdict.label, verdict.confidence, verdict.decision))
    return found


def test_rollback_answers_as_before(workspace: Workspace, test_data: Path, tmp_path: Path) -> None:
    """Trained on cats and dogs and rolled back, every picture is what it was before."""
    photos = []
    for name in ("cats", "dogs", "snakes"):
        some = sorted((test_data / "cats_dogs_snakes" / name).iterdir())[:EACH]
        photos += some[:: 1 if name == "snakes" else 2]
        if name != "snakes":
            (tmp_path / "set" / name[:-1]).mkdir(parents=True)
            for photo in some:
                shutil.copy(photo, tmp_path / "set" / name[:-1])
    before = answers(workspace, photos)
    typed(workspace, "import", str(tmp_path / "set"))
    typed(workspace, "retrain", "--force")
    assert Registry(workspace.models).active() == 2
    learned = answers(workspace, photos)
    assert learned != before
    snakes = learned[-EACH:]
    wrongly = [each for each in snakes if each[2] == "filed" and each[0] != "snake"]
    assert len(wrongly) <= 0.1 * EACH
    typed(workspace, "models", "rollback")
    assert Registry(workspace.models).active() == 1
    assert answers(workspace, photos) == before
    listed = json.loads(typed(workspace, "models", "list", "--json"))
    assert [each["active"] for each in listed] == [True, False]
