"""The filing protocol: from judged pictures to files in folders, through the journal.

A batch is planned and written down in one transaction (*TX1*), then each file is *placed*, never
onto another one, then what *landed* is written down (*TX2*). *Recovery* completes or undoes what a
dead mover left. A *destination* is an unused name; *sidecars* travel with their picture; a
*refusal* is why one file stayed where it was.

``Filer`` files the daemon's batches, ``relocate`` brings logged pictures elsewhere; whoever moves
pictures takes them through ``batch``, but for recovery.
"""

from imgsort.filing.errand import Done
from imgsort.filing.filer import Filer
from imgsort.filing.inbox_picture import Candidate, InboxPicture
from imgsort.filing.mover import Load, Mover
from imgsort.filing.recovery import Recovered, recover, recover_locked

__all__ = [
    "Candidate",
    "Done",
    "Filer",
    "InboxPicture",
    "Load",
    "Mover",
    "Recovered",
    "recover",
    "recover_locked",
]
