"""Alembic's environment and the revisions of imgsort.db; ``imgsort.store.schema`` runs them."""
