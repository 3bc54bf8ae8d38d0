"""What happened to classes as such (renamed, retired, brought back), so that it can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("old_name", sa.Text(), nullable=False),
        sa.Column("new_name", sa.Text(), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_class_changes"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_class_changes_run_id"),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_class_changes_class_id"),
        sa.CheckConstraint(
            "kind IN ('renamed', 'retired', 'restored')", name=op.f("ck_class_changes_kind")
        ),
    )
    op.create_index("ix_class_changes_run_id", "class_changes", ["run_id"])
