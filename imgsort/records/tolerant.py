"""Reading what another version wrote: what isn't known, or not so, is as if it weren't there."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_Kind = TypeVar("_Kind")


def read_as(kind: type[_Kind], said: Mapping[str, Any]) -> _Kind:
    """A dataclass whose every field has a default, from its JSON."""
    from pydantic import ValidationError

    known = dict(said)
    while True:
        try:
            read: _Kind = _adapter(kind).validate_python(known)
        except ValidationError as problems:
            for one in problems.errors():
                known.pop(str(one["loc"][0]), None)
        else:
            return read


@cache
def _adapter(kind: type[Any]) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
