"""Counts of arrivals in a table of their own, which triggers keep, instead of in an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arrival_counts",
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("arrivals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("decision", "class_id", name="pk_arrival_counts"),
    )
    op.drop_index("ix_arrivals_counts", "arrivals", if_exists=True)
