"""What people get wrong in a TOML file, in plain words. Pure."""

import re

_COMMA = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*([+-]?\d+),(\d+)\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_SECTION = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")
_BARE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*([A-Za-z][\w./-]*)\s*(?:#.*)?")


def plainly(text: str) -> str | None:
    """The first mistake that is known, with its line and what to write; None for any other."""
    section = ""
    seen: dict[tuple[str, str | None], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if (found := _SECTION.fullmatch(line)) is not None:
            section = found[1].strip()
            if (before := seen.get((section, None))) is not None:
                return (
                    f"line {number}: [{section}] is there twice (line {before} too); put its keys "
                    f"together"
                )
            seen[section, None] = number
            continue
        if (found := _COMMA.fullmatch(line)) is not None:
            key, whole, fraction = found.groups()
            return f"line {number}: write {key} = {whole}.{fraction}, with a point"
        if (found := _BARE.fullmatch(line)) is not None and found[2] not in {"true", "false"}:
            if found[2].lower() in {"true", "false"}:
                return f"line {number}: write {found[1]} = {found[2].lower()}, in small letters"
            if found[2] not in {"inf", "nan"}:
                return f'line {number}: write {found[1]} = "{found[2]}", in quotation marks'
        if (found := _KEY.match(line)) is not None:
            if (before := seen.get((section, found[1]))) is not None:
                return f"line {number}: {found[1]} is there twice (line {before} too); remove one"
            seen[section, found[1]] = number
    return None
