"""The Dockerfile, read as a linter reads it, and its steps as far as they go without a builder."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
TEXT = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
GUIDE = (REPOSITORY / "docs" / "container.md").read_text(encoding="utf-8")
IGNORED = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()


def instructions() -> list[tuple[str, str]]:
    """``("RUN", "…")``, continuation lines joined, comments left out."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(word, rest.strip()) for word, _, rest in found]


def all_of(word: str) -> list[str]:
    return [rest for each, rest in instructions() if each == word]


def sent_to_the_builder(folder: Path) -> Path:
    """A copy of the repository as .dockerignore lets it through."""

    def ignored(parent: str, names: list[str]) -> set[str]:
        return {
            name
            for name in names
            for pattern in IGNORED
            if fnmatch.fnmatch(name, pattern.removeprefix("**/"))
            and (pattern.startswith("**/") or Path(parent) == REPOSITORY)
        }

    return Path(shutil.copytree(REPOSITORY, folder, symlinks=True, ignore=ignored))


def test_it_is_written_as_linters_want_it() -> None:
    """Known instructions, pinned bases, exec forms, no download by ADD, no cache kept."""
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL"}
    assert {word for word, _ in instructions()} == known | {"HEALTHCHECK", "ENTRYPOINT", "CMD"}
    for base in all_of("FROM"):
        assert re.match(r"python:\$\{PYTHON\}-slim-[a-z]+( AS \w+)?$", base), base
    assert re.search(r"^PYTHON=3\.\d+$", all_of("ARG")[0])
    for word in ("ENTRYPOINT", "CMD", "VOLUME"):
        assert all(rest.startswith("[") for rest in all_of(word)), word
    assert "--no-cache-dir" in TEXT
    assert "sudo" not in TEXT
    assert "curl" not in TEXT


def test_it_runs_without_root_and_is_looked_after() -> None:
    """The user is set before anything starts, and `health` is what a probe asks."""
    words = [word for word, _ in instructions()]
    last_stage = words[len(words) - words[::-1].index("FROM") :]
    assert last_stage.index("USER") < last_stage.index("ENTRYPOINT")
    assert "RUN" not in last_stage[last_stage.index("USER") :]
    assert all_of("USER") == ["${UID}:${GID}"]  # by number: a cluster that forbids root asks for it
    assert all_of("HEALTHCHECK")[0].endswith('CMD ["imgsort", "health"]')
    assert all_of("STOPSIGNAL") == ["SIGTERM"]


def test_what_it_needs_is_sent_and_nothing_else(tmp_path: Path) -> None:
    """Its install step builds a wheel with every part from what .dockerignore lets through."""
    source = sent_to_the_builder(tmp_path / "src")
    assert not [path for path in source.iterdir() if path.name.startswith(".")]
    assert not (source / "tests").exists()
    assert (source / "constraints.txt").is_file()
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    built = subprocess.run(
        [*command, "--disable-pip-version-check", "-w", str(tmp_path), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert {
        "imgsort/daemon/service/run.py",
        "imgsort/trainer/retrain.py",
        "imgsort/cli/app.py",
    } <= names
    subprocess.run(
        [
            sys.executable,
            "-m",
            "zipfile",
            "-e",
            str(next(tmp_path.glob("*.whl"))),
            str(tmp_path / "w"),
        ],
        check=True,
    )
    program = "from imgsort.cli import main; main()"
    said = subprocess.run(
        [sys.executable, "-c", program, "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "w")},
    )
    assert "imgsort" in said.stdout


def test_the_guide_uses_the_arguments_that_there_are() -> None:
    """Each --build-arg and compose argument is declared."""
    declared = {one.partition("=")[0] for one in all_of("ARG")}
    used = set(re.findall(r"--build-arg (\w+)=", GUIDE + TEXT))
    (arguments,) = re.findall(r"args: \{(.*?)\}", GUIDE)
    used |= set(re.findall(r"(\w+): \"", arguments))
    assert used <= declared
    assert {"EXTRAS", "UID", "GID"} <= used
