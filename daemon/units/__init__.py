"""systemd units for a workspace: what they say, and putting them in place."""

from imgsort.daemon.units.plan import Account, Plan, account_of, libraries_here, program_here
from imgsort.daemon.units.rendered import rendered
from imgsort.daemon.units.unit_files import Placed, folders_of, install, uninstall

__all__ = [
    "Account",
    "Placed",
    "Plan",
    "account_of",
    "folders_of",
    "install",
    "libraries_here",
    "program_here",
    "rendered",
    "uninstall",
]
