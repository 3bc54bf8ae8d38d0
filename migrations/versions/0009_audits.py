"""An audit is a row of its own; until now it was JSON in the summary of its run."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    audits = op.create_table(
        "audits",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_audits_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_audits")),
    )
    runs = sa.table("runs", sa.column("id"), sa.column("kind"), sa.column("summary"))
    connection = op.get_bind()
    for run_id, summary in connection.execute(
        sa.select(runs.c.id, runs.c.summary).where(runs.c.kind == "audit")
    ).all():
        recorded = _recorded(summary)
        if recorded is None:
            continue
        drawn, candidates = recorded["drawn"], recorded["candidates"]
        values = {"run_id": run_id, "seed": str(recorded["seed"]), "candidates": candidates}
        connection.execute(sa.insert(audits).values({**values, "drawn": json.dumps(drawn)}))
        words = f"drew {len(drawn)} of {candidates} pictures"
        connection.execute(sa.update(runs).where(runs.c.id == run_id).values(summary=words))


def _recorded(summary: str | None) -> dict[str, Any] | None:
    """None where the run drew nothing, or what it left is no draw."""
    try:
        recorded = json.loads(summary or "")
    except ValueError:
        return None
    whole = isinstance(recorded, dict) and {"seed", "candidates", "drawn"} <= recorded.keys()
    if not whole or not isinstance(recorded["drawn"], list):
        return None
    numbers = (recorded["seed"], recorded["candidates"], *recorded["drawn"])
    return recorded if all(isinstance(one, int) for one in numbers) else None
