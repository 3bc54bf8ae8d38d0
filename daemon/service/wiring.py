"""Build the daemon from its parts, in the order in which they may touch the workspace."""

from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from imgsort.daemon.corrections import Corrections
from imgsort.daemon.daily_backup import Backups
from imgsort.daemon.inbox.copied_before import Originals
from imgsort.daemon.inbox.empty_folders import Tidier
from imgsort.daemon.inbox.file_kinds import NameRules
from imgsort.daemon.inbox.folder_guard import FolderGuard
from imgsort.daemon.inbox.source import Source, SourceSettings
from imgsort.daemon.inbox.watcher import Watcher
from imgsort.daemon.int8_form import Int8Form
from imgsort.daemon.log_output import LOG, Notices
from imgsort.daemon.pipeline.active_model import ActiveModel
from imgsort.daemon.pipeline.embedding_writer import EmbeddingKeeper
from imgsort.daemon.pipeline.inference import ModelInference
from imgsort.daemon.pipeline.pipeline import Pace, Pipeline, Stages
from imgsort.daemon.pipeline.sent_back import SentBack
from imgsort.daemon.reporting.progress import Board
from imgsort.daemon.service.malloc import settle_collector, settle_heap
from imgsort.errors import DatabaseProblem
from imgsort.filing import Filer, recover
from imgsort.images.pool import DecoderPool, open_decoder
from imgsort.models.backbones import BACKBONES
from imgsort.models.serving import Serving, active_card, open_serving
from imgsort.store import Store
from imgsort.workspace.config import Config
from imgsort.workspace.workspace import Workspace


@dataclass
class Works:
    """Everything that runs, wired together."""

    workspace: Workspace
    store: Store
    run_id: int
    decoder: DecoderPool
    model: ActiveModel
    watcher: Watcher
    source: Source
    tidier: Tidier
    board: Board
    corrections: Corrections
    keeper: EmbeddingKeeper
    pipeline: Pipeline
    backups: Backups
    int8_form: Int8Form
    once: bool


def wired(workspace: Workspace, stack: ExitStack, *, once: bool) -> Works:
    """Open all of it; ``stack`` closes it again. Raises what ``run`` says."""
    settle_heap()
    config, notices = workspace.config, Notices()
    ground = FolderGuard((*workspace.picture_folders[1:], workspace.state))
    store = stack.enter_context(_sound_store(workspace))
    recovered = recover(workspace, store)
    if recovered.landed or recovered.redone or recovered.dropped:
        LOG.info("completed what an earlier run left behind: %s", recovered)
    run_id = store.runs.begin("run")
    corrections = Corrections(workspace, store, run_id, ground, notices)
    corrections.look_first()
    decoder, serving = _engines(workspace, store, stack)
    originals = Originals(store, workspace.inbox) if config.filing.mode == "copy" else None
    watcher = Watcher(workspace.inbox, notices, always_poll=config.watch.poll == "always")
    source = Source(
        workspace.inbox,
        source_settings(config),
        watcher,
        notices,
        once=once,
        known=None if originals is None else originals.known,
    )
    tidier = Tidier(workspace.inbox)
    board = Board(source, ground, tidier, notices)
    model = ActiveModel(workspace, store, serving)
    int8_form = Int8Form(workspace, store, model, notices)
    stack.callback(int8_form.stop)
    corrections.decoder, corrections.renamed = decoder, model.look_soon
    stack.callback(corrections.stop)
    limit = config.learning.embeddings_max_gb
    keeper = stack.enter_context(
        EmbeddingKeeper(workspace.embeddings, limit, lambda: store.labels.current().keys(), notices)
    )
    inference = SentBack(ModelInference(store.predictions, model.current, keeper), store, run_id)
    backups = Backups(workspace, notices)
    stack.callback(backups.stop)
    stages = Stages(decoder, inference, Filer(workspace, store, run_id))
    if originals is not None:
        stages = replace(stages, recognised=originals.recognised)
    pipeline = Pipeline(source.arrivals(), stages, board, pace_of(config))
    settle_collector()
    return Works(
        workspace=workspace,
        store=store,
        run_id=run_id,
        decoder=decoder,
        model=model,
        watcher=watcher,
        source=source,
        tidier=tidier,
        board=board,
        corrections=corrections,
        keeper=keeper,
        pipeline=pipeline,
        backups=backups,
        int8_form=int8_form,
        once=once,
    )


def _sound_store(workspace: Workspace) -> Store:
    store = Store.open(workspace.database, root=workspace.root, checkpointer=True)
    problems = store.integrity()
    if problems:
        store.close()
        raise DatabaseProblem(
            f"{workspace.database} is damaged ({problems[0]}); bring a backup back with "
            f"`imgsort restore FILE`: no picture has been touched."
        )
    return store


def _engines(workspace: Workspace, store: Store, stack: ExitStack) -> tuple[DecoderPool, Serving]:
    """The decoder's processes start while the model is loaded."""
    config = workspace.config
    size = BACKBONES[active_card(workspace).backbone].input_size
    decoder = stack.enter_context(
        open_decoder(config.decode, size, store.attempts, workspace.picture_folders)
    )
    serving = open_serving(workspace, store)
    serving.runtime.embed(np.zeros((1, size, size, 3), np.uint8))
    # Between two heads' products BLAS threads wait by spinning: 2 ms of a core an image.
    stack.enter_context(threadpool_limits(limits=1, user_api="blas"))
    return decoder, serving


def source_settings(config: Config) -> SourceSettings:
    """What the source takes from the configuration."""
    watch = config.watch
    names = NameRules(config.decode.suffixes, watch.ignore, config.filing.sidecars)
    return SourceSettings(names, watch.settle_seconds, watch.scan_seconds, watch.reject_seconds)


def pace_of(config: Config) -> Pace:
    """How batches are formed."""
    return Pace(config.model.batch_size, config.model.batch_wait_ms / 1000)
