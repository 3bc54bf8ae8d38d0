"""The figures of one bench run."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage by itself, all cores at work."""

    images_per_second: float
    core_seconds: float
    """Processor time an image costs, in seconds, summed over the cores."""


@dataclass(frozen=True, slots=True)
class Round:
    """Everything measured once, within seconds, so that ratios hold on a noisy machine."""

    cores: int
    bare: float
    """Images per second of the model alone on pixels in memory."""
    end_to_end: float
    """Images per second of the daemon, from the first image taken to the last one filed."""
    read_hash: Stage
    decode: Stage
    embed: Stage
    file: Stage

    @property
    def core_bound(self) -> float:
        """Images per second if the cores did the stages' work and nothing else."""
        stages = (self.read_hash, self.decode, self.embed, self.file)
        return self.cores / sum(stage.core_seconds for stage in stages)


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Medians over the rounds; a ratio is the median of the rounds' ratios."""

    rounds: tuple[Round, ...]
    machine: dict[str, Any]
    """What ran: backbone, runtime, precision, batch size, pictures."""

    def middle(self, name: str) -> float:
        """The median of a figure of Round."""
        return median(float(getattr(one, name)) for one in self.rounds)

    @property
    def end_to_end_ratio(self) -> float:
        """End to end as a share of the bare model's rate."""
        return median(one.end_to_end / one.bare for one in self.rounds)

    @property
    def core_bound_ratio(self) -> float:
        """End to end as a share of what this machine could do at best."""
        return median(one.end_to_end / one.core_bound for one in self.rounds)

    def stage(self, name: str) -> Stage:
        """Medians of one stage."""
        stages: list[Stage] = [getattr(one, name) for one in self.rounds]
        return Stage(
            median(stage.images_per_second for stage in stages),
            median(stage.core_seconds for stage in stages),
        )

    def as_dict(self) -> dict[str, Any]:
        """For scripts; rates in images per second."""
        return {
            "bare": self.middle("bare"),
            "end_to_end": self.middle("end_to_end"),
            "end_to_end_ratio": self.end_to_end_ratio,
            "core_bound": self.middle("core_bound"),
            "core_bound_ratio": self.core_bound_ratio,
            "stages": {name: asdict(self.stage(name)) for name in STAGES},
            **self.machine,
            "rounds": [{**asdict(one), "core_bound": one.core_bound} for one in self.rounds],
        }

    def rows(self) -> list[tuple[str, str, str]]:
        """The table `bench` shows: stage, images per second, core-milliseconds an image."""
        stages = [(title, self.stage(name)) for name, title in STAGES.items()]
        return [
            (title, f"{stage.images_per_second:,.1f}", f"{stage.core_seconds * 1e3:.2f}")
            for title, stage in stages
        ]

    def lines(self) -> list[str]:
        """What the figures come to, in sentences."""
        m = self.machine
        return [
            "",
            f"end to end      {self.middle('end_to_end'):,.1f} images/s",
            f"bare model      {self.middle('bare'):,.1f} images/s: end to end is "
            f"{self.end_to_end_ratio:.2f} of it",
            f"core bound      {self.middle('core_bound'):,.1f} images/s, what {m['cores']} cores "
            f"could do at best: end to end is {self.core_bound_ratio:.2f} of it",
            f"measured with   {m['images']} pictures a round ({m['pictures']}), {len(self.rounds)} "
            f"rounds, {m['backbone']} on {m['runtime']} in {m['precision']}, batches of "
            f"{m['batch_size']}",
        ]


STAGES = {
    "read_hash": "read and hash",
    "decode": "decode and resize",
    "embed": "embed and judge",
    "file": "record and file",
}
