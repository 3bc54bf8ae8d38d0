"""The model in use: exchanged between batches when another is activated."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from imgsort.daemon.log_output import LOG, Notices
from imgsort.errors import ImgsortError, ModelProblem
from imgsort.models.registry import ModelCard, Registry
from imgsort.models.screening import Screen
from imgsort.models.serving import Serving, head_of, load_classifier, screen_of, serving_of
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

LOOK_SECONDS = 1.0
RETRY_SECONDS = 60.0
"""A model that can't be used is tried again, and told of again, this often."""


class ActiveModel:
    """Gives the serving for the next batch; a model that can't be loaded leaves the old one."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        serving: Serving,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspace = workspace
        self.serving = self._screened(serving)
        self.trouble: str | None = None
        """Why the active model is not the one in use."""
        self._store = store
        self._registry = Registry(workspace.models)
        self._clock = clock
        self._settled: int | None = serving.card.version
        """The version that was loaded, or refused, last."""
        self._names = self._present_names(serving.card)
        """What its classes were called when it was loaded, and which were retired."""
        self._next_look = clock() + LOOK_SECONDS
        self._retry_at = float("inf")
        self._notices = Notices(clock)
        self._asking = threading.Lock()
        self._screen: Screen | None = None
        """One that is offered, until it is taken or turns out to be for another head."""

    def offer(self, screen: Screen) -> None:
        """int8 may decide first, where its word counts: from the next batch on."""
        self._screen = screen

    def look_soon(self) -> None:
        """Something may have changed: look before the next batch."""
        self._next_look = 0.0

    def reconfigure(self, workspace: Workspace) -> None:
        """Go on under another configuration from the next batch on."""
        self._workspace = workspace
        self._settled = None
        self._next_look = 0.0

    def current(self) -> Serving:
        """Called by the infer stage, once a batch, of which two are judged side by side."""
        with self._asking:
            self._look()
            self._take_screen()
            return self.serving

    def _look(self) -> None:
        now = self._clock()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            version = self._registry.active()
            if now >= self._retry_at:
                self._settled = None
            card = self.serving.card
            if version is None or (version == card.version and not self._registry.is_whole(card)):
                self._miss()
            elif version != self._settled:
                self._settled = version
                self._exchange(version)
                self._retry_at = now + RETRY_SECONDS if self.trouble else float("inf")
            self._follow_names()

    def _take_screen(self) -> None:
        screen, self._screen = self._screen, None
        if screen is None or screen.head != head_of(self.serving.card):
            return
        self.serving = replace(self.serving, screen=screen)
        LOG.info(
            "%s decides first from now on, %s where it is close",
            *(screen.runtime.precision, self.serving.runtime.precision),
        )

    def _miss(self) -> None:
        """Its files are gone from the disk; it is all in memory, so pictures need not wait."""
        version = self.serving.card.version
        self.trouble = (
            f"the files of model v{version} are missing, it goes on from memory; put them back, "
            f"or activate another with `imgsort models activate V`"
        )
        self._notices.each_minute("missing", self.trouble)
        self._settled = None  # loaded and checked anew once they are back

    def _exchange(self, version: int) -> None:
        before = self.serving.card.version
        try:
            self.serving = self._loaded(version)
        except (ImgsortError, OSError, MemoryError) as problem:
            self.trouble = f"model v{version} can't be used, v{before} goes on: {problem}"
            LOG.error("%s", self.trouble)
        else:
            self.trouble = None
            self._names = self._present_names(self.serving.card)
            LOG.info("model v%d is in use", version)

    def _follow_names(self) -> None:
        """A class may have been renamed, retired or brought back, whoever noticed it first."""
        names = self._present_names(self.serving.card)
        if names == self._names:
            return
        self._names = names
        try:
            self.serving = self._loaded(self.serving.card.version)
        except ImgsortError as problem:
            self.trouble = f"what was done to the classes can't be followed: {problem}"
            LOG.error("%s", self.trouble)
        else:
            LOG.info("model v%d goes on under the present classes", self.serving.card.version)

    def _present_names(self, card: ModelCard) -> tuple[str | None, ...]:
        """None for a retired class."""
        names, retired = self._store.classes.names(), self._store.classes.retired()
        return tuple(
            None if entry.id in retired else names.get(entry.id, entry.name)
            for entry in card.classes
        )

    def _loaded(self, version: int) -> Serving:
        card, running = self._registry.card(version), self.serving.backbone
        if card.backbone_id == running.id:
            classifier = load_classifier(self._workspace, self._store, card)
            changed = self.serving.with_model(card, classifier)
            return self._screened(replace(changed, screen=self.serving.screen))
        opened = self._screened(serving_of(self._workspace, self._store, card))
        if opened.backbone.input_size != running.input_size:
            raise ModelProblem(
                f"It looks through the backbone {opened.backbone.id}, which takes pictures of "
                f"another size; restart imgsort run."
            )
        LOG.info("the backbone %s takes the place of %s", opened.backbone.id, running.id)
        return opened

    def _screened(self, serving: Serving) -> Serving:
        """With int8 first where that was measured under this model; without it otherwise."""
        try:
            return replace(serving, screen=screen_of(self._workspace.config, serving))
        except ImgsortError as problem:
            LOG.warning("int8 is not used: %s", problem)
            return replace(serving, screen=None)
