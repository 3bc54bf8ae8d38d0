"""systemd units for a workspace: what they say, and putting them in place."""

from imgsort.daemon.units.plan import Account, UnitPlan, account_of, libraries_here, program_here
from imgsort.daemon.units.rendered import rendered
from imgsort.daemon.units.unit_files import PlacedUnit, folders_of, install, uninstall

__all__ = [
    "Account",
    "PlacedUnit",
    "UnitPlan",
    "account_of",
    "folders_of",
    "install",
    "libraries_here",
    "program_here",
    "rendered",
    "uninstall",
]
