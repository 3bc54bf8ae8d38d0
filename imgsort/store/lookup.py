"""Which picture does a person mean? An id, a path, a content hash or its beginning, or a name."""

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsort.disk.composed import composed, spellings
from imgsort.disk.display import display
from imgsort.disk.identity import Identity, open_regular, sha256_of
from imgsort.records.pictures import LoggedPicture
from imgsort.store import Store
from imgsort.workspace.template import split_name
from imgsort.workspace.workspace import Workspace

NameKind = Literal["any", "file", "id", "path", "sha256", "name"]

_SHORTEST_PREFIX = 6
_WHOLE_HASH = 64
_HEX = re.compile(rf"[0-9a-fA-F]{{{_SHORTEST_PREFIX},{_WHOLE_HASH}}}")


@dataclass(frozen=True, slots=True)
class Name:
    """What a person wrote; ``any`` when it is for us to tell what kind of name that is, ``file``
    when it is anything but our number, and perhaps without its suffix."""

    text: str
    kind: NameKind = "any"


@dataclass(frozen=True, slots=True)
class Meant:
    """One content; ``pictures`` are its files, the newest first."""

    sha256: str
    pictures: tuple[LoggedPicture, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nothing, or more than one thing, goes by that name; ``reason`` is part of a sentence."""

    text: str
    reason: str


class Finder:
    """Finds pictures in the log; ``here`` is the folder that relative paths start from."""

    def __init__(self, workspace: Workspace, store: Store, here: Path) -> None:
        self._workspace = workspace
        self._store = store
        self._here = here

    def find(self, names: Sequence[Name]) -> list[Meant | Unmatched]:
        """In the order given; thousands at a time cost a few queries."""
        kinds = [self._kind(name) for name in names]
        asked = list(zip(names, kinds, strict=True))
        by_id = _grouped(
            (str(one.arrival_id), one)
            for one in self._store.pictures.by_ids(
                {int(name.text) for name, kind in asked if kind == "id" and _is_id(name.text)}
            )
        )
        by_name = self._by_name([name.text for name, kind in asked if kind == "name"])
        files = {display(name.text) for name in names if name.kind == "file"}
        by_name |= self._by_stem({text for text in files if not by_name.get(text)})
        by_hash = self._by_hash([name.text for name, kind in asked if kind == "sha256"])
        by_path = self._by_path([name.text for name, kind in asked if kind == "path"])
        found = {"id": by_id, "name": by_name, "sha256": by_hash, "path": by_path}
        return [
            self._answer(name.text, kind, found[kind].get(_key(name.text, kind), []))
            for name, kind in asked
        ]

    def _kind(self, name: Name) -> Literal["id", "path", "sha256", "name"]:
        if name.kind not in {"any", "file"}:
            return name.kind  # type: ignore[return-value]
        if name.kind == "any" and _is_id(name.text):
            return "id"
        if self._is_there(name.text):
            return "path"
        if _HEX.fullmatch(name.text) and (name.kind == "any" or len(name.text) == _WHOLE_HASH):
            return "sha256"
        return "path" if "/" in name.text else "name"

    def _places(self, text: str) -> list[Path]:
        """Where a path may lead: from here, then from the workspace. Links above are resolved."""
        found = []
        for base in (self._here, self._workspace.root):
            with suppress(OSError, ValueError):
                path = base / Path(text).expanduser()
                found.append(self._inside(path.parent.resolve() / path.name))
        return list(dict.fromkeys(found))

    def _is_there(self, text: str) -> bool:
        return any(os.path.lexists(place) for one in _spelled(text) for place in self._places(one))

    def _inside(self, path: Path) -> Path:
        """The path as the log writes it, whatever links lead to the workspace."""
        with suppress(ValueError, OSError):
            return self._workspace.root / path.relative_to(self._workspace.root.resolve())
        return path

    def _by_path(self, texts: Sequence[str]) -> dict[str, list[LoggedPicture]]:
        forms = {text: _spelled(text) for text in dict.fromkeys(texts)}
        places = {one: self._places(one) for several in forms.values() for one in several}
        every = [place for several in places.values() for place in several]
        lying = _grouped((str(one.path), one) for one in self._store.pictures.at(every))
        found: dict[str, list[LoggedPicture]] = {text: [] for text in forms}
        for text, spelled in forms.items():
            for one in spelled:  # as it was written, if there is such a one
                here = [known for place in places[one] for known in lying.get(str(place), [])]
                found[text] = found[text] or list(filter(lies_there, here))
        unknown = [text for text in forms if not found[text]]
        lies = {text: [place for one in forms[text] for place in places[one]] for text in unknown}
        found |= self._by_content(unknown, lies)
        return found | self._by_dropped_path([text for text in forms if not found[text]])

    def _by_content(
        self, texts: Sequence[str], places: dict[str, list[Path]]
    ) -> dict[str, list[LoggedPicture]]:
        """A file that lies elsewhere may have the content of a picture we know."""
        hashes = {}
        for text in texts:
            for place in places[text]:
                if (sha256 := _hashed(place)) is not None:
                    hashes[text] = sha256
                    break
        known = _grouped(
            (one.sha256, one) for one in self._store.pictures.with_contents(hashes.values())
        )
        return {text: known[sha256] for text, sha256 in hashes.items() if sha256 in known}

    def _by_dropped_path(self, texts: Sequence[str]) -> dict[str, list[LoggedPicture]]:
        """``holiday/a.jpg``, or ``inbox/holiday/a.jpg``: where it was dropped into the inbox."""
        inbox = f"{self._workspace.inbox.name}/"
        wanted = {text: display(text.removeprefix("./").removeprefix(inbox)) for text in texts}
        named = self._named(Path(way).name for way in wanted.values())
        dropped = [
            (display(os.path.join(one.subfolder, one.name)), one)  # noqa: PTH118 - bytes
            for one in named
        ]
        return _spelled_so(wanted, dropped)

    def _by_name(self, texts: Sequence[str]) -> dict[str, list[LoggedPicture]]:
        named = [(display(one.name), one) for one in self._named(texts)]
        return _spelled_so({display(text): display(text) for text in texts}, named)

    def _named(self, texts: Iterable[str]) -> list[LoggedPicture]:
        """Those whose original name is one of these, in whatever spelling."""
        forms = {form for text in texts for form in spellings(display(text))}
        return self._store.pictures.named(forms)

    def _by_stem(self, stems: Collection[str]) -> dict[str, list[LoggedPicture]]:
        """Files that bear such a name but for its suffix."""
        if not stems:
            return {}
        alike = {composed(stem) for stem in stems}
        full = [
            name
            for name in self._store.pictures.original_names()
            if composed(split_name(name)[0]) in alike
        ]
        named = self._store.pictures.named(full)
        borne = [(split_name(display(one.name))[0], one) for one in named]
        return _spelled_so({stem: stem for stem in stems}, borne)

    def _by_hash(self, texts: Sequence[str]) -> dict[str, list[LoggedPicture]]:
        lower = {text.lower() for text in texts}
        whole = {text for text in lower if len(text) == _WHOLE_HASH}
        found = _grouped((one.sha256, one) for one in self._store.pictures.with_contents(whole))
        for prefix in lower - whole:
            if _HEX.fullmatch(prefix):
                found[prefix] = self._store.pictures.with_prefix(prefix)
        return found

    def _answer(self, text: str, kind: str, found: Sequence[LoggedPicture]) -> Meant | Unmatched:
        contents = {one.sha256 for one in found}
        if len(contents) == 1:
            sha256 = contents.pop()
            return Meant(sha256, tuple(sorted(found, key=lambda one: -one.arrival_id)))
        if contents:
            ids = ", ".join(str(one.arrival_id) for one in found[:3])
            return Unmatched(text, f"{len(contents)} different pictures go by it (ids {ids})")
        return Unmatched(text, self._absence(text, kind))

    def _absence(self, text: str, kind: str) -> str:
        if kind == "path":
            places = [place for one in _spelled(text) for place in self._places(one)]
            there = [place for place in places if os.path.lexists(place)]
            if any(self._workspace.inbox in place.parents for place in there):
                return "it is still in the inbox; `imgsort run` has to file it first"
            return "the log has no such picture" if there else "there is no such file"
        if kind == "name" and _is_id(text):
            return (
                "the log has no picture of that name; if it is the number in `imgsort log`, call "
                "the column arrival_id"
            )
        return {
            "id": "the log has no arrival of that number",
            "sha256": "the log has no picture with that hash",
            "name": "the log has no picture of that name",
        }[kind]


def _spelled_so(
    wanted: Mapping[str, str], named: Sequence[tuple[str, LoggedPicture]]
) -> dict[str, list[LoggedPicture]]:
    """For each key the pictures of the name it wants; where there is none, of a name that only is
    spelled otherwise."""
    exact = _grouped(named)
    alike = _grouped((composed(name), one) for name, one in named)
    return {key: exact.get(name) or alike.get(composed(name), []) for key, name in wanted.items()}


def _spelled(text: str) -> list[str]:
    """A path in each spelling that its folders, and its name, may have."""
    folder, slash, name = text.rpartition("/")
    return [above + slash + one for above in spellings(folder) for one in spellings(name)]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(2**62))


def _key(text: str, kind: str) -> str:
    match kind:
        case "id":
            return str(int(text)) if _is_id(text) else ""
        case "sha256":
            return text.lower()
        case "name":
            return display(text)
        case _:
            return text


def lies_there(picture: LoggedPicture) -> bool:
    """Is the file still the one that was logged? One that was edited is another picture."""
    try:
        return Identity.of(picture.path.lstat()) == picture.identity
    except OSError:
        return False


def _hashed(path: Path) -> str | None:
    try:
        descriptor = open_regular(path)
    except OSError:
        return None
    try:
        return sha256_of(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _grouped(pairs: Iterable[tuple[str, LoggedPicture]]) -> dict[str, list[LoggedPicture]]:
    found: dict[str, list[LoggedPicture]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found
