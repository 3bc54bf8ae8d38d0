"""Trainings, models and reports on the page."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgsort.care.retrain_state import read_retrain_state, telling
from imgsort.errors import NothingToDo
from imgsort.models.registry import Registry
from imgsort.review.training import Trainings
from tests.first_model import first_model_again
from tests.review.visitor import Review


class Ignored:
    """Somebody who doesn't look."""

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int) -> None: ...

    def tell(self, sentence: str) -> None: ...


def training(review: Review) -> Any:
    return review.visitor.ask("GET", "/api/now").json()["training"]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_training_is_started_and_its_end_is_told(review: Review) -> None:
    """Once at a time; and where it can't be done (this backbone is gone) the command's own words
    say so."""
    started = review.visitor.ask("POST", "/api/retrain", {"augment": 0}).json()
    assert (started["running"], started["ours"], started["by"]) == (True, True, "page")
    second = review.visitor.ask("POST", "/api/retrain", {"augment": 0})
    assert second.status_code == 409
    assert "runs already" in second.json()["error"]
    until(lambda: not training(review)["ours"])  # it has told its end before it ends
    ended = training(review)
    assert (ended["outcome"], ended["ours"], ended["stage"]) == ("failed", False, None)
    assert "backbone" in ended["sentence"]
    assert (review.desk.workspace.state / "retrain.log").read_text().strip() == ended["sentence"]


def test_one_s_own_training_can_be_stopped(review: Review) -> None:
    """By whoever started it; the model that serves is the same."""
    started = review.visitor.ask("POST", "/api/retrain", {}).json()
    os.kill(started["pid"], signal.SIGSTOP)  # or it might be through before it is stopped
    stopped = review.visitor.ask("DELETE", "/api/retrain").json()
    assert (stopped["running"], stopped["outcome"]) == (False, "stopped")
    assert not Path(f"/proc/{started['pid']}").exists()
    assert Registry(review.desk.workspace.models).active() == 1
    assert review.visitor.ask("DELETE", "/api/retrain").status_code == 409


def test_another_s_training_shows_and_goes_on(review: Review) -> None:
    """One that the timer or a terminal started: its stage is told, and it can't be stopped here."""
    workspace = review.desk.workspace
    with workspace.retrain_lock(), telling(workspace.retrain_file, Ignored()) as told:
        told.stage("training")
        told.progress(1, 4)
        told.stage("testing")
        time.sleep(0.6)
        told.progress(1, 4)
        shown = training(review)
        assert (shown["running"], shown["ours"], shown["by"]) == (True, False, "other")
        assert (shown["stage"], shown["share"]) == ("testing on pictures it hasn't seen", 0.25)
        assert review.visitor.ask("DELETE", "/api/retrain").status_code == 409
        assert review.visitor.ask("POST", "/api/retrain", {}).status_code == 409
        told.end("stays", "The new one is no better.", 2)
    shown = training(review)
    assert (shown["running"], shown["outcome"], shown["version"]) == (False, "stays", 2)
    assert shown["sentence"] == "The new one is no better."


def test_a_training_outlives_the_page(review: Review) -> None:
    """It is in a session of its own, and a page that is started later shows it."""
    review.visitor.ask("POST", "/api/retrain", {})
    pid = training(review)["pid"]
    assert os.getsid(pid) == pid
    later = Trainings(review.desk.workspace)
    until(lambda: (later.as_dict()["pid"], later.as_dict()["outcome"]) == (pid, "failed"))
    assert later.as_dict()["by"] == "other"
    until(lambda: not training(review)["ours"])


def test_a_killed_training_is_told(tmp_path: Path) -> None:
    """It couldn't say so itself."""
    path = tmp_path / "retrain.json"
    child = os.fork()
    if child == 0:
        with telling(path, Ignored()) as told:
            told.stage("training")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    state = read_retrain_state(path, lambda: None)
    assert state is not None
    assert (state.outcome, state.stage) == ("failed", "training")
    assert "killed" in (state.sentence or "")
    running = read_retrain_state(path, lambda: child)
    assert running is not None
    assert (running.outcome, running.stage) == (None, "training")


def test_every_end_is_written(tmp_path: Path) -> None:
    """Also those that are exceptions; what is no JSON is as if it weren't there."""
    path = tmp_path / "retrain.json"
    ends = {
        NothingToDo("Nothing new."): ("nothing", "Nothing new."),
        KeyboardInterrupt(): ("stopped", None),
        MemoryError(): ("failed", None),
    }
    for problem, (outcome, sentence) in ends.items():
        with pytest.raises(type(problem)), telling(path, Ignored()):
            raise problem
        state = read_retrain_state(path, lambda: None)
        assert state is not None
        assert state.outcome == outcome
        assert state.sentence is not None
        assert sentence in {None, state.sentence}
    path.write_text("{")
    assert read_retrain_state(path, lambda: None) is None


def learned(review: Review) -> int:
    """Another model, with a report: three of cat, one of which it takes for a dog."""
    registry = Registry(review.desk.workspace.models)
    judged = [
        {"sha256": digit * 64, "truth": truth, "said": said, "confidence": sure, "before": "cat"}
        for digit, truth, said, sure in (
            *(("a", "cat", "cat", 0.9), ("b", "cat", "dog", 0.6), ("c", "cat", "dog", 0.8)),
            ("d", "dog", "dog", 0.7),
        )
    ]
    confusion = {"labels": ["dog", "cat"], "counts": [[1, 0], [2, 1]]}

    def write(folder: Path, version: int) -> None:
        (folder / "judged.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in judged))
        metrics = {"summary": ["Better."], "evaluation": {"confusion": confusion}, "suspects": [1]}
        (folder / "metrics.json").write_text(json.dumps({**metrics, "version": version}))
        (folder / "index.html").write_text("<script>alert(1)</script>")

    return registry.publish(first_model_again(registry), write).version


def test_the_matrix_and_the_pictures_behind_it(review: Review) -> None:
    """Each count of the matrix is the number of pictures that its cell opens."""
    version = learned(review)
    report = review.visitor.ask("GET", f"/api/reports/{version}").json()
    assert report["summary"] == ["Better."]
    assert report["matrix"] == {"classes": ["cat", "dog"], "counts": [[1, 2], [0, 1]]}
    assert report["cells_open"] is True
    for row, truth in enumerate(report["matrix"]["classes"]):
        for column, said in enumerate(report["matrix"]["classes"]):
            url = f"/api/reports/{version}/cell?truth={truth}&said={said}"
            pictures = review.visitor.ask("GET", url).json()["pictures"]
            assert len(pictures) == report["matrix"]["counts"][row][column]
            assert [one["confidence"] for one in pictures] == sorted(
                (one["confidence"] for one in pictures), reverse=True
            )
    assert review.visitor.ask("GET", "/api/now").json()["counts"]["suspects"] == 1


def test_a_version_without_a_report_says_so(review: Review) -> None:
    """And one whose figures are damaged; the page itself is shown whatever they are."""
    for url in ("/api/reports/1", "/report/1", "/api/reports/99", "/report/99"):
        assert review.visitor.ask("GET", url).status_code == 404
    version = learned(review)
    folder = Registry(review.desk.workspace.models).report(version)
    (folder / "metrics.json").write_text("{")
    (folder / "judged.jsonl").write_text("{\n[]\nnull\n")
    answer = review.visitor.ask("GET", f"/api/reports/{version}")
    assert answer.status_code == 409
    assert "can't be read" in answer.json()["error"]
    assert review.visitor.ask("GET", f"/api/reports/{version}/cell?truth=a&said=b").json() == {
        "pictures": []
    }
    page = review.visitor.ask("GET", f"/report/{version}")
    assert (page.status_code, "sandbox" in page.headers["content-security-policy"]) == (200, True)


def test_models_are_listed_and_rolled_back(review: Review) -> None:
    """As `imgsort models` does it; a damaged one is listed with what is wrong."""
    workspace = review.desk.workspace
    registry = Registry(workspace.models)
    version = learned(review)
    registry.activate(version)
    told = review.visitor.ask("GET", "/api/models").json()
    assert [one["version"] for one in told["models"]] == [version, 1]
    assert (told["active"], told["can_roll_back"]) == (version, True)
    assert [one["has_report"] for one in told["models"]] == [True, False]
    answer = review.visitor.ask("POST", "/api/models/rollback", {})
    assert answer.json() == {"active": 1}
    assert registry.active() == 1
    refused = review.visitor.ask("POST", "/api/models/rollback", {})
    assert refused.status_code == 409
    assert "no earlier model" in refused.json()["error"]
    (registry.folder_of(version) / "model.json").write_text("{")
    told = review.visitor.ask("GET", "/api/models").json()
    assert [bool(one["damaged"]) for one in told["models"]] == [True, False]
    assert review.visitor.ask("POST", f"/api/models/{version}/activate", {}).status_code == 409
    assert registry.active() == 1
