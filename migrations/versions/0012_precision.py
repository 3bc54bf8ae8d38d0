"""At which precision the network calculated what decided: int8 judges first, float32 what is close.

NULL for what was judged before imgsort kept it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("precision", sa.Text(), nullable=True))
