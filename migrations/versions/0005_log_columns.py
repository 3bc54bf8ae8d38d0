"""The view prediction_log gets columns: a migration makes it anew, so there is nothing to do."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
