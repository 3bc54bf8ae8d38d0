"""rename() that never replaces anything: renameat2(2) with RENAME_NOREPLACE, and what stands in
for it on network and FUSE file systems, which don't know that."""

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
NO_LINKS = UNSUPPORTED | {errno.EPERM, errno.EMLINK}
"""What file systems without hard links answer, and the kernel where it may not link another's
file (fs.protected_hardlinks)."""

Way = Callable[[Spot, Spot], None]
"""How a file at one place comes to another, which must be free."""

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


def link(source: Spot, target: Spot) -> None:
    """Give the file a second name, which replaces nothing. Raises OSError: FileExistsError, EXDEV,
    one of NO_LINKS."""
    os.link(
        source.name,
        target.name,
        src_dir_fd=source.folder.descriptor,
        dst_dir_fd=target.folder.descriptor,
        follow_symlinks=False,
    )


def rename_looking(source: Spot, target: Spot) -> None:
    """Look, then rename: for file systems that can do neither of the above. The filing lock keeps
    imgsort's own programs apart; another program has microseconds. Raises OSError."""
    if target.folder.holds(target.name):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target.path))
    os.rename(
        source.name,
        target.name,
        src_dir_fd=source.folder.descriptor,
        dst_dir_fd=target.folder.descriptor,
    )


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
