"""A sheet that somebody has looked through: what was seen of it is right as it lies."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from imgsort.disk.display import display
from imgsort.filing.xmp_renewal import renewing
from imgsort.labels.confirm import Confirmation
from imgsort.labels.folder_pictures import LookedThrough, confirmed
from imgsort.records.acts import NewAct
from imgsort.review.call_refused import CallRefused
from imgsort.review.lists import KeptList
from imgsort.review.spoken import act_id
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SeenSheet:
    """The places of a list whose pictures were on the screen, for long enough to be seen."""

    act: str
    places: tuple[int, ...]

    @classmethod
    def of(cls, body: dict[str, Any], total: int) -> "SeenSheet":
        """``{seen: [[from, to), ...], act?}``. Raises CallRefused."""
        seen = body.get("seen")
        if not isinstance(seen, list):
            raise CallRefused("seen is a list of [from, to].")
        places = sorted({place for one in seen for place in _range(one, total)})
        return cls(act_id(body["act"]) if "act" in body else str(uuid4()), tuple(places))


def _range(one: object, total: int) -> range:
    match one:
        case [int(start), int(end)] if 0 <= start <= end <= total:
            return range(start, end)
    raise CallRefused(f"seen is a list of [from, to], both of them from 0 to {total:,}.")


def look_through(
    workspace: Workspace, store: Store, kept: KeptList, seen: SeenSheet
) -> dict[str, Any]:
    """Write down what follows, as `confirm` does, and tell it.

    Only what was seen is confirmed. A class folder counts as looked through, so that its pictures
    judge the next model, only if all of it was.
    """
    if kept.view not in {"class", "unsure"}:
        raise CallRefused("Only a class can be looked through.")
    done = store.acts.of(seen.act)
    if done is not None:
        return {"act": done.act, "run": done.run_id, "seen": len(seen.places), "again": True}
    whole = kept.whole and len(seen.places) == len(kept.ids)
    pictures = store.pictures.by_ids([kept.ids[place] for place in seen.places])
    folders = (kept.wanted and kept.wanted.folders) or ()
    sheet = LookedThrough(
        folders=(),
        pictures=tuple(
            one
            for one in pictures
            if not one.missing and any(folder in one.path.parents for folder in folders)
        ),
        sheets=folders if whole else (),
        until=kept.newest,
    )
    result = confirmed(workspace, store, sheet)
    name = next((display(folder.name) for folder in folders), kept.view)
    act = NewAct(seen.act, f"looked through {name}", ())
    run_id = _written(workspace, store, result, act) if result.labels else None
    return {
        "act": seen.act,
        "run": run_id,
        "say": act.say,
        "seen": len(seen.places),
        "total": len(kept.ids),
        "whole": whole,
        **result.as_dict(),
    }


def _written(workspace: Workspace, store: Store, result: Confirmation, act: NewAct) -> int:
    """The run that says it."""
    with renewing(workspace, store):
        run_id = store.runs.begin("confirm")
        store.journal.record_decided(run_id, (), result.labels, act=act)
        summary = f"{result.confirmed} confirmed, {len(result.labels)} new labels"
        store.runs.end(run_id, summary)
    return run_id
