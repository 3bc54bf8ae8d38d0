"""The engine of a Ray cluster: actors that judge a unit at a time. The only import of Ray.

An actor is never restarted and a task never repeated by Ray itself: by default it does both for
ever. An actor that dies costs its unit a try, and another takes its place where there is room.
"""

import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from imgsort.backfill.failures import UnitFailure
from imgsort.backfill.job import Job
from imgsort.backfill.judge import Judge, UnitSummary
from imgsort.backfill.tries import Judged, in_words, once
from imgsort.disk.display import display
from imgsort.errors import BackfillProblem
from imgsort.workspace.config import BackfillSettings

MAJOR = "2"
_PATIENCE_SECONDS = 300.0
"""How long a cluster may have no actor at work before that is given up."""
_DIED = "its actor died at it again and again (killed, or out of memory)"


class JudgeActor:
    """Lives in a process of the cluster, and has a share of its machine's cores."""

    def __init__(self, folder: str, cpus: float) -> None:
        self._folder = Path(folder)
        self._cpus = max(1, int(cpus))
        self._judge: Judge | None = None

    def place(self) -> tuple[str, str]:
        """Which node of the cluster, and its host's name."""
        import ray

        return ray.get_runtime_context().get_node_id(), socket.gethostname()

    def settle_in(self, slot: int) -> str | None:
        """Load the job's model; what is in the way, as a sentence.

        ``slot``: the how manieth actor of this machine it is. Each keeps to cores of its own:
        the runtime takes all it sees.
        """
        cores = sorted(os.sched_getaffinity(0))
        mine = cores[slot * self._cpus : (slot + 1) * self._cpus]
        try:
            if len(mine) == self._cpus:
                os.sched_setaffinity(0, mine)
            self._judge = Judge(Job.open(self._folder), self._cpus)
        except Exception as problem:  # noqa: BLE001 - as a value; the driver names the node
            return in_words(problem)
        return None

    def unit(self, number: int) -> Judged:
        if self._judge is None:
            raise RuntimeError("it has not settled in")
        return once(number, self._judge.unit)


@dataclass(slots=True)
class _Member:
    """An actor, and what it is at."""

    actor: Any
    place: Any
    """The answer to where it is, until that is known."""
    node: str = ""
    host: str = ""
    slot: int = 0


@dataclass(slots=True)
class _Crew:
    """The actors of a job."""

    job: Job
    settings: BackfillSettings
    size: int
    starting: dict[Any, _Member] = field(default_factory=dict)
    ready: list[_Member] = field(default_factory=list)
    members: list[_Member] = field(default_factory=list)

    def fill(self) -> None:
        """Ask for as many as there should be; those without room wait for it."""
        import ray

        options = {
            "num_cpus": self.settings.cpus_per_actor,
            "num_gpus": self.settings.gpus_per_actor,
            "max_restarts": 0,
            "max_task_retries": 0,
        }
        while len(self.members) < self.size:
            made = ray.remote(JudgeActor).options(**options)
            actor = made.remote(str(self.job.folder), self.settings.cpus_per_actor)
            member = _Member(actor, actor.place.remote())
            self.members.append(member)
            self.starting[member.place] = member

    def lost(self, member: _Member) -> None:
        """It died, or is of no use."""
        import ray

        self.members.remove(member)
        with suppress(Exception):  # it is dead already
            ray.kill(member.actor)

    def told(self, ref: Any) -> None:
        """An actor that was starting answered: where it is, or that it is settled."""
        member = self.starting.pop(ref)
        answer = _answer(ref)
        if isinstance(answer, BaseException):
            self.lost(member)
            if not member.node and _is_import(answer):
                raise BackfillProblem(
                    "A node of the Ray cluster has no imgsort of this version; install it there "
                    'with `pip install "imgsort[ray]"`.'
                )
        elif not member.node:
            member.node, member.host = answer
            taken = {one.slot for one in self.members if one.node == member.node and one != member}
            member.slot = next(slot for slot in count() if slot not in taken)
            self.starting[member.actor.settle_in.remote(member.slot)] = member
        elif answer is not None:
            raise BackfillProblem(
                f"The node {display(member.host)} can't work on this job: {answer}"
            )
        else:
            self.ready.append(member)


def judged(
    job: Job, units: Sequence[int], settings: BackfillSettings, say: Any
) -> Iterator[Judged]:
    """What became of each unit, as they end. Raises BackfillProblem where the cluster can't."""
    import ray

    with _connected(settings.address, say):
        crew = _Crew(job, settings, min(_room(settings), len(units)))
        waiting = deque((unit, 0) for unit in units)
        busy: dict[Any, tuple[_Member, int, int]] = {}
        seen_at = monotonic()
        while waiting or busy:
            crew.fill()
            while waiting and crew.ready:
                member, (unit, tries) = crew.ready.pop(), waiting.popleft()
                busy[member.actor.unit.remote(unit)] = (member, unit, tries + 1)
            answered, _ = ray.wait([*busy, *crew.starting], timeout=5.0)
            if answered or busy:
                seen_at = monotonic()
            elif monotonic() - seen_at > _PATIENCE_SECONDS:
                raise BackfillProblem(
                    f"No node of the Ray cluster has had room for an actor for "
                    f"{_PATIENCE_SECONDS / 60:g} minutes; lower backfill.cpus_per_actor, or wait."
                )
            for ref in answered:
                if ref in crew.starting:
                    crew.told(ref)
                    continue
                member, unit, tries = busy.pop(ref)
                result = _result(ref, unit, tries, member, crew)
                if isinstance(result, UnitFailure) and tries <= settings.retries:
                    waiting.append((unit, tries))
                else:
                    yield result


def _result(ref: Any, unit: int, tries: int, member: _Member, crew: _Crew) -> Judged:
    """Of one unit; its actor is ready for another, or gone."""
    answer = _answer(ref)
    if isinstance(answer, UnitSummary):
        crew.ready.append(member)
        return answer
    if isinstance(answer, UnitFailure):
        crew.ready.append(member)
        return replace(answer, tries=tries)
    crew.lost(member)
    return UnitFailure(unit, tries, _DIED)


def _answer(ref: Any) -> Any:
    """What an actor says, or the error it died of."""
    import ray

    try:
        return ray.get(ref)
    except ray.exceptions.RayError as problem:
        return problem


def _is_import(problem: BaseException) -> bool:
    said = str(problem)
    return "ModuleNotFoundError" in said or "ImportError" in said


def _room(settings: BackfillSettings) -> int:
    """How many actors the cluster has room for now. Raises BackfillProblem for none."""
    import ray

    if settings.actors:
        return settings.actors
    room = 0
    for node in ray.nodes():
        has = node["Resources"] if node["Alive"] else {}
        fits = int(has.get("CPU", 0) // settings.cpus_per_actor)
        if settings.gpus_per_actor:
            fits = min(fits, int(has.get("GPU", 0) // settings.gpus_per_actor))
        room += fits
    if room == 0:
        raise BackfillProblem(
            f"No node of the Ray cluster has {settings.cpus_per_actor:g} CPUs and "
            f"{settings.gpus_per_actor:g} GPUs for an actor; lower backfill.cpus_per_actor or "
            f"backfill.gpus_per_actor in config.toml."
        )
    return room


@contextmanager
def _connected(address: str, say: Any) -> Iterator[None]:
    """Raises BackfillProblem where Ray isn't what was made for, or the cluster isn't reached."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.__version__.partition(".")[0] != MAJOR:
        raise BackfillProblem(
            f"Ray {ray.__version__} is installed, and imgsort was made for Ray {MAJOR}; run "
            f'`pip install "imgsort[ray]"`.'
        )
    try:
        context = ray.init(
            address=address or "local",
            logging_level="ERROR",
            log_to_driver=False,
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as problem:
        said = display(" ".join(str(problem).split())).rstrip(".")
        raise BackfillProblem(
            f"The Ray cluster {address or 'on this machine'} can't be used ({said}); look after "
            f"it, or go on without it: --engine local."
        ) from None
    try:
        if url := getattr(context, "dashboard_url", ""):
            say(f"Ray's dashboard: http://{url}")
        yield
    finally:
        ray.shutdown()
