"""Names that would drive a terminal, a page or a spreadsheet: every command shows them as text."""

import csv
import io
import json
import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from imgsort.disk.display import display
from imgsort.records.log import LogFilter, LogRow
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import Answer, imgsort
from tests.cli_runner import asked as in_process

ORDERS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that order a terminal about; a line break between lines is all we print."""
NAMES = (
    b"new\nline.jpg",
    b"back\rto the start.jpg",
    b"title\x1b]0;pwned\x07\x1b[2J.jpg",
    b"bell\x07\x08\x08\x7f.jpg",
    "c1\x9b31m.jpg".encode(),
    "photo\u202egpj.exe.jpg".encode(),
    "isolate\u2066\u2069.jpg".encode(),
    "zero\u200bwidth\ufeff.jpg".encode(),
    "paragraph\u2029line\u2028.jpg".encode(),
    b"latin\xe9\xff\xfe.jpg",
    b"\xed\xa0\x80surrogate.jpg",
    b"<img src=x onerror=alert(1)>.jpg",
    b"=cmd|' !A0'.jpg",
    b"-rf.jpg",
    b"[bold red]markup[ link=x].jpg",
    b"%s%n{0}$(reboot)`id`.jpg",
    b"n" * 251 + b".jpg",
    ("\u00e4" * 125 + "x.jpg").encode(),
)
FOLDER = b"trip\x1b[31m\n\xff\xe2\x80\xae"
CLASS = "ev\x1b[31mil\u202e"


def placed(folder: Path, name: bytes, content: bytes) -> Path:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def dropped(workspace: Workspace, test_data: Path) -> list[Path]:
    """A picture of each name, one more in a folder of such a name, a broken one, a pipe."""
    photos = sorted((test_data / "cats_dogs_snakes" / "dogs").iterdir())
    contents = [photo.read_bytes() for photo in photos[: len(NAMES) + 1]]
    paths = [
        placed(workspace.inbox, name, content)
        for name, content in zip((*NAMES, FOLDER + b"/inner\t.jpg"), contents, strict=True)
    ]
    paths.append(placed(workspace.inbox, b"broken\x1b[5m\n.jpg", contents[0][:2000]))
    os.mkfifo(os.fsencode(workspace.inbox) + b"/pipe\x1b[7m.jpg")
    placed(workspace.inbox, b"film\x1b[7m\n.mp4", b"no picture")
    return paths


def rows_of(workspace: Workspace) -> list[LogRow]:
    with Store.open(workspace.database, root=workspace.root) as store:
        return list(store.log.rows(LogFilter()))


def orders(text: str) -> set[str]:
    """What in a text isn't plain."""
    return {hex(ord(each)) for each in text if unicodedata.category(each) in ORDERS} - {"0xa"}


@pytest.mark.slow
def test_every_command_shows_hostile_names_as_text(
    workspace: Workspace, dropped: list[Path]
) -> None:
    """Nothing a terminal would obey, on stdout or stderr, from any command, as table or as JSON."""

    def asked(*words: str | Path) -> Answer:
        inside = imgsort if words[0] == "run" else in_process
        answer = inside("-C", workspace.root, *words)
        assert orders(answer.out) == set(), words
        assert orders(answer.err) == set(), words
        assert "Traceback" not in answer.err
        if "--json" in words and answer.code in {0, 4}:
            assert json.loads(answer.out) is not None
        return answer

    run = asked("run", "--once")
    assert run.code == 0
    rows = rows_of(workspace)
    assert len(rows) == len(dropped)
    assert {row.name for row in rows} == {display(path.name) for path in dropped}
    assert [row.path for row in rows if orders(row.path + row.name + (row.reason or ""))] == []

    table = asked("log", "--limit", "0")
    assert len(table.out.splitlines()) == len(rows) + 1, "one line a row"
    assert {row["name"] for row in asked("log", "--json").json} == {row.name for row in rows}
    for words in ("status", "models", "next", "audit 5 --links", "undo --last --dry-run", "refile"):
        for form in ([], ["--json"]):
            assert asked(*words.split(), *form).code in {0, 4}, words
    for row in rows:
        assert asked("why", str(row.id)).code == 0
    assert asked("why", "--json", str(rows[0].id)).code == 0
    lying = [path for base in workspace.picture_folders[1:] for path in base.rglob("*.jpg")]
    assert len(lying) == len(rows)
    assert asked("classify", *lying).code == 0
    assert asked("classify", "--json", *lying).code == 0
    assert asked("label", *lying[:3], "dog").code in {0, 1, 4}
    assert asked("confirm", workspace.sorted).code == 0
    assert asked("why", Path(os.fsdecode(b"no\x1b[31m\nsuch\xff.jpg"))).code == 1
    assert asked("label", str(rows[0].id), CLASS).code == 1
    assert asked("-C", workspace.root / CLASS, "status").code == 1


def test_hostile_names_in_csv_are_no_formulas_and_come_back(
    workspace: Workspace, dropped: list[Path]
) -> None:
    """A spreadsheet runs none of them; what was exported can be read back as labels."""
    assert imgsort("-C", workspace.root, "run", "--once").code == 0
    answer = in_process("-C", workspace.root, "log", "--format", "csv", "--limit", "0")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert len(rows) == len(dropped)
    cells = [cell for row in rows for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert "'=cmd|' !A0'.jpg" in cells

    assert in_process("-C", workspace.root, "confirm", workspace.sorted).code == 0
    exported = workspace.root / "labels.csv"
    exported.write_text(in_process("-C", workspace.root, "export").out, encoding="utf-8")
    again = in_process("-C", workspace.root, "label", "--from-csv", exported, "--json")
    assert again.code == 4, again.err  # all of them are known


def test_a_hostile_class_folder_is_named_safely_and_teaches_nothing(
    workspace: Workspace, test_data: Path
) -> None:
    """A folder whose name can't be a class: said in one plain line, its picture stays there."""
    photo = next((test_data / "cats_dogs_snakes" / "dogs").iterdir())
    shutil.copy(photo, workspace.inbox)
    hostile = workspace.sorted / CLASS
    hostile.mkdir()
    stays = Path(shutil.copy(photo, hostile / "\x1b[2Ja.jpg"))

    first = imgsort("-C", workspace.root, "run", "--once")
    status = in_process("-C", workspace.root, "status")
    label = in_process("-C", workspace.root, "confirm", hostile)

    for answer in (first, status, label):
        assert orders(answer.out + answer.err) == set()
    assert first.code == 0
    assert label.code in {1, 4}
    assert stays.exists()
    with Store.open(workspace.database, root=workspace.root) as store:
        assert [name for name in store.classes.names().values() if orders(name)] == []
        assert store.labels.current() == {}


def test_a_data_set_with_hostile_names_is_imported_or_refused_in_plain_words(
    workspace: Workspace, test_data: Path, tmp_path: Path
) -> None:
    """Folder names become classes only through the one gate; every refusal is readable."""
    photos = sorted((test_data / "cats_dogs_snakes" / "dogs").iterdir())
    data_set = tmp_path / "set"
    names = (b"dog", b"..\xff", b"ev\x1b[31mil", "\u202egod".encode(), b"-rf", b"<b>bold<", b".x")
    for name, photo in zip(names, photos, strict=False):
        placed(data_set, name + b"/\x1b[1ma\xff.jpg", photo.read_bytes())

    answer = imgsort("-C", workspace.root, "import", data_set, "--new-class")

    assert orders(answer.out + answer.err) == set()
    assert answer.code in {0, 1}
    folders = {path.name for path in workspace.sorted.iterdir()}
    assert [name for name in folders if orders(name)] == []
    assert not folders & {"-rf", ".x"}
    assert len(list(data_set.rglob("*.jpg"))) == len(names)


def test_a_hostile_csv_labels_nothing_outside(
    workspace: Workspace, test_data: Path, tmp_path: Path
) -> None:
    """Paths that lead out, labels that are paths or orders, a huge cell: told line by line."""
    outside = Path(shutil.copy(next((test_data / "cats_dogs_snakes" / "dogs").iterdir()), tmp_path))
    lines = [
        "path,label",
        f"{outside},dog",
        "../../etc/passwd,dog",
        "/dev/zero,dog",
        "1,../../escape",
        "1,=HYPERLINK(1)",
        "1,ev\x1b[31mil",
        "1,/etc",
        f"1,{'x' * 300}",
        f"{'y' * 200_000},dog",
        "sorted/\x00a,dog",
    ]
    table = tmp_path / "labels\x1b[31m.csv"
    for text in ("\n".join(lines[:-2]), "\n".join(lines[:-1]), "\n".join(lines)):
        table.write_text(text)
        answer = in_process("-C", workspace.root, "label", "--from-csv", table, "--new-class")
        assert answer.code in {1, 4}, answer.err
        assert orders(answer.out + answer.err) == set()
    assert outside.exists()
    assert list(workspace.sorted.rglob("*.*")) == []
    assert not (workspace.root.parent / "escape").exists()
