"""The log as it was first: images, arrivals, predictions, labels, classes, models, moves, runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _classes()
    _models()
    _images()
    _predictions()
    _arrivals()
    _labels()
    _moves()
    _decode_attempts()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )


def _classes() -> None:
    op.create_table(
        "classes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder_dev", sa.BigInteger(), nullable=True),
        sa.Column("folder_ino", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_classes"),
    )
    op.create_index(
        "uq_classes_name_live",
        "classes",
        ["name"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("backbone", sa.Text(), nullable=False),
        sa.Column("backbone_id", sa.Text(), nullable=False),
        sa.Column("precision", sa.Text(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["models.version"], name="fk_models_parent"),
        sa.PrimaryKeyConstraint("version", name="pk_models"),
    )


def _images() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("captured_at", sa.Text(), nullable=True),
        sa.Column("camera", sa.Text(), nullable=True),
        sa.Column("dhash", sa.Text(), nullable=True),
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("first_seen_at", sa.Text(), nullable=False),
        sa.CheckConstraint("split IN ('train', 'holdout')", name=op.f("ck_images_split")),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("sha256", name="uq_images_sha256"),
    )


def _predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("top_k", sa.Text(), nullable=False),
        sa.Column("predicted_at", sa.Text(), nullable=False),
        sa.CheckConstraint("decision IN ('filed', 'unsure')", name=op.f("ck_predictions_decision")),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_predictions_class_id"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_predictions_image_id"),
        sa.ForeignKeyConstraint(["model"], ["models.version"], name="fk_predictions_model"),
        sa.PrimaryKeyConstraint("id", name="pk_predictions"),
        sa.UniqueConstraint("image_id", "model", name="uq_predictions_image_id_model"),
    )


def _arrivals() -> None:
    op.create_table(
        "arrivals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("subfolder", sa.Text(), nullable=False),
        sa.Column("subfolder_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("path_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("model", sa.Integer(), nullable=True),
        sa.Column("class_id", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("arrived_at", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.Text(), nullable=True),
        sa.Column("missing_at", sa.Text(), nullable=True),
        sa.Column("dev", sa.BigInteger(), nullable=True),
        sa.Column("ino", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=True),
        sa.Column("src_dev", sa.BigInteger(), nullable=True),
        sa.Column("src_ino", sa.BigInteger(), nullable=True),
        sa.Column("src_size", sa.BigInteger(), nullable=True),
        sa.Column("src_mtime_ns", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "decision IN ('filed', 'unsure', 'rejected')", name=op.f("ck_arrivals_decision")
        ),
        sa.CheckConstraint("state IN ('decided', 'filed')", name=op.f("ck_arrivals_state")),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_arrivals_class_id"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_arrivals_image_id"),
        sa.ForeignKeyConstraint(["model"], ["models.version"], name="fk_arrivals_model"),
        sa.PrimaryKeyConstraint("id", name="pk_arrivals"),
    )
    op.create_index("ix_arrivals_arrived_at", "arrivals", ["arrived_at", "id", "confidence"])
    op.create_index(
        "ix_arrivals_class_id",
        "arrivals",
        ["class_id", "arrived_at", "id", "decision", "confidence"],
    )
    op.create_index("ix_arrivals_counts", "arrivals", ["class_id", "decision"])
    op.create_index(
        "ix_arrivals_decided",
        "arrivals",
        ["id"],
        sqlite_where=sa.text("state = 'decided'"),
        postgresql_where=sa.text("state = 'decided'"),
    )
    op.create_index("ix_arrivals_decision", "arrivals", ["decision", "arrived_at", "id"])
    op.create_index("ix_arrivals_image_id", "arrivals", ["image_id", "class_id"])
    op.create_index("ix_arrivals_ino", "arrivals", ["ino"])
    op.create_index(
        "ix_arrivals_model", "arrivals", ["model", "arrived_at", "id", "decision", "class_id"]
    )
    op.create_index("ix_arrivals_path_bytes", "arrivals", ["path_bytes"])
    op.create_index(
        "ix_arrivals_src_ino",
        "arrivals",
        ["src_ino"],
        sqlite_where=sa.text("src_ino IS NOT NULL"),
        postgresql_where=sa.text("src_ino IS NOT NULL"),
    )


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("representative", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("labelled_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'label') = (class_id IS NOT NULL)", name=op.f("ck_labels_class_of_kind")
        ),
        sa.CheckConstraint(
            "kind IN ('label', 'withdrawn', 'never_use')", name=op.f("ck_labels_kind")
        ),
        sa.CheckConstraint(
            "source IN ('move', 'cli', 'csv', 'import', 'confirm', 'audit')",
            name=op.f("ck_labels_source"),
        ),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_labels_class_id"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_labels_image_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_labels_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
    )
    op.create_index("ix_labels_image_id", "labels", ["image_id", "id", "class_id"])
    op.create_index("ix_labels_labelled_at", "labels", ["labelled_at"])


def _moves() -> None:
    op.create_table(
        "moves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("arrival_id", sa.Integer(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("model", sa.Integer(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("target_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("dev", sa.BigInteger(), nullable=False),
        sa.Column("ino", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", sa.Text(), nullable=False),
        sa.Column("done_at", sa.Text(), nullable=True),
        sa.CheckConstraint("mode IN ('move', 'copy')", name=op.f("ck_moves_mode")),
        sa.CheckConstraint("state IN ('planned', 'done')", name=op.f("ck_moves_state")),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrivals.id"], name="fk_moves_arrival_id"),
        sa.ForeignKeyConstraint(["model"], ["models.version"], name="fk_moves_model"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_moves_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_moves"),
    )
    op.create_index("ix_moves_arrival_id", "moves", ["arrival_id"])
    op.create_index(
        "ix_moves_planned",
        "moves",
        ["id"],
        sqlite_where=sa.text("state = 'planned'"),
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index("ix_moves_run_id", "moves", ["run_id"])


def _decode_attempts() -> None:
    op.create_table(
        "decode_attempts",
        sa.Column("dev", sa.BigInteger(), nullable=False),
        sa.Column("ino", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("path_bytes", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dev", "ino", "size", "mtime_ns", name="pk_decode_attempts"),
    )
