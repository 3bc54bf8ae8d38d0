"""`backfill`: an archive, classified where it lies."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgsort.cli.app import Here, Json, app, opened, reported, say
from imgsort.cli.archive_progress import Bar
from imgsort.cli.groups import Whole
from imgsort.cli.output import counted, print_json, print_pairs
from imgsort.disk.display import display
from imgsort.errors import BackfillMisused, NothingToDo

if TYPE_CHECKING:
    from imgsort.backfill.beginning import Archive, Wish
    from imgsort.backfill.job import Job
    from imgsort.backfill.put_away import FilingMode
    from imgsort.backfill.run import Engine, Ran
    from imgsort.backfill.units import Shard
    from imgsort.workspace.workspace import Workspace

_SHOWN = 5


class WithDefault(Whole):
    """A group whose own name is short for one of its commands."""

    default_command = "start"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in {"--help", "-h"}:
            args = [self.default_command, *args]
        return super().parse_args(ctx, args)


class EngineChoice(StrEnum):
    LOCAL = "local"
    RAY = "ray"


class LogChoice(StrEnum):
    FULL = "full"
    NONE = "none"


class FileChoice(StrEnum):
    MOVE = "move"
    COPY = "copy"


backfill_app = typer.Typer(
    cls=WithDefault,
    no_args_is_help=True,
    help="Classify an archive where it lies: `imgsort backfill SOURCE`, resumable after any kill.",
)
app.add_typer(backfill_app, name="backfill")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The job's name.", show_default=False)]
EngineOption = Annotated[
    EngineChoice, typer.Option("--engine", help="This machine alone, or a Ray cluster.")
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="A",
        help="Of the Ray cluster: auto, or host:port; without it Ray is started here.",
        show_default=False,
    ),
]
FileOption = Annotated[
    FileChoice | None,
    typer.Option("--file", help="File the pictures into sorted/ as well.", show_default=False),
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Move more than 100,000 pictures without being asked.")
]


@backfill_app.command("start")
@reported
def start(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A folder, an address such as s3://bucket/prefix, or a list (CSV, Parquet, the "
            "manifest.json of an S3 Inventory).",
            show_default=False,
        ),
    ],
    job: Annotated[
        str | None,
        typer.Option("--job", metavar="NAME", help="What the job is called.", show_default=False),
    ] = None,
    engine: EngineOption = EngineChoice.LOCAL,
    address: AddressOption = None,
    shard: Annotated[
        str,
        typer.Option("--shard", metavar="I/N", help="Do the I-th of N parts of the job alone."),
    ] = "1/1",
    limit: Annotated[
        int | None,
        typer.Option("--limit", help="Only the first so many pictures.", min=1, show_default=False),
    ] = None,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Keep what the network saw in each picture.")
    ] = False,
    log: Annotated[
        LogChoice, typer.Option("--log", help="Take the results into the log, or only Parquet.")
    ] = LogChoice.FULL,
    file: FileOption = None,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what there is to judge.")
    ] = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """What `imgsort backfill SOURCE` is short for; the same command goes on after a kill."""
    workspace = opened(context, here)
    _require(engine)
    from imgsort.backfill.beginning import Wish, archive_at, begun
    from imgsort.backfill.run import run
    from imgsort.backfill.units import Shard

    part, wish = Shard.parse(shard), Wish(source, job, limit, embeddings)
    archive = archive_at(workspace, source)
    _refuse_filing(archive, part, file)
    if dry_run:
        _count_only(workspace, archive, wish, as_json)
        return
    with Bar(as_json) as bar:
        mine = begun(workspace, wish, bar.listed)
        if file is not None:
            _refuse_many(mine, file, yes)
        ran = run(mine, _engine(workspace, engine, address), part, bar)
    _finish(workspace, mine, ran, part, log if part.is_whole else LogChoice.NONE, file, as_json)


@backfill_app.command("status")
@reported
def status(context: typer.Context, name: Name, here: Here = None, as_json: Json = False) -> None:
    """Units done, left and failed, the rate, and the hours to go."""
    workspace = opened(context, here)
    _require(EngineChoice.LOCAL)
    from imgsort.backfill.job import Job, folder_of
    from imgsort.backfill.state import state_of

    job = Job.open(folder_of(workspace, name))
    state = state_of(job)
    if as_json:
        print_json(state.as_dict())
        return
    print_pairs(state.pairs())
    for failure in state.failed[:_SHOWN]:
        say(f"Unit {failure.unit} was left out: {failure.reason}")


@backfill_app.command("ingest")
@reported
def ingest(
    context: typer.Context,
    name: Name,
    file: FileOption = None,
    yes: Yes = False,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Take a job's results into the log, each once; --file files the pictures as well."""
    workspace = opened(context, here)
    _require(EngineChoice.LOCAL)
    from imgsort.backfill.job import Job, folder_of

    job = Job.open(folder_of(workspace, name))
    if file is not None:
        _refuse_many(job, file, yes)
    told, trouble = _take_in(workspace, job, file)
    if as_json:
        print_json(told)
    else:
        for line in _lines_of(told):
            typer.echo(line)
    if trouble:
        raise typer.Exit(1)
    if not (told["parts"] or told.get("filed")):
        raise NothingToDo(
            f"All results of {display(job.name)} are in the log already; nothing is new."
        )


@backfill_app.command("retry")
@reported
def retry(
    context: typer.Context,
    name: Name,
    engine: EngineOption = EngineChoice.LOCAL,
    address: AddressOption = None,
    here: Here = None,
    as_json: Json = False,
) -> None:
    """Judge again what was left out: failed units, pictures that had changed or were not read."""
    workspace = opened(context, here)
    _require(engine)
    from imgsort.backfill.job import Job, folder_of
    from imgsort.backfill.run import retry
    from imgsort.backfill.units import Shard

    job = Job.open(folder_of(workspace, name))
    with Bar(as_json) as bar:
        ran = retry(job, _engine(workspace, engine, address), bar)
    _finish(workspace, job, ran, Shard(), LogChoice.NONE, None, as_json)


def _require(engine: EngineChoice) -> None:
    from imgsort.backfill.extras import require_backfill, require_ray

    require_ray() if engine is EngineChoice.RAY else require_backfill()


def _engine(workspace: "Workspace", choice: EngineChoice, address: str | None) -> "Engine":
    from imgsort.backfill.run import Engine

    settings = workspace.config.backfill
    if address is not None:
        settings = settings.model_copy(update={"address": address})
    return Engine("ray" if choice is EngineChoice.RAY else "local", settings)


def _refuse_filing(archive: "Archive", shard: "Shard", file: FileChoice | None) -> None:
    from imgsort.backfill.put_away import refuse_filing

    if file is None:
        return
    refuse_filing(archive.place, file.value, 0, sure=True)
    if not shard.is_whole:
        raise BackfillMisused(
            "A shard can't file (--file with --shard); when all shards are done, run `imgsort "
            "backfill ingest NAME --file`."
        )


def _refuse_many(job: "Job", file: FileChoice, yes: bool) -> None:
    from imgsort.backfill.put_away import refuse_filing

    refuse_filing(job.card.source, file.value, job.card.pictures, sure=yes)


def _count_only(workspace: "Workspace", archive: "Archive", wish: "Wish", as_json: bool) -> None:
    from imgsort.backfill.beginning import counted_only, in_words

    with Bar(as_json) as bar:
        found = counted_only(workspace, archive, wish, bar.listed)
    if as_json:
        print_json(found.as_dict())
        return
    left = in_words(found.skipped)
    typer.echo(
        f"{counted(found.pictures, 'picture')} in {display(archive.place)}, "
        f"{found.size / 1e9:,.1f} GB as far as is known; {counted(found.units, 'unit')}. Nothing "
        f"was judged or written."
    )
    if left:
        typer.echo(f"Not judged: {left}.")


def _take_in(
    workspace: "Workspace", job: "Job", file: FileChoice | None
) -> tuple[dict[str, Any], bool]:
    """What was taken into the log and filed; and whether something was left out."""
    from imgsort.backfill.ingest import ingest
    from imgsort.backfill.put_away import put_away
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as store:
        with Bar(False, "into the log") as bar:
            bar.begins(0, job.card.pictures)
            taken = ingest(job, store, bar.judged)
        told: dict[str, Any] = {
            "parts": taken.parts,
            "pictures": taken.pictures,
            "known_parts": taken.known,
            "refused_parts": taken.bad,
        }
        for sentence in taken.bad:
            say(sentence)
        trouble = bool(taken.bad)
        if file is not None and not taken.bad:
            mode: FilingMode = "move" if file is FileChoice.MOVE else "copy"
            with Bar(False, "filing") as bar:
                bar.begins(0, job.card.pictures)
                done = put_away(workspace, store, job, mode, bar.judged)
            told |= {"mode": mode, "filed": done.filed, "filed_before": done.known}
            told["stayed"] = done.stayed
            for path, reason in done.left:
                say(f"{path}: {reason}.")
            trouble = done.stayed > 0
    return told, trouble


def _lines_of(told: dict[str, Any]) -> list[str]:
    """What `ingest` did, for people."""
    log = f"{counted(told['pictures'], 'picture')} taken into the log (archive_log)"
    if told["known_parts"]:
        log += f"; {counted(told['known_parts'], 'part')} were there already"
    lines = [f"{log}."]
    if "filed" in told:
        how = "moved" if told["mode"] == "move" else "copied"
        left = f", {told['stayed']:,} stayed where they are" if told["stayed"] else ""
        lines.append(f"{counted(told['filed'], 'picture')} {how} into their folders{left}.")
    return lines


def _finish(
    workspace: "Workspace",
    job: "Job",
    ran: "Ran",
    shard: "Shard",
    log: LogChoice,
    file: FileChoice | None,
    as_json: bool,
) -> None:
    """The report, and the log; the exit code says whether something was left out."""
    from imgsort.backfill.account import Report
    from imgsort.backfill.tally import tallied

    report = Report(job, ran, tallied(job) if shard.is_whole else None, shard)
    told: dict[str, Any] = {}
    trouble = report.is_incomplete
    if (log is LogChoice.FULL or file is not None) and not ran.stopped:
        told, left_out = _take_in(workspace, job, file)
        trouble |= left_out
    if as_json:
        print_json(report.as_dict() | {"log": told})
    else:
        for line in [*report.lines(), *(_lines_of(told) if told else ())]:
            typer.echo(display(line))
    for sentence in report.troubles():
        say(sentence)
    if trouble:
        raise typer.Exit(1)
    if not (ran.units or told.get("parts") or told.get("filed")):
        raise typer.Exit(NothingToDo.exit_code)
