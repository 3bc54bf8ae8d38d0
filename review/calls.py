"""The calls of lists and acts, each a function of the desk and of what was asked."""

from collections.abc import Callable
from typing import Any

from imgsort.review import audit, pins
from imgsort.review.answers import row_json, told_act
from imgsort.review.asked import Asked, not_there, number, sha256
from imgsort.review.call_refused import CallRefused
from imgsort.review.desk import Desk
from imgsort.review.lists import MOST_ROWS, KeptList
from imgsort.review.looked_through import SeenSheet, look_through
from imgsort.review.spoken import ActAsked, act_id

MOST_NEXT = 1000
_MOST_ACTS = 200


def classes(desk: Desk, asked: Asked) -> Any:
    """GET /api/classes"""
    del asked
    names = desk.store.classes.names()
    counted = {one.id: one for one in desk.standings()}
    used = {one.id for one in counted.values() if one.labels or one.pictures}
    keys = pins.pins_of(desk.workspace, names, names if len(names) <= pins.KEYS else used)
    return {
        "classes": [
            {
                "id": number,
                "name": name,
                "pictures": counted[number].pictures if number in counted else 0,
                "labels": counted[number].labels if number in counted else 0,
                "pin": keys.index(number) + 1 if number in keys else None,
            }
            for number, name in sorted(names.items(), key=lambda one: one[1])
        ]
    }


def pin(desk: Desk, asked: Asked) -> Any:
    """PUT /api/pins"""
    return {"pins": pins.pin(desk.workspace, desk.store.classes.names(), asked.body)}


def make_list(desk: Desk, asked: Asked) -> Any:
    """POST /api/lists"""
    body = dict(asked.body)
    match body.get("view"):
        case "next":
            count = body.get("of", MOST_ROWS)
            if not isinstance(count, int) or not 1 <= count <= MOST_NEXT:
                raise CallRefused(f"next lists 1 to {MOST_NEXT:,} pictures.")
            kept = desk.lists.keep_picked(body, desk.oracle.next_pictures(count))
        case "audit":
            run_id = body.get("of")
            drawn = desk.store.audits.of(run_id) if isinstance(run_id, int) else None
            if drawn is None:
                raise not_there("such audit")
            kept = desk.lists.keep_drawn(drawn.run_id, drawn.arrival_ids)
        case _:
            kept = desk.lists.make(body)
    return kept.as_dict()


def _kept(desk: Desk, asked: Asked) -> KeptList:
    return desk.lists.get(asked.place.get("list", ""))


def window(desk: Desk, asked: Asked) -> Any:
    """GET /api/lists/{list}"""
    kept = _kept(desk, asked)
    start = number("from", asked.query.get("from", "0"), 0, 10**9)
    count = number("count", asked.query.get("count", str(MOST_ROWS)), 0, MOST_ROWS)
    return desk.lists.window(kept, start, count)


def alike(desk: Desk, asked: Asked) -> Any:
    """GET /api/lists/{list}/alike"""
    return desk.lists.alike(_kept(desk, asked), sha256(asked.query.get("of", "")))


def find(desk: Desk, asked: Asked) -> Any:
    """GET /api/lists/{list}/find"""
    return {"index": desk.lists.find(_kept(desk, asked), sha256(asked.query.get("of", "")))}


def looked_through(desk: Desk, asked: Asked) -> Any:
    """POST /api/lists/{list}/looked-through"""
    kept = _kept(desk, asked)
    seen = SeenSheet.of(dict(asked.body), len(kept.ids))
    return desk.act(lambda acts: look_through(desk.workspace, acts.store, kept, seen))


def picture(desk: Desk, asked: Asked) -> Any:
    """GET /api/pictures/{sha256}"""
    wanted = sha256(asked.place.get("sha256", ""))
    newest = desk.store.lists.newest_of([wanted])
    rows = desk.store.lists.rows(list(newest.values()))
    if not rows:
        raise not_there("such picture")
    return row_json(rows[0])


def why(desk: Desk, asked: Asked) -> Any:
    """GET /api/pictures/{sha256}/why"""
    return desk.oracle.why(sha256(asked.place.get("sha256", "")))


def act(desk: Desk, asked: Asked) -> Any:
    """POST /api/acts"""
    said = ActAsked.of(asked.body)
    return desk.act(lambda acts: acts.do(said))


def undo(desk: Desk, asked: Asked) -> Any:
    """POST /api/acts/{act}/undo"""
    known = act_id(asked.place.get("act", ""))
    return desk.act(lambda acts: acts.take_back(known))


def redo(desk: Desk, asked: Asked) -> Any:
    """POST /api/acts/{act}/redo"""
    known = act_id(asked.place.get("act", ""))
    return desk.act(lambda acts: acts.say_again(known))


def last_acts(desk: Desk, asked: Asked) -> Any:
    """GET /api/acts"""
    count = number("count", asked.query.get("count", "20"), 1, _MOST_ACTS)
    return {"acts": [told_act(one) for one in desk.store.acts.newest(count) if one.wrote]}


def draw_audit(desk: Desk, asked: Asked) -> Any:
    """POST /api/audits"""
    drawn = desk.write(lambda store: audit.draw(store, dict(asked.body)))
    kept = desk.lists.keep_drawn(drawn.run_id, drawn.arrival_ids)
    drew = {"run": drawn.run_id, "seed": drawn.seed, "candidates": drawn.candidates}
    return drew | kept.as_dict()


def audits(desk: Desk, asked: Asked) -> Any:
    """GET /api/audits"""
    del asked
    return {"audits": audit.every(desk.store)}


def audit_so_far(desk: Desk, asked: Asked) -> Any:
    """GET /api/audits/{run}"""
    run_id = number("run", asked.place.get("run", ""), 1, 10**9)
    drawn, told = audit.standing_of(desk.store, run_id)
    kept = desk.lists.keep_drawn(run_id, drawn.arrival_ids)
    return {**told, "list": kept.key}


def look(desk: Desk, asked: Asked) -> Any:
    """POST /api/look"""
    del asked
    return desk.look()


CALLS: tuple[tuple[str, str, Callable[[Desk, Asked], Any]], ...] = (
    ("GET", "/api/classes", classes),
    ("PUT", "/api/pins", pin),
    ("POST", "/api/lists", make_list),
    ("GET", "/api/lists/{list}", window),
    ("GET", "/api/lists/{list}/alike", alike),
    ("GET", "/api/lists/{list}/find", find),
    ("POST", "/api/lists/{list}/looked-through", looked_through),
    ("GET", "/api/pictures/{sha256}", picture),
    ("GET", "/api/pictures/{sha256}/why", why),
    ("POST", "/api/acts", act),
    ("GET", "/api/acts", last_acts),
    ("POST", "/api/acts/{act}/undo", undo),
    ("POST", "/api/acts/{act}/redo", redo),
    ("POST", "/api/audits", draw_audit),
    ("GET", "/api/audits", audits),
    ("GET", "/api/audits/{run}", audit_so_far),
    ("POST", "/api/look", look),
)
"""Method, path, and who answers."""
