"""`imgsort init`: a workspace that works, or one sentence and nothing left behind."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imgsort.workspace.config import load_config
from imgsort.workspace.workspace import Workspace
from tests.cli.conftest import INIT, Made
from tests.cli.test_app import at_a_terminal, shown
from tests.cli_runner import Answer, asked, imgsort, started, tree, wait_for

LITE0 = ("--backbone", "efficientnet-lite0")
MODELS = {"keras", "tensorflow", "openvino"}


def refused(tmp_path: Path, *arguments: str | Path) -> Answer:
    """`init` that fails with exit code 1, quickly, and leaves the disk as it was."""
    before = tree(tmp_path)
    answer = imgsort("-C", tmp_path / "new" / "photos", "init", *arguments)
    assert (answer.code, answer.out) == (1, "")
    assert answer.loaded & MODELS == set()
    assert tree(tmp_path) == before
    return answer


def test_a_workspace_is_whole(made: Made) -> None:
    """Folders, a class folder each, a configuration that loads, a database, and model v1."""
    workspace = Workspace.open(made.root)
    assert {path.name for path in made.root.iterdir()} == {
        *("config.toml", "inbox", "sorted", "unsure", "rejected", "state")
    }
    assert {path.name for path in workspace.sorted.iterdir()} == {"cat", "dog", "snake"}
    assert load_config(workspace.config_file).model.backbone == "efficientnet-lite0"
    assert workspace.database.is_file()
    assert (workspace.models / "active").readlink() == Path("v0001")


def test_the_words_are_shown(made: Made) -> None:
    """Which ImageNet classes each word stands for, and what to type next."""
    rows = {line.split()[0]: line.split()[1] for line in made.answer.out.splitlines()[1:4]}
    assert rows == {"cat": "7", "dog": "118", "snake": "17"}
    assert "tabby" in made.answer.out
    assert made.answer.out.splitlines()[-1].strip() == f"imgsort -C '{made.root}' run"


def test_init_answers_scripts_and_needs_no_words(tmp_path: Path) -> None:
    """--json is one object on stdout; a word that stands for nothing gets its folder all the same.

    The workspace may have a name that is no UTF-8, and its parents need not exist.
    """
    root = tmp_path / "deep" / os.fsdecode(b"caf\xe9")
    words = ("--classes", "kitty=cat,gizmo,plant=n00017222")
    answer = imgsort("-C", root, "init", *LITE0, *words, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["workspace"] == f"{tmp_path}/deep/caf\\xe9"
    assert (answer.json["backbone"], answer.json["model"]) == ("efficientnet-lite0", 1)
    classes = {row["name"]: row for row in answer.json["classes"]}
    assert {name: row["imagenet_classes"] > 0 for name, row in classes.items()} == {
        **{"kitty": True, "gizmo": False, "plant": True}
    }
    assert "stands for nothing yet" in classes["gizmo"]["note"]
    assert (root / "sorted" / "gizmo").is_dir()
    assert asked("-C", root, "status", "--json").json["workspace"].endswith("caf\\xe9")
    assert asked("-C", root, "log").code == 0


NO_PATH = "can't be a class name: it is a path, not one folder; use a plain folder name."
UNSEEN = "can't be a class name: it has invisible characters; type it anew."
NONE = "--classes names no class; give some such as cat,dog,snake or leave it out."
WORDS = {
    "cat,../x": "'../x' can't be a class name: it begins with '.'; use a plain folder name.",
    "/etc": f"'/etc' {NO_PATH}",
    "a/b": f"'a/b' {NO_PATH}",
    "": NONE,
    " , ": NONE,
    "a\0b": rf"'a\x00b' {NO_PATH}",
    "a\x1bb": rf"'a\x1bb' {UNSEEN}",
    "a\u202eb": rf"'a\u202eb' {UNSEEN}",
    "cat,cat": "cat is named twice; leave one of them out.",
    "dog,poodle": "dog and poodle overlap in 3 ImageNet classes (toy poodle and miniature poodle), "
    "so an image could belong to both; leave one of them out, or name a narrower word.",
}


@pytest.mark.parametrize("words", WORDS)
def test_bad_words_are_refused(tmp_path: Path, words: str) -> None:
    """One sentence that says what is wrong and what to do, and nothing is left on disk."""
    answer = asked("-C", tmp_path / "photos", "init", "--classes", words)
    assert (answer.code, answer.out, answer.err) == (1, "", f"{WORDS[words]}\n")
    assert tree(tmp_path) == set()


def test_a_label_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    """By the whole program: before anything heavy is loaded, and nothing is left on disk."""
    assert "'../x' can't be a class name" in refused(tmp_path, "--classes", "cat,../x").err


def test_a_name_of_several_meanings_is_told_apart(tmp_path: Path) -> None:
    """Without a terminal nobody can be asked: both forms to type are shown."""
    said = asked("-C", tmp_path / "photos", "init", "--classes", "crane").err
    assert "--classes crane=n03126707" in said
    assert "--classes crane=n02012849" in said


@pytest.mark.parametrize(("answer", "folder"), [("y", "elephant"), ("n", "elefant")])
def test_a_slip_is_asked_about_in_a_terminal(tmp_path: Path, answer: str, folder: str) -> None:
    """The word that was meant, or what was typed; words that are like no other aren't."""
    root = tmp_path / "photos"
    words = ("init", *LITE0, "--classes", "elefant,gizmo")
    with at_a_terminal("-C", root, *words) as (process, terminal):
        seen = shown(terminal, b"[Y/n]")
        assert b"elefant stands for nothing; elephant? [Y/n]" in seen
        os.write(terminal, answer.encode() + b"\n")
        shown(terminal)
        assert process.wait(120) == 0
    assert {path.name for path in (root / "sorted").iterdir()} == {folder, "gizmo"}


def test_words_may_mean_nothing_to_imagenet(tmp_path: Path) -> None:
    """--learn-only: patches are no Band Aid; every class has its folder, the model knows none."""
    root = tmp_path / "photos"
    said = asked("-C", root, "init", *LITE0, "--classes", "patches,cat", "--learn-only", "--json")
    assert said.code == 0, said.err
    assert [row["imagenet_classes"] for row in said.json["classes"]] == [0, 0]
    assert {path.name for path in (root / "sorted").iterdir()} == {"patches", "cat"}
    assert asked("-C", root, "init", "--learn-only").code == 2


def test_an_unknown_backbone_is_refused(tmp_path: Path) -> None:
    """The ones there are stand in the message."""
    assert asked("-C", tmp_path / "photos", "init", "--backbone", "vgg16").said == (
        1,
        "There is no backbone 'vgg16'; choose one of resnet50, efficientnet-lite0 or auto.",
    )


def test_bad_weights_are_refused(tmp_path: Path) -> None:
    """Missing, a folder, damaged, or of a backbone that brings its own."""
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(2000))
    missing = tmp_path / "missing.h5"
    assert (
        f"{missing} is no file; name the file with" in refused(tmp_path, "--weights", missing).err
    )
    assert f"{tmp_path} is no file" in refused(tmp_path, "--weights", tmp_path).err
    said = refused(tmp_path, "--weights", damaged).err
    assert f"{damaged} can't be used as ResNet50's weights: it is damaged, or no HDF5 file" in said
    said = refused(tmp_path, *LITE0, "--weights", damaged).err
    assert "--weights is for resnet50, efficientnet-lite0 brings its own" in said


def test_resnet50_without_network_says_what_to_do(tmp_path: Path) -> None:
    """One sentence: the URL, where to put the file, and the backbone that works offline."""
    _, said = refused(tmp_path, "--backbone", "resnet50").said
    assert "https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_" in said
    assert "imgsort-no-such-keras-home/models" in said
    assert "--weights FILE" in said
    assert "--backbone efficientnet-lite0, which works offline." in said


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda root: root.write_text("a file"), "is a file; name a folder with -C."),
        (
            lambda root: (root.mkdir(), (root / "config.toml").touch()),
            "is a workspace already; use it, or name another folder with -C.",
        ),
        (
            lambda root: (root / "state").mkdir(parents=True),
            "has a state folder but no config.toml; put that back (an empty one holds the "
            "defaults), or name another folder with -C.",
        ),
    ],
)
def test_what_stands_there_is_left_alone(
    tmp_path: Path, prepare: Callable[[Path], object], sentence: str
) -> None:
    """Neither a workspace nor a file is ever made over."""
    root = tmp_path / "there"
    prepare(root)
    before = tree(tmp_path)
    assert asked("-C", root, *INIT).said == (1, f"{root} {sentence}")
    assert tree(tmp_path) == before


def test_a_folder_that_cant_be_made_is_told(tmp_path: Path) -> None:
    """The parent is a file."""
    (tmp_path / "file").touch()
    answer = asked("-C", tmp_path / "file" / "photos", *INIT)
    assert answer.said == (
        1,
        f"{tmp_path}/file/photos can't be made (Not a directory); choose another folder with -C or "
        f"correct its mode.",
    )


def test_blanks_between_class_names_are_told(tmp_path: Path) -> None:
    """What to type instead; and a folder without -C is not taken for anything."""
    root = tmp_path / "photos"
    answer = asked("-C", root, "init", "--classes", "cat,", "dog", "grey", "snake")
    assert answer.code == 2
    assert "--classes cat,dog,grey,snake" in answer.err
    answer = asked("init", root)
    assert answer.code == 2
    assert "-C" in answer.err
    assert tree(tmp_path) == set()


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """Something called sorted is in the way: the picture beside it stays, nothing is added."""
    root = tmp_path / "photos"
    (root / "inbox").mkdir(parents=True)
    (root / "inbox" / "mine.jpg").write_bytes(b"mine")
    (root / "sorted").write_bytes(b"a file")
    before = tree(tmp_path)
    assert asked("-C", root, *INIT).said == (
        1,
        f"{root}/sorted can't be made (Not a directory); choose another folder with -C or correct "
        f"its mode.",
    )
    assert tree(tmp_path) == before


def killed_while_staging(root: Path, seconds: float, number: signal.Signals) -> int:
    """Start `init`, wait until it has begun to build, then kill it ``seconds`` later."""
    process = started("-C", root, *INIT)
    wait_for(lambda: list(root.glob(".imgsort-init-*/state")), "init to begin")
    time.sleep(seconds)
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_a_killed_init_leaves_no_workspace(tmp_path: Path, seconds: float) -> None:
    """No command takes the half for a workspace; `init` again clears it away and succeeds."""
    root = tmp_path / "photos"
    assert killed_while_staging(root, seconds, signal.SIGKILL) == -signal.SIGKILL
    if (root / "config.toml").exists():
        pytest.skip("this machine was done before it was killed")
    for command in ("log", "run"):
        code, sentence = imgsort("-C", root, command).said
        assert (code, "is no imgsort workspace" in sentence) == (1, True)
    again = imgsort("-C", root, *INIT)
    assert again.code == 0, again.err
    assert [path.name for path in root.iterdir() if path.name.startswith(".")] == []
    assert imgsort("-C", root, "check-config").code == 0


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """Exit code 130, and the folder is gone again."""
    assert killed_while_staging(tmp_path / "deep" / "photos", 0.5, signal.SIGINT) == 130
    assert tree(tmp_path) == set()


def test_two_inits_at_once_dont_mix(tmp_path: Path) -> None:
    """The second is told to wait, and the first one is not disturbed."""
    first = started("-C", tmp_path, *INIT)
    wait_for(lambda: list(tmp_path.glob(".imgsort-init-*")), "the first to begin")
    second = imgsort("-C", tmp_path, *INIT)
    assert second.said == (
        1,
        f"Another `imgsort init` is making {tmp_path}; wait until it is done.",
    )
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)


def test_a_small_disk_is_told_in_advance(small_disk: Callable[[str], Path]) -> None:
    """How much there is, how much it takes, and what to do; nothing stays behind."""
    disk = small_disk("5m")
    assert asked("-C", disk / "photos", *INIT).said == (
        1,
        f"The disk of {disk}/photos has 5 MB free, but a workspace with efficientnet-lite0 takes "
        f"60 MB; make room, or choose a folder on another disk with -C.",
    )
    assert tree(disk) == set()
