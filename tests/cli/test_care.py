"""`imgsort check-config` and `migrate`, and what a broken configuration looks like."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from imgsort.store.revision import head_revision
from tests.cli_runner import asked, imgsort, tree


def configured(home: Path, text: str) -> Path:
    (home / "config.toml").write_text(text)
    return home


def test_a_good_workspace_passes(home: Path) -> None:
    """Every check is `ok`, and the file that was really moved is gone again."""
    before = tree(home / "inbox") | tree(home / "sorted")
    answer = imgsort("-C", home, "check-config", "--json")
    assert (answer.code, {finding["level"] for finding in answer.json}) == (0, {"ok"})
    said = [finding["what"] for finding in answer.json]
    for target in ("sorted", "unsure", "rejected"):
        assert f"A file can be renamed from {home}/inbox to {home}/{target}." in said
    assert "Model v1 on efficientnet-lite0 is active and undamaged." in said
    assert tree(home / "inbox") | tree(home / "sorted") == before
    assert answer.loaded <= {"numpy"}


def test_every_problem_is_found_at_once(home: Path) -> None:
    """Exit code 78; one finding doesn't hide another."""
    (home / "sorted").rename(home / "sorted away")
    (home / "state" / "imgsort.db").unlink()
    (home / "state" / "models" / "v0001" / "head.safetensors").write_bytes(b"no model")
    answer = asked("-C", home, "check-config")
    assert answer.code == 78
    wrong = [line for line in answer.out.splitlines() if line.startswith("wrong    ")]
    assert [line.split(" ")[4].rpartition("/")[2] for line in wrong[:2]] == ["sorted", "imgsort.db"]
    assert wrong[2].startswith("wrong    Model v1 is damaged (head.safetensors has not the sha256")
    assert len(wrong) == 3


def test_another_file_system_is_a_warning(home: Path, small_disk: Callable[[str], Path]) -> None:
    """It works, only slower, so the exit code is 0."""
    elsewhere = small_disk("1m")
    config = (home / "config.toml").read_text()
    configured(home, f'{config}\n[folders]\nsorted = "{elsewhere}"\n')
    answer = asked("-C", home, "check-config", "--json")
    warnings = [finding["what"] for finding in answer.json if finding["level"] == "warning"]
    assert (answer.code, warnings) == (
        0,
        [
            f"{home}/inbox and {elsewhere} are on different file systems: every picture is copied, "
            f"checked and then removed, which is safe but slower."
        ],
    )
    assert tree(elsewhere) == set()


def test_a_backbone_that_isnt_the_models_is_a_warning(home: Path) -> None:
    """An empty config.toml holds the defaults, but the model keeps its backbone."""
    answer = asked("-C", configured(home, ""), "check-config")
    assert answer.code == 0
    assert 'write backbone = "efficientnet-lite0"' in answer.out


def test_unknown_keys_and_bad_values_are_told_together(home: Path) -> None:
    """Exit code 78 from every command, each line with the file, the key, the value and the cure."""
    configured(
        home,
        '[model]\nconfidance = 0.8\nconfidence = "high"\ntop_k = 0\n'
        '[filing]\nmode = "link"\n[folder]\ninbox = "in"\n',
    )
    file = home / "config.toml"
    for command in ("check-config", "log", "status", "models", "run"):
        answer = asked("-C", home, command)
        assert (answer.code, answer.out) == (78, "")
        assert sorted(answer.err.splitlines()) == [
            f"{file}: filing.mode: input should be 'move' or 'copy' (is 'link').",
            f"{file}: folder: no such key; write folders.",
            f"{file}: model.confidance: no such key (is 0.8); write confidence.",
            f"{file}: model.confidence: input should be a valid number (is 'high').",
            f"{file}: model.top_k: input should be greater than or equal to 1 (is 0).",
        ]


def test_a_key_under_the_wrong_heading_is_told_the_right_one(home: Path) -> None:
    """Where exactly one other heading has it; not the name of another key there."""
    configured(
        home, "target_precision = 0.99\n[model]\nunsure_over = 0.2\ndaily = 'x'\nfolder = 'x'\n"
    )
    file = home / "config.toml"
    assert sorted(asked("-C", home, "check-config").err.splitlines()) == [
        f"{file}: model.daily: no such key (is 'x'); it belongs under [backup].",
        f"{file}: model.folder: no such key (is 'x'); see the sample config.toml for those there "
        f"are.",
        f"{file}: model.unsure_over: no such key (is 0.2); it belongs under [alert].",
        f"{file}: target_precision: no such key (is 0.99); it belongs under [learning].",
    ]


def test_a_lost_configuration_is_told_as_what_it_is(home: Path) -> None:
    """Nobody is sent to make a new workspace over a log; an empty file is enough to go on."""
    (home / "config.toml").unlink()
    for command in ("status", "log", "check-config"):
        assert asked("-C", home, command).said == (
            1,
            f"{home} has a state folder but no config.toml; put that back (an empty one holds the "
            f"defaults), or name another folder with -C.",
        )
    (home / "config.toml").touch()
    assert asked("-C", home, "log").code == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"[model",
            "is not valid TOML: Expected ']' at the end of a table declaration (",
        ),
        (b"# caf\xe9\n", "is not UTF-8 text (byte 5); save it as UTF-8."),
    ],
)
def test_a_broken_file_is_told(home: Path, content: bytes, sentence: str) -> None:
    """Exit code 78, and where it is broken."""
    (home / "config.toml").write_bytes(content)
    code, said = asked("-C", home, "run").said
    assert (code, said.startswith(f"{home}/config.toml {sentence}")) == (78, True)


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        ('inbox = "sorted/new"', "folders: sorted = 'sorted' contains inbox = 'sorted/new'."),
        ('inbox = "../x"', "folders: inbox = '../x' must name a folder without '..'."),
        (
            'inbox = "state/x"',
            "folders: inbox = 'state/x' lies inside state/, which imgsort keeps.",
        ),
        (r'inbox = "a\u0000"', "folders: inbox = 'a\\x00' has a NUL byte, which no name has."),
        ('inbox = "{home}/sorted/x"', "folders: {home}/sorted contains {home}/sorted/x; keep them"),
        ('inbox = "link"', "folders: {home}/sorted contains {home}/link; keep them apart"),
    ],
)
def test_folders_that_lie_in_each_other_are_refused(
    home: Path, folders: str, sentence: str
) -> None:
    """Written so, or by an absolute path or a link: pictures would be sorted again and again."""
    (home / "sorted" / "x").mkdir()
    (home / "link").symlink_to("sorted/x")
    configured(home, f"[folders]\n{folders.replace('{home}', str(home))}\n")
    code, said = asked("-C", home, "status").said
    assert (code, sentence.replace("{home}", str(home)) in said) == (78, True)


def without_backup(home: Path) -> str:
    return (
        f"bring it back with `imgsort restore FILE`, or, where there is no backup (there is none "
        f"in {home}/backups), make a new log from the folders with `imgsort rebuild-db`"
    )


def test_migrate_makes_or_keeps_the_database(home: Path) -> None:
    """Nothing to do is said, a missing database is made anew, a newer one is left alone."""
    head = head_revision()
    answer = asked("-C", home, "migrate")
    assert (answer.code, answer.out) == (0, f"The database is at revision {head} already.\n")
    database = home / "state" / "imgsort.db"
    database.unlink()
    assert asked("-C", home, "log").said == (78, f"{database} is missing; {without_backup(home)}.")
    answer = asked("-C", home, "migrate", "--json")
    assert answer.json == {"from": None, "to": head, "snapshot": None}
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
    connection.close()
    newer = f"is at revision ffff, which this imgsort doesn't know (it knows up to {head})"
    for command in ("migrate", "log", "status"):
        code, said = asked("-C", home, command).said
        assert (code, newer in said) == (78, True)
    code, said = imgsort("-C", home, "run").said
    assert (code, newer in said) == (78, True)


def test_a_damaged_database_is_told(home: Path) -> None:
    """Exit code 78, from whichever command meets it."""
    (home / "state" / "imgsort.db").write_bytes(b"no database" * 1000)
    for command in ("log", "status", "migrate"):
        code, said = asked("-C", home, command).said
        assert (code, "bring a backup back with `imgsort restore FILE`" in said) == (78, True)
    code, said = imgsort("-C", home, "run").said
    assert (code, "bring a backup back with `imgsort restore FILE`" in said) == (78, True)


def test_state_that_is_gone_is_told(home: Path) -> None:
    """No command makes a new one over the loss."""
    shutil.rmtree(home / "state")
    before = tree(home)
    assert imgsort("-C", home, "run").said == (
        1,
        f"{home}/state is missing; {without_backup(home)}.",
    )
    for command in ("log", "status", "migrate", "check-config"):
        assert asked("-C", home, command).code in {1, 78}
    assert tree(home) == before


def test_whoever_notices_it_gives_the_same_advice(home: Path) -> None:
    """The newest backup by name, from every command; `doctor` has findings, not a bug."""
    backups = home / "backups"
    backups.mkdir(exist_ok=True)
    for number, name in enumerate(("imgsort-daily-b.tar", "imgsort-a.tar", ".imgsort-c.tar")):
        (backups / name).touch()
        os.utime(backups / name, (number, number))
    shutil.rmtree(home / "state")
    advice = f"bring it back with `imgsort restore {backups}/imgsort-a.tar`"
    for command in (("log",), ("status",), ("run",), ("next",), ("check-config",), ("migrate",)):
        answer = imgsort("-C", home, *command)
        assert advice in answer.out + answer.err, (command, answer)
        assert answer.code in {1, 78}
    doctor = imgsort("-C", home, "doctor")
    assert doctor.code == 1
    assert advice.replace("bring", "Bring") in doctor.out + doctor.err
    assert "mkdir" not in doctor.out + doctor.err
    assert "models activate" not in doctor.out + doctor.err


def test_without_a_backup_the_folders_are_what_is_left(home: Path) -> None:
    """`rebuild-db` is what the advice says, and works though state/ is gone altogether."""
    shutil.rmtree(home / "state")
    answer = imgsort("-C", home, "rebuild-db")
    assert answer.code == 0, answer
    assert "make a new workspace with `imgsort init`" in answer.err
    assert asked("-C", home, "log").code == 0


def test_where_no_model_is_left_nobody_is_sent_to_activate_one(home: Path) -> None:
    """Every command that needs one says where one comes from: a backup, or a new workspace."""
    shutil.rmtree(home / "state")
    assert imgsort("-C", home, "rebuild-db").code == 0
    for command in (("run", "--once"), ("next",), ("retrain",), ("check-config",), ("doctor",)):
        answer = imgsort("-C", home, *command)
        said = answer.out + answer.err
        assert answer.code in {1, 78}, (command, answer)
        assert "There is no model" in said
        assert "make a new workspace with `imgsort init`" in said
        assert "models activate" not in said
    backup = home / "backups" / "imgsort-a.tar"
    backup.parent.mkdir(exist_ok=True)
    backup.touch()
    code, said = imgsort("-C", home, "run", "--once").said
    advice = f"There is no model in {home}; bring it back with `imgsort restore {backup}`."
    assert (code, advice in said) == (1, True)


def test_a_command_inside_a_workspace_is_sent_to_it(home: Path) -> None:
    """Who stands in the inbox is not told to make another workspace there."""
    (home / "inbox" / "north").mkdir()
    for place in (home / "inbox", home / "inbox" / "north"):
        assert imgsort("status", cwd=place).said == (
            1,
            f"{place} lies in the workspace {home}; name that one with -C {home}.",
        )
