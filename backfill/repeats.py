"""Which rows of a long list name what an earlier row named? In little memory, whatever its length.

Hashes of 128 bits go into files by their first bits, so that equal ones meet; each file is then
looked through alone. A hundred million lines need 2.4 GB of scratch space and 40 MB of memory.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
_FILES = 64
_AT_ONCE = 1 << 16


def repeats(names: Iterable[bytes], scratch: Path) -> NDArray[np.uint64]:
    """Numbers of the rows to leave out, in order."""
    with tempfile.TemporaryDirectory(prefix=".repeats-", dir=scratch) as folder:
        paths = [Path(folder, str(number)) for number in range(_FILES)]
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("wb")) for path in paths]
            for rows in _hashed(names):
                _spread(rows, files)
        found = [_again(np.fromfile(path, np.uint64).reshape(-1, 3)) for path in paths]
    return np.sort(np.concatenate(found))


def once(entries: Iterable[T], left_out: NDArray[np.uint64]) -> Iterator[T]:
    """The rows that stay."""
    gone = iter(left_out.tolist())
    skip = next(gone, -1)
    for number, entry in enumerate(entries):
        if number == skip:
            skip = next(gone, -1)
        else:
            yield entry


def _hashed(names: Iterable[bytes]) -> Iterator[NDArray[np.uint64]]:
    """[N, 3]: two halves of a hash, and the row."""
    waiting, first = iter(names), 0
    while part := list(islice(waiting, _AT_ONCE)):
        digests = b"".join(hashlib.blake2b(name, digest_size=16).digest() for name in part)
        halves = np.frombuffer(digests, np.uint64).reshape(-1, 2)
        rows = np.arange(first, first + len(part), dtype=np.uint64)
        first += len(part)
        yield np.column_stack([halves, rows])


def _spread(rows: NDArray[np.uint64], files: Sequence[IO[bytes]]) -> None:
    which = rows[:, 0] % _FILES
    for number in range(_FILES):
        files[number].write(rows[which == number].tobytes())


def _again(rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    ordered = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    same = (ordered[1:, :2] == ordered[:-1, :2]).all(axis=1)
    found: NDArray[np.uint64] = ordered[1:][same][:, 2]
    return found
