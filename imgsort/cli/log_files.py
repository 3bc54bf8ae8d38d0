"""What `log --output` writes, and what it says of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from imgsort.disk.display import display
from imgsort.errors import ImgsortError

if TYPE_CHECKING:
    from imgsort.records.log import LogFilter, LogRow
    from imgsort.store import Store
    from imgsort.workspace.workspace import Workspace


def written(
    workspace: "Workspace", store: "Store", wanted: "LogFilter", form: str, output: Path
) -> str:
    """Write the rows; the answer tells a person. Raises ImgsortError."""
    try:
        if form == "camtrap-dp":
            return _camtrap(workspace, wanted, output)
        return _one_file(store.log.rows(wanted), form, output)
    except OSError as problem:
        raise ImgsortError(
            f"{output} can't be written ({problem.strerror}); name another place with --output."
        ) from None


def _one_file(rows: "Iterator[LogRow]", form: str, output: Path) -> str:
    from imgsort.export.spreadsheet import write_xlsx
    from imgsort.records import log as logquery

    if form == "xlsx":
        count = write_xlsx(rows, output)
        return f"{count:,} rows written to {display(output)}."
    with output.open("w", encoding="utf-8", newline="") as file:
        if form == "json":
            logquery.write_json(rows, file)
        else:
            logquery.write_csv(rows, file)
    return f"Written to {display(output)}."


def _camtrap(workspace: "Workspace", wanted: "LogFilter", output: Path) -> str:
    from imgsort.export.camtrap import write_package
    from imgsort.store import Store

    with Store.open(workspace.database, root=workspace.root) as store:
        done = write_package(workspace, store.log.rows(wanted), store.labels.current(), output)
    sentences = [
        f"{done.media:,} pictures of {done.deployments:,} deployments written to {display(output)}."
    ]
    if done.without_time:
        sentences.append(
            f"{done.without_time:,} pictures in which the camera wrote no time of day are left out."
        )
    if done.without_place:
        sentences.append(
            f"{done.without_place:,} deployments have no coordinates: fill latitude and longitude "
            f"into {display(output / 'deployments.csv')}; the next export keeps them."
        )
    return " ".join(sentences)
