"""A finding on its way from a worker to the daemon.

JSON checked field by field, not pickle: a codec that a hostile picture has taken over may write
what it likes into the pipe, and must not get code run in the daemon by it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, get_args, get_type_hints

from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.images.worker_task import Finding, Readable, Unavailable, Unreadable

LONGEST = 1 << 16
"""Bytes of a message. A finding has a few hundred."""
_LONGEST_TRACE = LONGEST // 8
_BUG = "Bug"
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (Readable, Unreadable, Unavailable)}
_SHA256 = re.compile("[0-9a-f]{64}")
_UNSIGNED = range(2**64)
_BOUNDS = {
    "width": range(1, 2**31),
    "height": range(1, 2**31),
    "size": range(2**63),
    "mtime_ns": range(-(2**63), 2**63),
}
"""What the database can hold: a finding beyond it would stop the daemon, at each start again."""
_PARTS = {Identity, ImageFacts}


class NotAFinding(ValueError):
    """The bytes are no finding."""


class DecoderBug(Exception):
    """The worker's own code failed, not the picture; str() is its traceback."""


def packed(finding: Finding) -> bytes:
    """Text that is no Unicode is sent with question marks."""
    return _message(type(finding).__name__, asdict(finding))


def packed_bug(trace: str) -> bytes:
    """What ``unpacked`` raises as DecoderBug."""
    return _message(_BUG, trace[-_LONGEST_TRACE:])


def _message(kind: str, content: Any) -> bytes:
    return json.dumps([kind, content], ensure_ascii=False).encode("utf-8", "replace")


def unpacked(data: bytes) -> Finding:
    """The finding that was packed; raises NotAFinding on what is none, or DecoderBug."""
    try:
        name, content = json.loads(data)
        if name == _BUG:
            raise DecoderBug(content)
        finding: Finding = _built(_KINDS[name], content)
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise NotAFinding(repr(problem)) from problem
    return finding


def _built(kind: Any, content: Any) -> Any:
    fields_of = _CHECKS[kind]
    if not isinstance(content, dict) or content.keys() != fields_of.keys():
        raise NotAFinding(f"not the fields of {kind.__name__}")
    return kind(**{name: check(content[name]) for name, check in fields_of.items()})


def _check(kind: Any, name: str, hint: Any) -> Callable[[Any], Any]:
    """What a field's value goes through, found out once: it is done for every picture."""
    if hint in _PARTS:
        return partial(_built, hint)
    types = set(get_args(hint) or (hint,))
    bounds = _BOUNDS.get(name, _UNSIGNED)

    def checked(value: Any) -> Any:
        sane = type(value) in types  # a bool is no int here
        if sane and type(value) is int:
            sane = value in bounds
        elif sane and name == "sha256" and value is not None:
            sane = _SHA256.fullmatch(value) is not None
        if not sane:
            raise NotAFinding(f"{kind.__name__}.{name} can't be that {type(value).__name__}")
        return value

    return checked


_CHECKS = {
    kind: {name: _check(kind, name, hint) for name, hint in get_type_hints(kind).items()}
    for kind in (*_KINDS.values(), *_PARTS)
}
