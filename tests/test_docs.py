"""The documents say what the program does: commands, options, configuration, links."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from imgsort.cli import registered
from imgsort.workspace.config import Config, Section, load_config
from imgsort.workspace.template import BadTemplate, Template

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SAMPLE = (REPOSITORY / "config.toml").read_text(encoding="utf-8")
CONFIGURATION = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        REPOSITORY / "systemd/README.md",
    ]
)
ON_EVERY_COMMAND = {"--help", "-h", "--json", "-C"}
SECTIONS: dict[str, Section] = dict(Config())
KEYS = [(section, key) for section, table in SECTIONS.items() for key in type(table).model_fields]


def _commands(group: TyperGroup, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Each command as it is typed, such as ``models show``, and its options."""
    for name, command in group.commands.items():
        typed = f"{path}{name}"
        if isinstance(command, TyperGroup):
            # Its own name may be short for one of its commands, which is documented by it.
            short_for = command.commands.get(getattr(command, "default_command", ""))
            yield typed, _options(short_for or command)
            known = f"{typed} {getattr(command, 'default_command', '')}"
            yield from (one for one in _commands(command, f"{typed} ") if one[0] != known)
        else:
            yield typed, _options(command)


def _options(command: Any) -> set[str]:
    return {
        option
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-")
    }


def _whole() -> TyperGroup:
    group = get_command(registered())
    assert isinstance(group, TyperGroup)
    return group


COMMANDS = dict(_commands(_whole()))


def _row_of(command: str) -> str:
    """The row of README's table whose first cell starts with the command."""
    rows = [
        line for line in README.splitlines() if re.match(rf"\| `{re.escape(command)}[ `]", line)
    ]
    return "\n".join(rows)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_has_each_command_with_its_options(command: str) -> None:
    """Every command has a row in README's table, and the row names each of its options."""
    row = _row_of(command)
    assert row, f"README.md has no row for `{command}`"
    missing = {option for option in COMMANDS[command] - ON_EVERY_COMMAND if f"{option}" not in row}
    assert missing == set()


@pytest.mark.parametrize("option", sorted(ON_EVERY_COMMAND | {"--version", "IMGSORT_WORKSPACE"}))
def test_the_readme_has_the_common_options(option: str) -> None:
    """What works with every command is said once."""
    assert f"`{option}" in README


def test_the_readme_types_only_what_exists() -> None:
    """Every `imgsort …` line in the documents' code blocks has a real command and real options."""
    known = COMMANDS.keys()
    unknown = []
    for document in DOCUMENTS:
        for line in _code_lines(document.read_text(encoding="utf-8")):
            typed = re.match(r"\$? ?imgsort (?:-C \S+ )?([a-z-]+)(.*)", line)
            if typed is None:
                continue
            command = max(
                (name for name in known if f"{typed[1]}{typed[2]} ".startswith(f"{name} ")),
                key=len,
                default="",
            )
            options = set(re.findall(r"(?<=\s)--[a-z-]+", typed[2].partition("#")[0]))
            if not command or options - COMMANDS[command] - ON_EVERY_COMMAND:
                unknown.append(f"{document.name}: {line}")
    assert unknown == []


def _code_lines(markdown: str) -> list[str]:
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines()]


def test_the_sample_is_the_defaults() -> None:
    """The sample config.toml loads, and says what the program does without it."""
    assert load_config(REPOSITORY / "config.toml") == Config()


@pytest.mark.parametrize(("section", "key"), KEYS, ids=lambda part: part)
def test_the_sample_has_each_key_with_its_reason(section: str, key: str) -> None:
    """Every key stands in its section of the sample, below a comment."""
    table = SAMPLE.partition(f"\n[{section}]\n")[2].partition("\n[")[0]
    assert re.search(rf"^#.*\n{key} = ", table, re.MULTILINE)


@pytest.mark.parametrize(("section", "key"), KEYS, ids=lambda part: part)
def test_the_documents_have_each_key_with_its_default(section: str, key: str) -> None:
    """Every key has a row in docs/configuration.md, with the default that the program uses."""
    chapter = CONFIGURATION.partition(f"\n## `[{section}]`")[2].partition("\n## ")[0]
    row = re.search(rf"^\| `{key}` \| `([^`]*)` \| [^|]+ \| [^|]+ \|$", chapter, re.MULTILINE)
    assert row, f"docs/configuration.md has no row for {section}.{key}"
    said = Config.model_validate({section: tomllib.loads(f"{key} = {row[1]}")})
    assert said == Config()


def test_the_documents_have_no_key_that_is_gone() -> None:
    """docs/configuration.md has no row for a key that doesn't exist."""
    rows = re.findall(r"^\| `([a-z_]+)` \|", CONFIGURATION, re.MULTILINE)
    assert set(rows) == {key for _, key in KEYS}


@pytest.mark.parametrize("document", ["config.toml", "docs/configuration.md"])
def test_the_documents_have_each_token(document: str) -> None:
    """Every token of the filing template is explained where the template is."""
    with pytest.raises(BadTemplate) as refusal:
        Template.parse("{label}/{no_such_token}")
    tokens = re.findall(r"\{[a-z]+\}", str(refusal.value).partition("the tokens are")[2])
    assert len(tokens) > 5
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    assert [token for token in tokens if token not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of a document leads to a file, and its anchor to a heading."""
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            dead.append(target)
    assert dead == []


def _anchors(document: Path) -> set[str]:
    """What GitHub makes of the headings: lower case, spaces as hyphens, punctuation dropped."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_ways_through_the_house_lead_somewhere() -> None:
    """Every file and function that CONTRIBUTING names is there."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tops = "imgsort|daemon|trainer|review|migrations"
    named = re.findall(rf"`((?:{tops})/[\w/]+\.py)(?::(\w+))?`", text)
    assert len(named) > 25
    for file, name in named:
        source = (REPOSITORY / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"\b(def|class) {name}\b", source), f"{file}:{name}"
