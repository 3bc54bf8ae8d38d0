"""Runs: what a command or the daemon did, from its begin to its end."""

from sqlalchemy import insert, update

from imgsort.store.tables import RUNS
from imgsort.store.topic import Topic, now


class RunTopic(Topic):
    """Runs, by id."""

    def begin(self, kind: str) -> int:
        with self.write() as connection:
            statement = insert(RUNS).values(kind=kind, started_at=now()).returning(RUNS.c.id)
            return connection.execute(statement).scalar_one()

    def end(self, run_id: int, summary: str) -> None:
        with self.write() as connection:
            connection.execute(
                update(RUNS).where(RUNS.c.id == run_id).values(ended_at=now(), summary=summary)
            )
