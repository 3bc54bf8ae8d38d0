"""Ask the kernel whether anybody has a file open for writing."""

import errno
import fcntl
import signal

from imgsort.daemon.inbox.settle import Writer


def writer_of(descriptor: int) -> Writer:
    """Take a read lease on a read-only descriptor, which ends as the caller closes it, at once
    (fcntl(2), "Leases").

    The kernel refuses it with EAGAIN while any process has the file open for writing, or mapped
    writable. Only the owner may ask (EACCES); some file systems don't know leases (EINVAL).
    """
    try:
        # A writer who opens the file within these microseconds breaks the lease; its notice would
        # be SIGIO, which kills. SIGURG is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as refusal:
        return Writer.OPEN if refusal.errno == errno.EAGAIN else Writer.UNKNOWN
    return Writer.NONE
