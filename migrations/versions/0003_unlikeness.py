"""How unlike its training a model found each picture, beside what it said of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("unlikeness", sa.Double(), nullable=True))
