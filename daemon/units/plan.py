"""What is to be installed: for which workspace, under whose name, with which program."""

import grp
import os
import pwd
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgsort.errors import UnitProblem
from imgsort.workspace.workspace import Workspace

Scope = Literal["system", "user"]
SHARED_ACCOUNT = "imgsort"
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


@dataclass(frozen=True, slots=True)
class Account:
    """Who the daemon runs as: a name, or a number where the system has no name for it."""

    user: str
    group: str


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """Everything that the units' text depends on. Paths are absolute, links resolved."""

    name: str
    """Of the service, without ``.service``."""
    scope: Scope
    workspace: Path
    picture_folders: tuple[Path, ...]
    program: Path
    """The `imgsort` command. Not resolved: a virtual environment is known by its own path."""
    account: Account
    shared: bool = False
    gpu: bool = False
    loopback: bool = False
    """Whether this machine's own network may be used, for metrics by HTTP."""
    other_folders: tuple[Path, ...] = ()
    """What else it writes to: backups, metrics."""
    review: bool = False
    """Whether the page in the browser is kept running too."""
    new_labels: int = 20
    libraries: tuple[Path, ...] = ()
    """Other places that the program is loaded from."""

    @property
    def writable(self) -> tuple[Path, ...]:
        """The workspace, and folders that config.toml has put elsewhere."""
        folders = dict.fromkeys((*self.picture_folders, *self.other_folders))
        return self.workspace, *(
            folder for folder in folders if not folder.is_relative_to(self.workspace)
        )

    @property
    def in_a_home(self) -> bool:
        """Whether hiding the homes would hide something that is needed."""
        needed = (*self.writable, self.program, *self.libraries)
        return any(path.is_relative_to(home) for path in needed for home in _HOMES)

    @property
    def services(self) -> tuple[str, ...]:
        """What is switched on: the daemon, the timer and the page."""
        page = (self.review_service,) if self.review else ()
        return f"{self.name}.service", f"{self.name}-retrain.timer", *page

    @property
    def review_service(self) -> str:
        return f"{self.name}-review.service"


def program_here() -> Path:
    """The `imgsort` command of the Python that runs. Raises UnitProblem where there is none."""
    program = Path(sys.executable).with_name("imgsort")
    if not os.access(program, os.X_OK):
        raise UnitProblem(
            f"{program} is missing, so there is no command for the service to start; install "
            f"imgsort with pip, or name the command with --program."
        )
    return program


def libraries_here() -> tuple[Path, ...]:
    """Where this Python and this imgsort are loaded from."""
    places = (sys.prefix, sys.base_prefix, Path(__file__).parents[2])
    return tuple(dict.fromkeys(Path(place).resolve() for place in places))


def account_of(workspace: Workspace, scope: Scope, *, shared: bool) -> Account:
    """The owner of the workspace, or the account for shared ones. Raises UnitProblem."""
    if shared:
        return Account(SHARED_ACCOUNT, SHARED_ACCOUNT)
    status = workspace.root.stat()
    if scope == "user":
        if status.st_uid != os.geteuid():
            raise UnitProblem(
                f"{workspace.root} belongs to {_user(status.st_uid)}, and a user's service runs as "
                f"that user; type this as {_user(status.st_uid)}."
            )
    elif status.st_uid == 0:
        raise UnitProblem(
            f"{workspace.root} belongs to root, and what opens strangers' pictures should not run "
            f"as root; give it to its user with `chown -R USER {workspace.root}`, or add --shared."
        )
    return Account(_user(status.st_uid), _group(status.st_uid, status.st_gid))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(uid: int, gid: int) -> str:
    """The user's own group; the folder's where the user has no name."""
    with suppress(KeyError):
        gid = pwd.getpwuid(uid).pw_gid
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
