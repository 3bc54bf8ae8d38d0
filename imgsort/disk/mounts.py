"""Which file system does a folder lie on? Read from /proc/self/mountinfo (proc(5))."""

import re
from pathlib import Path

NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "fuse.sshfs",
        "fuse.rclone",
        "fuse.glusterfs",
    }
)


def type_of(folder: Path) -> str:
    """The kernel's name for the file system (ext4, nfs4, fuse.sshfs…), or "unknown"."""
    wanted = folder.stat().st_dev
    number = f"{wanted >> 8 & 0xFFF}:{wanted & 0xFF | wanted >> 12 & 0xFFF00}"
    resolved = folder.resolve()
    best, found = -1, "unknown"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return found
    for line in lines:
        fields, _, tail = line.partition(" - ")
        _, _, device, _, mounted, *_ = fields.split(" ")
        point = Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), mounted))
        if not resolved.is_relative_to(point):
            continue
        # Two mounts can stand at one point; the device tells which is on top.
        depth = 2 * len(point.parts) + (device == number)
        if depth >= best:
            best, found = depth, tail.split(" ")[0]
    return found


def is_network(folder: Path) -> bool:
    """True where inotify stays silent and SQLite's locks can't be trusted."""
    return type_of(folder) in NETWORK


def is_event_blind(folder: Path) -> bool:
    """True where changes made elsewhere raise no inotify event: network and FUSE file systems."""
    kind = type_of(folder)
    return kind in NETWORK or kind.startswith("fuse")
