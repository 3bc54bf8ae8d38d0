"""Every failure a user can meet: one sentence that says what happened and what to do next.

A class's docstring is its default message. ``imgsort.cli`` is the only place that prints them.
"""

from pathlib import Path


class ImgsortError(Exception):
    """Something imgsort expected could not be done."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class WorkspaceMissing(ImgsortError):
    """There is no imgsort workspace here; make one with `imgsort init`."""


class WorkspaceProblem(ImgsortError):
    """A folder of the workspace is missing or can't be used; run `imgsort check-config`."""


class WorkspaceBusy(ImgsortError):
    """Another imgsort daemon holds this workspace; stop it first."""

    exit_code = 73


class ConfigProblem(ImgsortError):
    """config.toml doesn't fit; correct it and run `imgsort check-config`."""

    exit_code = 78


class DatabaseProblem(ImgsortError):
    """The database doesn't fit this program; run `imgsort migrate`."""

    exit_code = 78


class BadLabel(ImgsortError):
    """That can't be a class name; use a plain folder name."""


class WordProblem(ImgsortError):
    """A class name means several things, or overlaps another; say which one is meant."""


class WeightsMissing(ImgsortError):
    """The backbone's weights are not on this machine; give them with --weights FILE.

    ``without_choice`` is the sentence for who must have this backbone and no other.
    """

    def __init__(self, sentence: str, without_choice: str | None = None) -> None:
        super().__init__(sentence)
        self.without_choice = without_choice or sentence


class ModelProblem(ImgsortError):
    """The model can't be used; activate another with `imgsort models activate V`."""


class RuntimeUnavailable(ImgsortError):
    """This machine can't run the model that way; set model.device to "auto" in config.toml."""


class DecoderUnavailable(ImgsortError):
    """No picture can be opened here; set TMPDIR to a folder with a short name, such as /tmp."""

    exit_code = 78


class NothingToDo(ImgsortError):
    """There is nothing to do."""

    exit_code = 4


class RetrainBusy(ImgsortError):
    """Another `imgsort retrain` is at work in this workspace; wait until it is done."""


class StoreFull(ImgsortError):
    """The disk that holds the database is full; make room on it."""


class StoreBusy(ImgsortError):
    """Another program has kept the database locked for 30 seconds; close it, or wait for it."""


class StoreBroken(ImgsortError):
    """The database could not be read or written; look after the disk, then start imgsort again."""


class FilingPaused(ImgsortError):
    """A folder can't take pictures at present; they wait in the inbox until it can."""

    def __init__(self, folder: Path, reason: str, *, alone: bool = False) -> None:
        """``reason`` says what is wrong and what to do, without a full stop. ``alone``: it is
        this folder's own trouble, others may well take pictures."""
        self.folder = folder
        self.reason = reason
        self.alone = alone
        super().__init__(f"{folder} can't take pictures: {reason}; they wait in the inbox.")


class StorageFailed(ImgsortError):
    """The disk refused to keep what was written; look after it, then start imgsort again."""


class BackupProblem(ImgsortError):
    """The backup can't be made or used; see `imgsort doctor`, or take another one."""


class BackfillProblem(ImgsortError):
    """The archive can't be classified that way; see `imgsort backfill --help`."""


class BackfillMisused(BackfillProblem):
    """The command doesn't fit the archive; see `imgsort backfill --help`."""

    exit_code = 2


class BackfillBusy(BackfillProblem):
    """Another `imgsort backfill` is at this job; wait until it is done."""

    exit_code = 73


class UnitProblem(ImgsortError):
    """The service can't be installed that way; see `imgsort service install --help`."""


class BadSince(ImgsortError):
    """--since needs a date such as 2026-11-22, a time such as 2026-11-22T18:30, or 30m, 24h, 7d."""

    exit_code = 2
