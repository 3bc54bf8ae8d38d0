"""What would the active model move among the pictures that nobody has confirmed? And move it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imgsort.disk.display import display
from imgsort.filing import recover
from imgsort.filing.errand import Applied, Errand
from imgsort.filing.move_table import MoveCount, PlannedTrip, carried, flows, folder_name
from imgsort.labels.apply import place_of
from imgsort.models.embed import Progress
from imgsort.models.judge import judged_again
from imgsort.models.serving import Serving
from imgsort.reconcile.apply import ReconcileSummary, apply_reconcile
from imgsort.records.files import Layout
from imgsort.records.pictures import LoggedPicture
from imgsort.records.verdict import Verdict
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Where:
    """A class folder, or (None) unsure/."""

    class_name: str | None


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A picture that nobody has confirmed, and where it is."""

    picture: LoggedPicture
    here: Where
    taken_out_of: str | None
    """The class a human took it out of without saying what it is instead."""


@dataclass(frozen=True, slots=True)
class Going:
    """A picture that the active model would have elsewhere."""

    picture: LoggedPicture
    verdict: Verdict
    there: Where


@dataclass(frozen=True, slots=True)
class Refiling:
    """What a refile would do."""

    seen: ReconcileSummary
    """What humans had moved before."""
    model: int
    looked_at: int
    goings: tuple[Going, ...]
    trips: tuple[PlannedTrip, ...]
    """The same for people."""
    doubted: int
    """Filed pictures that this model is not sure of; they stay unless told otherwise."""
    unread: tuple[LoggedPicture, ...]
    """Pictures without an embedding that could not be opened."""
    decoded: int
    verdicts: dict[str, Verdict]
    """Everything the model said, by content hash."""

    def flows(self) -> list[MoveCount]:
        """How many go from where to where, most first."""
        return flows(self.trips)

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "model": self.model,
            "looked_at": self.looked_at,
            "would_move": len(self.goings),
            "flows": [flow.as_dict() for flow in self.flows()],
            "no_longer_sure": self.doubted,
            "unreadable": [display(one.path) for one in self.unread],
        }


def reconsidered(lying: Unconfirmed, verdict: Verdict, *, to_unsure: bool) -> Where | None:
    """Where a picture belongs by this verdict; None: it stays. Pure."""
    if verdict.decision == "filed":
        there = Where(verdict.label)
        return None if there == lying.here or verdict.label == lying.taken_out_of else there
    return Where(None) if to_unsure and lying.here.class_name is not None else None


def plan_refile(
    workspace: Workspace,
    store: Store,
    serving: Serving,
    *,
    to_unsure: bool = False,
    progress: Progress | None = None,
) -> Refiling:
    """Learn what humans have moved, then judge everything that nobody has confirmed."""
    recover(workspace, store)  # what a refile that was killed had begun counts as done
    seen = apply_reconcile(workspace, store, None)
    layout = layout_of(workspace, store)
    every = unconfirmed(store, layout)
    images = {one.picture.sha256: one.picture.path for one in every}
    said = judged_again(workspace, store, serving, images, progress)
    goings, doubted = [], 0
    for one in every:
        verdict = said.verdicts.get(one.picture.sha256)
        if verdict is None:
            continue
        there = reconsidered(one, verdict, to_unsure=to_unsure)
        if there is not None:
            goings.append(Going(one.picture, verdict, there))
        doubted += verdict.decision == "unsure" and one.here.class_name is not None
    return Refiling(
        seen=seen,
        model=serving.card.version,
        looked_at=len(every),
        goings=tuple(goings),
        trips=tuple(_trip(layout, one) for one in goings),
        doubted=doubted,
        unread=tuple(one.picture for one in every if one.picture.sha256 in said.missing),
        decoded=said.decoded,
        verdicts=said.verdicts,
    )


def apply_refile(workspace: Workspace, store: Store, serving: Serving, plan: Refiling) -> Applied:
    """Move what the plan says through the journal, in a run of its own that `undo` knows.

    Raises as ``carried``; what is left of the plan then is found again by the next refile.
    """
    store.predictions.add_model(serving.card)
    store.predictions.record(plan.model, plan.verdicts)
    run_id = store.runs.begin("refile")
    done = tuple(carried(workspace, store, run_id, _errands(workspace, plan), plan.model))
    applied = Applied(run_id, done)
    store.runs.end(run_id, f"moved {len(applied.moved)} of {len(done)} by model v{plan.model}")
    return applied


def unconfirmed(store: Store, layout: Layout) -> list[Unconfirmed]:
    """Everything in a class folder or in unsure/ of which nobody says now what it is."""
    withdrawn = {
        sha256 for sha256, word in store.labels.current().items() if word.kind == "withdrawn"
    }
    found = []
    for picture in store.pictures.by_ids(store.history.unconfirmed()):
        place = layout.place_of(str(picture.path))
        if place.room in {"class", "unsure"} and picture.identity is not None:
            out_of = picture.guess if picture.sha256 in withdrawn else None
            found.append(Unconfirmed(picture, Where(place.class_name), out_of))
    return found


def _trip(layout: Layout, going: Going) -> PlannedTrip:
    there = going.there.class_name
    path = going.picture.path
    name = "unsure" if there is None else f"sorted/{display(there)}"
    return PlannedTrip(folder_name(layout, path), name, path)


def _errands(workspace: Workspace, plan: Refiling) -> Iterator[Errand]:
    for going in plan.goings:
        class_name, confidence = going.there.class_name, going.verdict.confidence
        wanted = place_of(workspace, going.picture, class_name, confidence)
        yield Errand.of(going.picture, wanted, "refile")
