"""A name that every file system can have: FAT, exFAT, NTFS and SMB know fewer characters. Pure."""

import re

_ELSEWHERE_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f\udc80-\udcff]')


def portable(name: str) -> str:
    """``name`` with an underscore for what those don't know, bytes that aren't UTF-8 among it."""
    return _ELSEWHERE_FORBIDDEN.sub("_", name).rstrip(" .") or "_"
