"""Reading what another version wrote: what isn't known, or not so, is as if it weren't there."""

from collections.abc import Mapping
from typing import Any, TypeVar

_Kind = TypeVar("_Kind")


def read_as(kind: type[_Kind], said: Mapping[str, Any]) -> _Kind:
    """A dataclass whose every field has a default, from its JSON."""
    from pydantic import TypeAdapter, ValidationError

    adapter, known = TypeAdapter(kind), dict(said)
    while True:
        try:
            return adapter.validate_python(known)
        except ValidationError as problems:
            for one in problems.errors():
                known.pop(str(one["loc"][0]), None)
