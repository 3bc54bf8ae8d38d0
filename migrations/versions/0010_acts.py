"""What is said on the review page: an act is a row, so that one sent twice is done once.

Its words have a source of their own. The words of a run are found without reading every label, and
what lies in a folder without looking at the arrivals.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SOURCES = "source IN ('move', 'cli', 'csv', 'import', 'confirm', 'audit'"
LYING = ["path_bytes", "missing_at", "state", "decision", "confidence", "image_id", "model"]


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_acts_run_id")),
        sa.PrimaryKeyConstraint("act", name=op.f("pk_acts")),
    )
    op.create_index("ix_acts_run_id", "acts", ["run_id"])
    with op.batch_alter_table("labels", recreate="always") as table:
        table.drop_constraint(op.f("ck_labels_source"), type_="check")
        table.create_check_constraint(op.f("ck_labels_source"), f"{SOURCES}, 'review')")
    op.create_index("ix_labels_run_id", "labels", ["run_id"])
    op.drop_index("ix_arrivals_path_bytes", "arrivals")
    op.create_index("ix_arrivals_path_bytes", "arrivals", LYING)
