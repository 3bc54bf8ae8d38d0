"""Every failure a user can meet: one sentence that says what happened and what to do next.

A class's docstring is its default message. ``imgsort.cli`` is the only place that prints them.
"""


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
    """The backbone's weights are not on this machine; give them with --weights FILE."""


class ModelProblem(ImgsortError):
    """The model can't be used; activate another with `imgsort models activate V`."""


class RuntimeUnavailable(ImgsortError):
    """This machine can't run the model that way; set model.device to "auto" in config.toml."""


class NothingToDo(ImgsortError):
    """There is nothing to do."""

    exit_code = 4
