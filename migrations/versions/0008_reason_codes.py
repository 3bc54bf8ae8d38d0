"""A reason has a code beside its sentence, so that no program compares sentences.

Those that are in the log get the code of the sentence, of which no version has changed one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

EXACT = {
    "unlike anything known": "unlike",
    "this class isn't told surely enough yet to file under it": "not_filed_yet",
    "this class is retired": "class_retired",
    "no known class fits at all": "nothing_fits",
    "no class is known yet": "nothing_known",
    "the network's numbers for this image are not finite": "not_finite",
    "sent back": "sent_back",
    "put here by hand": "put_here",
    "found again after the log was lost": "found_again",
}
BEGINNINGS = {
    "confidence ": "low_confidence",
    "put here by hand, but it can't be read: ": "put_here_unreadable",
    "found again after the log was lost, but it can't be read: ": "found_again_unreadable",
    "changed in its place, but it can't be read: ": "changed_unreadable",
    "imported from ": "imported",
}


def upgrade() -> None:
    for name in ("arrivals", "predictions"):
        op.add_column(name, sa.Column("reason_code", sa.Text(), nullable=True))
        table = sa.table(
            name, *(sa.column(each, sa.Text()) for each in ("reason", "reason_code", "decision"))
        )
        reason = table.c.reason
        code = sa.case(
            *((reason == sentence, word) for sentence, word in EXACT.items()),
            *((reason.startswith(start), word) for start, word in BEGINNINGS.items()),
            (table.c.decision == "rejected", "unreadable"),
            else_="other",
        )
        op.execute(sa.update(table).where(reason.is_not(None)).values(reason_code=code))
