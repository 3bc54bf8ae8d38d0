"""The metrics as Prometheus reads them: from a file, and by HTTP on this machine only."""

import socket
import stat
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from imgsort.care.drift import ClassMix, Distance, Drift, UnsureRate
from imgsort.care.health import Disk
from imgsort.care.heartbeat import Counters, Heartbeat
from imgsort.daemon.reporting.metrics import Live, Metrics, Slow, write_textfile
from imgsort.daemon.reporting.metrics_exporter import Reporter
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace
from tests.cli_runner import wait_for
from tests.logbook import new_store

HEALTH = Heartbeat(
    7,
    "paused",
    since="2026-11-22T10:00:00.000Z",
    started="2026-11-22T09:00:00.000Z",
    waiting=12,
    counters=Counters(filed=30, unsure=4, rejected=1, batches=2),
    model=3,
    watcher_restarts=2,
)
DRIFT = Drift(
    3,
    300,
    UnsureRate(90, 300, 100, 1000, "earlier"),
    ClassMix({"cat": 1}, {"dog": 1}, "labels"),
    Distance(0.5, 2, 100),
)
SLOW = Slow(DRIFT, datetime(2026, 11, 1, tzinfo=UTC), starts=5, labels_since_training=17)


def samples(text: bytes) -> dict[str, float]:
    """Every sample by its name and label values, parsed as Prometheus would."""
    return {
        " ".join(
            [sample.name, *(value for _, value in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def measured(slow: Slow = SLOW) -> Metrics:
    metrics = Metrics()
    disks = (Disk(Path("/photos/sorted"), 10, 100),)
    metrics.registry.register(Live(lambda: HEALTH, lambda: slow, lambda: disks))
    return metrics


def test_the_figures() -> None:
    """Each with its unit, seen as a scraper sees them."""
    metrics = measured()
    metrics.batch(32)
    metrics.took("infer", 0.2)
    said = samples(metrics.text())
    expected = {
        "imgsort_images_total filed": 30,
        "imgsort_images_total unsure": 4,
        "imgsort_images_total rejected": 1,
        "imgsort_restarts_total watcher": 2,
        "imgsort_restarts_total decoder": 0,
        "imgsort_starts_total": 5,
        "imgsort_waiting_images": 12,
        "imgsort_paused": 1,
        "imgsort_stuck": 0,
        "imgsort_model_version": 3,
        "imgsort_start_time_seconds": datetime(2026, 11, 22, 9, tzinfo=UTC).timestamp(),
        "imgsort_last_training_timestamp_seconds": datetime(2026, 11, 1, tzinfo=UTC).timestamp(),
        "imgsort_labels_since_training": 17,
        "imgsort_disk_free_bytes sorted": 10,
        "imgsort_week_images": 300,
        "imgsort_week_unsure_ratio": 0.3,
        "imgsort_week_class_mix_distance": 1,
        "imgsort_week_foreign_ratio": 0.02,
        "imgsort_drift_notable": 1,
        "imgsort_batch_images_sum": 32,
        "imgsort_stage_seconds_count infer": 1,
        "imgsort_stage_seconds_count file": 0,
        "imgsort_stage_seconds_bucket 0.1 infer": 0,
        "imgsort_stage_seconds_bucket 0.25 infer": 1,
    }
    assert {name: said.get(name) for name in expected} == expected


def test_what_is_not_known_has_no_figure() -> None:
    """Never a made-up 0."""
    said = samples(measured(Slow()).text())
    assert "imgsort_last_training_timestamp_seconds" not in said
    assert not any(name.startswith("imgsort_week") for name in said)


def test_registries_are_apart() -> None:
    """Two daemons in one process, as tests have them, don't add up."""
    one, other = measured(), measured()
    one.batch(8)
    assert samples(other.text())["imgsort_batch_images_count"] == 0


def test_the_textfile_is_replaced(tmp_path: Path) -> None:
    """In one step, readable for node_exporter's user, and nothing is left beside it."""
    path = tmp_path / "metrics.prom"
    for content in (b"a 1\n", b"a 2\n"):
        write_textfile(path, content)
    assert path.read_bytes() == b"a 2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["metrics.prom"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With a database and no model."""
    new_store(tmp_path).close()
    (tmp_path / "config.toml").touch()
    return Workspace.open(tmp_path)


def configured(workspace: Workspace, port: int) -> Workspace:
    metrics = workspace.config.metrics.model_copy(update={"port": port})
    return replace(workspace, config=workspace.config.model_copy(update={"metrics": metrics}))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_figures_reach_their_readers(workspace: Workspace) -> None:
    """The file, and loopback; another port after a reload, and none after the end."""
    port, other = free_port(), free_port()
    with Store.open(workspace.database, root=workspace.root) as store:
        reporter = Reporter(configured(workspace, port), store, Metrics(), lambda: HEALTH)
        reporter.start()
        wait_for(lambda: answers(port), "the port")
        assert samples(fetched(port))["imgsort_images_total filed"] == 30
        textfile = workspace.state / "metrics.prom"
        assert samples(textfile.read_bytes())["imgsort_disk_size_bytes state"] > 0
        assert listening_on(port) == {"127.0.0.1"}
        reporter.reconfigure(configured(workspace, other))
        wait_for(lambda: answers(other) and not answers(port), "the other port")
        reporter.stop()
    assert not answers(other)


def test_a_port_that_is_taken_stops_nothing(workspace: Workspace) -> None:
    """It is told, and the file is written all the same."""
    with socket.socket() as taken, Store.open(workspace.database, root=workspace.root) as store:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        reporter = Reporter(configured(workspace, port), store, Metrics(), lambda: HEALTH)
        reporter.start()
        textfile = workspace.state / "metrics.prom"
        wait_for(textfile.exists, "the textfile")
        reporter.stop()


def fetched(port: int) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return bytes(answer.read())


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def listening_on(port: int) -> set[str]:
    """The addresses on which this machine listens on a port, IPv6 included."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, number = address.split(":")
            if int(number, 16) == port and state == "0A":
                found.add(socket.inet_ntoa(bytes.fromhex(host)[::-1]) if table == "tcp" else host)
    return found
