"""Archives that `backfill` classified where they lie: their jobs, parts and pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive_jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_jobs")),
        sa.UniqueConstraint("job", name=op.f("uq_archive_jobs_job")),
    )
    op.create_table(
        "archive_parts",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["archive_jobs.id"], name=op.f("fk_archive_parts_job_id")
        ),
        sa.PrimaryKeyConstraint("job_id", "unit", name=op.f("pk_archive_parts")),
    )
    op.create_table(
        "archive_pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=True),
        sa.Column("model", sa.Integer(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("path_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "decision IN ('filed', 'unsure', 'rejected', 'changed', 'unread')",
            name=op.f("ck_archive_pictures_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_archive_pictures_image_id")
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["archive_jobs.id"], name=op.f("fk_archive_pictures_job_id")
        ),
        sa.ForeignKeyConstraint(
            ["model"], ["models.version"], name=op.f("fk_archive_pictures_model")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_pictures")),
    )
    op.create_index("ix_archive_pictures_unit", "archive_pictures", ["job_id", "unit"])
    op.create_index("ix_archive_pictures_image_id", "archive_pictures", ["image_id"])
