"""The filing protocol: from judged pictures to files in folders, through the journal.

``Filer`` files the daemon's batches, ``recover`` completes what a dead mover left. Inside:
``destination`` decides a name, ``place`` acts on one file, ``mover`` on a batch.
"""

from imgsort.filing.filer import Filer, Result
from imgsort.filing.mover import Load, Mover
from imgsort.filing.planning import JudgedPicture
from imgsort.filing.recovery import Recovered, recover, recover_locked

__all__ = [
    "Filer",
    "JudgedPicture",
    "Load",
    "Mover",
    "Recovered",
    "Result",
    "recover",
    "recover_locked",
]
