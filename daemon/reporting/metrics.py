"""What the daemon says of itself in figures, as Prometheus reads them.

Names follow https://prometheus.io/docs/practices/naming/. No label has a value that pictures or
people can add to.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from imgsort.care.drift import Drift
from imgsort.care.health import Disk
from imgsort.care.heartbeat import Heartbeat

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
IMAGES = tuple(float(2**n) for n in range(11))
MODE = 0o644
"""node_exporter runs as somebody else."""


@dataclass(frozen=True, slots=True)
class Slow:
    """What takes the database to know; renewed every few minutes."""

    drift: Drift | None = None
    last_training: datetime | None = None
    starts: int = 0
    labels_since_training: int = 0


class Metrics:
    """A registry of its own; ``took`` and ``batch`` may be called from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        stages = Histogram(
            "imgsort_stage_seconds",
            "Time an image took to be decoded, or a batch to be judged or filed.",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._batches = Histogram(
            "imgsort_batch_images", "Images in a batch.", buckets=IMAGES, registry=self.registry
        )
        self._stages = {stage: stages.labels(stage) for stage in ("decode", "infer", "file")}

    def took(self, stage: str, seconds: float) -> None:
        self._stages[stage].observe(seconds)

    def batch(self, images: int) -> None:
        self._batches.observe(images)

    def text(self) -> bytes:
        """Prometheus's text format."""
        return generate_latest(self.registry)


class Live(Collector):
    """The figures that the daemon's status and the log have anyway, at the moment of asking."""

    def __init__(
        self,
        health: Callable[[], Heartbeat],
        slow: Callable[[], Slow],
        disks: Callable[[], Iterable[Disk]],
    ) -> None:
        self._health = health
        self._slow = slow
        self._disks = disks

    def collect(self) -> Iterator[Metric]:
        health, slow = self._health(), self._slow()
        yield from _counters(health, slow)
        yield from _gauges(health)
        yield from _room(self._disks())
        yield from _slow_gauges(slow)


def _counters(health: Heartbeat, slow: Slow) -> Iterator[Metric]:
    images = CounterMetricFamily(
        "imgsort_images", "Images since the daemon started.", labels=["outcome"]
    )
    counters = health.counters
    images.add_metric(["filed"], counters.filed)
    images.add_metric(["unsure"], counters.unsure)
    images.add_metric(["rejected"], counters.rejected)
    yield images
    restarts = CounterMetricFamily(
        "imgsort_restarts", "Parts of the daemon that had to be started anew.", labels=["part"]
    )
    restarts.add_metric(["watcher"], health.watcher_restarts)
    restarts.add_metric(["decoder"], health.decoder_rebuilt)
    yield restarts
    yield CounterMetricFamily(
        "imgsort_starts", "Runs of the daemon on this workspace, ever.", value=slow.starts
    )


def _gauges(health: Heartbeat) -> Iterator[Metric]:
    def gauge(name: str, text: str, value: float) -> Metric:
        return GaugeMetricFamily(f"imgsort_{name}", text, value=value)

    yield gauge("start_time_seconds", "When the daemon started.", _seconds(health.started))
    yield gauge("waiting_images", "Images seen in the inbox, not through yet.", health.waiting)
    yield gauge("in_flight_images", "Of those: decoded, judged or filed now.", health.in_flight)
    yield gauge("left_in_place_files", "Could not be taken.", health.left_in_place.count)
    yield gauge("unsupported_files", "Of kinds imgsort doesn't read.", health.unsupported.count)
    yield gauge("paused", "1 while nothing can be filed.", health.state == "paused")
    yield gauge("stuck", "1 while a stage has not got on for minutes.", health.stuck is not None)
    yield gauge("batch_size_images", "Images judged at once, at most.", health.batch_size)
    if health.model is not None:
        yield gauge("model_version", "The model that judges.", health.model)


def _room(disks: Iterable[Disk]) -> Iterator[Metric]:
    free = GaugeMetricFamily(
        "imgsort_disk_free_bytes", "Room where pictures and the log go.", labels=["folder"]
    )
    total = GaugeMetricFamily("imgsort_disk_size_bytes", "Of the same.", labels=["folder"])
    for disk in disks:
        free.add_metric([disk.folder.name], disk.free)
        total.add_metric([disk.folder.name], disk.total)
    yield free
    yield total


def _slow_gauges(slow: Slow) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "imgsort_labels_since_training", "Human words.", value=slow.labels_since_training
    )
    if slow.last_training is not None:
        yield GaugeMetricFamily(
            "imgsort_last_training_timestamp_seconds",
            "When the newest model was trained.",
            value=slow.last_training.timestamp(),
        )
    if slow.drift is not None:
        yield from _drift(slow.drift)


def _drift(drift: Drift) -> Iterator[Metric]:
    def gauge(name: str, text: str, value: float) -> Metric:
        return GaugeMetricFamily(f"imgsort_{name}", text, value=value)

    yield gauge("week_images", "Judged by the active model in seven days.", drift.judged)
    yield gauge("drift_notable", "Signs of drift that can't be chance.", len(drift.notable))
    if drift.unsure is not None:
        yield gauge("week_unsure_ratio", "Of those, unsure.", drift.unsure.rate)
    if drift.mix is not None:
        yield gauge("week_class_mix_distance", "Jensen-Shannon, 0 to 1.", drift.mix.distance)
    if drift.distance is not None:
        share = drift.distance.beyond / drift.distance.of
        yield gauge("week_foreign_ratio", "Unlike anything seen in training.", share)
        median = drift.distance.median
        yield gauge("week_distance_ratio", "Median distance from training, by limit.", median)


def write_textfile(path: Path, content: bytes) -> None:
    """Replace the file in one step; a collector never sees half of it. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.chmod(MODE)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0
