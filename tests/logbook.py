"""A small log that tests fill through the Store, as the daemon does, and know by heart."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from imgsort.disk.identity import Identity
from imgsort.images import ImageFacts
from imgsort.records.journal import Arrival, Landed, Plan, Planned
from imgsort.records.model_card import ModelCard
from imgsort.records.verdict import Score, Verdict, shortfall
from imgsort.store import Store
from imgsort.store.schema import migrate

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FACTS = ImageFacts(4000, 3000, "JPEG", "2026-11-20T10:00:00", "Canon EOS R5", 0xFEDC_BA98_7654_3210)


def new_store(root: Path, *, checkpointer: bool = True) -> Store:
    """An open, empty log in ``root/state``, with model 1."""
    database = root / "state" / "imgsort.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    migrate(database)
    store = Store.open(database, root=root, checkpointer=checkpointer)
    store.predictions.add_model(card(1))
    return store


def card(version: int, **changes: Any) -> ModelCard:
    plain = ModelCard(
        version=version,
        kind="imagenet",
        backbone="efficientnet-lite0",
        backbone_id="0123abcd",
        precision="float32",
        classes=(),
        temperature=1.0,
        thresholds=(),
        metrics={},
        parent=None,
        created_at="2026-11-01T08:00:00Z",
        checksums={},
    )
    return replace(plain, **changes)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def verdict(label: str, confidence: float = 0.9) -> Verdict:
    """Filed from 0.7 on, as by default."""
    top_k = (Score(label, confidence), Score("other", round((1 - confidence) / 2, 3)))
    doubt = shortfall(confidence, 0.7)
    return Verdict(label, confidence, "filed" if doubt is None else "unsure", doubt, top_k)


def identity(number: int) -> Identity:
    return Identity(64, number, 1000 + number, 1_700_000_000_000_000_000 + number)


@dataclass(frozen=True, slots=True)
class Workplace:
    """Makes plans for the pictures of one workspace."""

    root: Path

    def plan(self, number: int, said: Verdict | None, **changes: Any) -> Plan:
        """The picture ``a<number>.jpg``, on its way from the inbox; ``said`` None rejects it."""
        name = changes.pop("name", f"a{number}.jpg")
        arrival = Arrival(
            name=name.encode(),
            subfolder=changes.pop("subfolder", b""),
            arrived_at=changes.pop("arrived_at", NOON + timedelta(seconds=number)),
            decision=said.decision if said else "rejected",
            reason=said.reason if said else "the file is cut short",
            facts=FACTS if said else None,
            verdict=said,
            model=1 if said else None,
        )
        plan = Plan(
            source=self.root / "inbox" / name,
            target=self.target(said, name),
            identity=identity(number),
            sha256=sha256(str(number)),
            mode="move",
            cause="file",
            arrival=arrival,
        )
        return replace(plan, **changes)

    def target(self, said: Verdict | None, name: str) -> Path:
        if said is None:
            return self.root / "rejected" / name
        folder = Path("sorted", said.label) if said.decision == "filed" else Path("unsure")
        return self.root / folder / name

    def sidecar(self, number: int, **changes: Any) -> Plan:
        plan = Plan(
            source=self.root / "inbox" / f"a{number}.xmp",
            target=self.root / "sorted" / "cat" / f"a{number}.xmp",
            identity=identity(5000 + number),
            sha256=sha256(f"sidecar {number}"),
            mode="move",
            cause="sidecar",
            arrival=None,
        )
        return replace(plan, **changes)


def landed(planned: Planned, seconds: int = 60) -> Landed:
    return Landed(
        planned.move_id, planned.target, planned.identity, NOON + timedelta(seconds=seconds)
    )


def file_all(store: Store, plans: Sequence[Plan]) -> list[Planned]:
    """Both transactions of the filing protocol, in a run of their own."""
    planned = store.journal.record_decided(store.runs.begin("run"), plans)
    store.journal.mark_landed([landed(one) for one in planned])
    return planned
