"""What a look at the folders keeps in memory of an inbox that is a library."""

import tracemalloc
from pathlib import Path

from imgsort.reconcile.scan import look_through, waiting_files
from imgsort.records.files import Layout


def test_waiting_pictures_cost_no_memory(tmp_path: Path) -> None:
    """Of the inbox only files of the sizes that are missed are held: none, mostly."""
    layout = Layout(*(str(tmp_path / name) for name in ("inbox", "sorted", "unsure", "rejected")))
    for folder in (layout.inbox, layout.sorted, layout.unsure, layout.rejected):
        Path(folder).mkdir()
    count = 20_000
    for number in range(count):
        Path(layout.inbox, f"{number}.jpg").touch()
    Path(layout.inbox, "back.jpg").write_bytes(bytes(77))

    tracemalloc.start()
    seen = look_through(layout)
    back = waiting_files(layout, {77})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert seen.inbox == ()
    assert [Path(file.path).name for file in back] == ["back.jpg"]
    assert peak / count < 100
    assert waiting_files(layout, ()) == []
