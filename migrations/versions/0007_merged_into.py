"""Which class a retired one is part of now: what a model filed as it counts as that one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("classes", sa.Column("merged_into", sa.Integer(), nullable=True))
