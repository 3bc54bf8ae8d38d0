"""The filing protocol: from judged pictures to files in folders, through the journal.

``Filer`` files the daemon's batches, ``recover`` completes what a dead mover left. Inside:
``batch`` takes whoever moves files through the journal, ``destination`` decides a name, ``mover``
acts on many files, ``place`` on one.
"""

from imgsort.filing.errand import Done
from imgsort.filing.filer import Filer
from imgsort.filing.mover import Load, Mover
from imgsort.filing.planning import JudgedPicture
from imgsort.filing.recovery import Recovered, recover, recover_locked

__all__ = [
    "Done",
    "Filer",
    "JudgedPicture",
    "Load",
    "Mover",
    "Recovered",
    "recover",
    "recover_locked",
]
