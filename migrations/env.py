"""Runs revisions on the connection, and in the transaction, that imgsort.store.schema opened."""

from alembic import context

from imgsort.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
