"""config.toml: read once, checked whole, then handed on frozen.

Unknown keys, wrong types and values that contradict each other are all told at once, each with the
file, the key and the value.
"""

import difflib
import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from imgsort.errors import ConfigProblem
from imgsort.images import MORE_NAMES, READABLE_SUFFIXES, suffixes_of
from imgsort.workspace.template import BadTemplate, Template
from imgsort.workspace.toml_slips import plainly

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
FIRST_CONFIDENCE = 0.7


def _unset(value: object) -> object:
    """TOML has no null."""
    return None if value == "auto" else value


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FoldersSettings(Section):
    """Where pictures lie; relative to the workspace, or absolute."""

    inbox: str = "inbox"
    sorted: str = "sorted"
    unsure: str = "unsure"
    rejected: str = "rejected"

    @model_validator(mode="after")
    def _apart(self) -> Self:
        named = {key: PurePosixPath(value) for key, value in self}
        for key, path in named.items():
            if not str(path) or str(path) == "." or ".." in path.parts:
                raise ValueError(f"{key} = {str(path)!r} must name a folder without '..'")
            if "\0" in str(path):
                raise ValueError(f"{key} = {str(path)!r} has a NUL byte, which no name has")
            if path.parts[0] == "state":
                raise ValueError(f"{key} = {str(path)!r} lies inside state/, which imgsort keeps")
        for key, path in named.items():
            for other, elsewhere in named.items():
                if key != other and (path == elsewhere or path in elsewhere.parents):
                    raise ValueError(f"{key} = {str(path)!r} contains {other} = {str(elsewhere)!r}")
        return self


class WatchSettings(Section):
    """How new pictures are noticed."""

    scan_seconds: Positive = 30.0
    settle_seconds: Annotated[float, Field(ge=0.1)] = 1.0
    reject_seconds: Annotated[float, Field(ge=0)] = 15.0
    poll: Literal["auto", "always"] = "auto"
    ignore: tuple[str, ...] = ()

    @field_validator("ignore", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class DecodeSettings(Section):
    """What a picture may cost at most; beyond that it goes to rejected/."""

    workers: Annotated[int, Field(ge=0, le=64)] = 0
    timeout_seconds: Positive = 20.0
    memory_mb: Annotated[int, Field(ge=256)] = 1024
    max_megapixels: Positive = 64.0
    max_file_mb: Positive = 256.0
    more_formats: tuple[str, ...] = ()

    @field_validator("more_formats", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        for one in value:
            if str(one) not in MORE_NAMES:
                close = difflib.get_close_matches(str(one).lower(), MORE_NAMES, n=1)
                hint = f"; write {close[0]!r}" if close else ""
                raise ValueError(f"knows {', '.join(map(repr, MORE_NAMES))}, not {one!r}{hint}")
        return tuple(value)

    @property
    def suffixes(self) -> frozenset[str]:
        """Of the files that are read, lower case and with their dot."""
        return READABLE_SUFFIXES | suffixes_of(self.more_formats)


class ModelSettings(Section):
    """How pictures are judged."""

    backbone: Literal["resnet50", "efficientnet-lite0"] = "resnet50"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    confidence: Annotated[Share | None, BeforeValidator(_unset)] = None
    """A floor under the thresholds of every model; None ("auto") is none."""
    top_k: Annotated[int, Field(ge=1, le=100)] = 5
    batch_size: Annotated[int, Field(ge=1, le=1024)] = 32
    batch_wait_ms: Annotated[int, Field(ge=0, le=60_000)] = 100

    @property
    def first_confidence(self) -> float:
        """From which on a model files that has learned no thresholds of its own."""
        return FIRST_CONFIDENCE if self.confidence is None else self.confidence


class FilingSettings(Section):
    """Where a judged picture goes."""

    mode: Literal["move", "copy"] = "move"
    template: str = "{label}/{name}"
    remove_empty_subfolders: bool = False
    sidecars: tuple[str, ...] = (".xmp", ".json", ".txt", ".aae", ".thm")
    write_xmp: bool = False

    @field_validator("sidecars", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("template")
    @classmethod
    def _parses(cls, value: str) -> str:
        try:
            Template.parse(value)
        except BadTemplate as problem:
            raise ValueError(str(problem)) from None
        return value


class LearningSettings(Section):
    """What retraining aims at, and what is kept for it."""

    target_precision: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    gate_margin: Annotated[float, Field(ge=0, le=0.5)] = 0.02
    embeddings_max_gb: Annotated[float, Field(ge=0)] = 4.0


class BackupSettings(Section):
    """Copies of what pictures can't be made from again."""

    daily: bool = True
    keep: Annotated[int, Field(ge=1)] = 7
    folder: str = "backups"

    @field_validator("folder")
    @classmethod
    def _named(cls, value: str) -> str:
        return _folder_name(value)


class RetentionSettings(Section):
    """What may go after a while; 0 keeps it for ever."""

    rejected_days: Annotated[float, Field(ge=0)] = 0.0
    trash_days: Annotated[float, Field(ge=0)] = 0.0
    keep_models: Annotated[int, Field(ge=0)] = 0


class BackfillSettings(Section):
    """How an archive is classified where it lies."""

    folder: str = "backfill"
    unit_images: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    retries: Annotated[int, Field(ge=0, le=100)] = 2
    address: str = ""
    actors: Annotated[int, Field(ge=0)] = 0
    cpus_per_actor: Annotated[float, Field(gt=0)] = 2.0
    gpus_per_actor: Annotated[float, Field(ge=0)] = 0.0

    @field_validator("folder")
    @classmethod
    def _named(cls, value: str) -> str:
        return _folder_name(value)


class LogSettings(Section):
    """What the daemon says about itself, on stderr (the journal under systemd)."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class MetricsSettings(Section):
    """What the daemon says about itself in figures, for Prometheus."""

    textfile: str = "state/metrics.prom"
    port: Annotated[int, Field(ge=0, le=65535)] = 0

    @field_validator("textfile")
    @classmethod
    def _is_a_prom_file(cls, value: str) -> str:
        path = PurePosixPath(value)
        if value and (path.suffix != ".prom" or ".." in path.parts or "\0" in value):
            raise ValueError("a name that ends in .prom and has no '..', or \"\" for none")
        return value


class ReviewSettings(Section):
    """The page in the browser."""

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    thumbnails_max_mb: Annotated[float, Field(ge=0)] = 500.0


class AlertSettings(Section):
    """When people outside are told, and how. 0 is off."""

    command: tuple[str, ...] = ()
    webhook: str = ""
    minutes: Annotated[float, Field(gt=0, le=1440)] = 2.0
    unsure_over: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rejected_over: Annotated[float, Field(ge=0, lt=1)] = 0.0
    nothing_minutes: Annotated[float, Field(ge=0)] = 0.0
    paused_minutes: Annotated[float, Field(ge=0)] = 0.0
    drift: bool = False

    @field_validator("command", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("webhook")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/]\S*", value):
            raise ValueError('must begin with https:// or http://, or be "" for none')
        return value


class Config(Section):
    folders: FoldersSettings = FoldersSettings()
    watch: WatchSettings = WatchSettings()
    decode: DecodeSettings = DecodeSettings()
    model: ModelSettings = ModelSettings()
    filing: FilingSettings = FilingSettings()
    learning: LearningSettings = LearningSettings()
    backup: BackupSettings = BackupSettings()
    retention: RetentionSettings = RetentionSettings()
    backfill: BackfillSettings = BackfillSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    alert: AlertSettings = AlertSettings()
    review: ReviewSettings = ReviewSettings()


def _folder_name(value: str) -> str:
    path = PurePosixPath(value)
    if str(path) == "." or ".." in path.parts or "\0" in value:
        raise ValueError("must name a folder without '..'")
    return value


def load_config(path: Path) -> Config:
    """Read and check a config.toml. Raises ConfigProblem naming every problem in it."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigProblem(
            f"{path} is missing; put it back, or make a workspace with `imgsort init`."
        ) from None
    except UnicodeDecodeError as problem:
        raise ConfigProblem(
            f"{path} is not UTF-8 text (byte {problem.start}); save it as UTF-8."
        ) from None
    except tomllib.TOMLDecodeError as problem:
        said = plainly(text)
        if said is not None:
            raise ConfigProblem(f"{path}: {said}.") from None
        raise ConfigProblem(f"{path} is not valid TOML: {problem}; correct that line.") from None
    except OSError as problem:
        raise ConfigProblem(
            f"{path} can't be read: {problem.strerror}; check its permissions."
        ) from None
    return parse_config(table, str(path))


def parse_config(table: dict[str, Any], source: str) -> Config:
    """Check a parsed table; ``source`` is how messages name the file."""
    try:
        return Config.model_validate(table)
    except ValidationError as problems:
        lines = [_sentence(source, dict(error)) for error in problems.errors()]
        raise ConfigProblem("\n".join(lines)) from None


def _sentence(source: str, error: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    given = "" if isinstance(error["input"], dict) else f" (is {error['input']!r})"
    if error["type"] == "extra_forbidden":
        return f"{source}: {key}: no such key{given}; {_remedy(error)}."
    reason = error["msg"].removeprefix("Value error, ")
    return f"{source}: {key}: {reason[0].lower()}{reason[1:]}{given}."


def _section_of(key: str) -> str | None:
    """The one section that has a key of this name; None where none has, or several."""
    found = [
        name
        for name, field in Config.model_fields.items()
        if key in getattr(field.annotation, "model_fields", {})
    ]
    return found[0] if len(found) == 1 else None


def _remedy(error: dict[str, Any]) -> str:
    """What to do about a key that doesn't exist."""
    *section, key = error["loc"]
    table: Section = Config()
    for name in section:
        table = getattr(table, name)
    if not isinstance(error["input"], dict) and (home := _section_of(key)) is not None:
        return f"it belongs under [{home}]"
    known = difflib.get_close_matches(key, type(table).model_fields, n=1)
    return f"write {known[0]}" if known else "see the sample config.toml for those there are"
