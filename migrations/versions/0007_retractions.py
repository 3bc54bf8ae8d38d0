"""A word can be taken back by a row of its own kind, which names the row it takes back.

And an arrival whose file was changed in its place remembers the content it had, until both are
compared.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = "kind IN ('label', 'withdrawn', 'never_use'"


def upgrade() -> None:
    with op.batch_alter_table("labels", recreate="always") as table:
        table.add_column(sa.Column("retracts", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_labels_retracts", "labels", ["retracts"], ["id"])
        table.drop_constraint(op.f("ck_labels_kind"), type_="check")
        table.create_check_constraint(op.f("ck_labels_kind"), f"{KINDS}, 'retracted')")
    op.create_index(
        "ix_labels_retracts",
        "labels",
        ["retracts"],
        sqlite_where=sa.text("retracts IS NOT NULL"),
        postgresql_where=sa.text("retracts IS NOT NULL"),
    )
    op.add_column("arrivals", sa.Column("edited_from", sa.Integer(), nullable=True))
    op.create_index(
        "ix_arrivals_edited_from",
        "arrivals",
        ["edited_from"],
        sqlite_where=sa.text("edited_from IS NOT NULL"),
        postgresql_where=sa.text("edited_from IS NOT NULL"),
    )
