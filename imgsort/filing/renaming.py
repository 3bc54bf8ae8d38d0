"""rename() that never replaces anything: renameat2(2) with RENAME_NOREPLACE."""

import ctypes
import errno
import os
import platform
from collections.abc import Callable
from functools import cache

from imgsort.filing.folders import Spot

_NOREPLACE = 1  # linux/fs.h
# asm/unistd.h, for a C library without the function (glibc before 2.28).
_SYSCALL_NUMBERS = {
    **dict.fromkeys(("aarch64", "riscv64", "loongarch64"), 276),
    **{"x86_64": 316, "armv7l": 382, "armv6l": 382, "i686": 353, "ppc64le": 357, "s390x": 347},
}
UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
"""What kernels and file systems without RENAME_NOREPLACE answer."""

_Rename = Callable[[int, bytes, int, bytes, int], int]


def rename_noreplace(source: Spot, target: Spot) -> None:
    """Rename in one step, or raise OSError: FileExistsError if the target is taken, EXDEV across
    file systems, one of UNSUPPORTED where it can't be had."""
    failed = _renameat2()(
        source.folder.descriptor,
        os.fsencode(source.name),
        target.folder.descriptor,
        os.fsencode(target.name),
        _NOREPLACE,
    )
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(source.path), None, str(target.path))


@cache
def _renameat2() -> _Rename:
    library = ctypes.CDLL(None, use_errno=True)
    signature = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    try:
        function = library.renameat2
    except AttributeError:
        return _by_number(library, signature)
    function.argtypes = signature
    return function


def _by_number(library: ctypes.CDLL, signature: tuple[type, ...]) -> _Rename:
    number = _SYSCALL_NUMBERS.get(platform.machine())
    if number is None:
        return _unknown_here
    function = library.syscall
    function.argtypes = (ctypes.c_long, *signature)

    def rename(*arguments: int | bytes) -> int:
        return int(function(number, *arguments))

    return rename


def _unknown_here(*_: int | bytes) -> int:
    ctypes.set_errno(errno.ENOSYS)
    return -1
