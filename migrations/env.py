"""Runs revisions on the connection, and inside the transaction, that imgsort.schema hands over."""

from alembic import context

from imgsort.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
