"""systemd units for a workspace: what they say, and putting them in place."""

from imgsort.units.installed import Placed, folders_of, install, uninstall
from imgsort.units.plan import Account, Plan, account_of, libraries_here, program_here
from imgsort.units.rendered import rendered

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
