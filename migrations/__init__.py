"""Alembic's environment and the revisions of imgsort.db; run by ``imgsort.schema.migrate``."""
