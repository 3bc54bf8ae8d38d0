"""A runtime that starts with the first picture it is given: stored embeddings need none."""

from collections.abc import Callable

from imgsort.errors import RuntimeUnavailable
from imgsort.models.runtimes.base import Embeddings, Images, Runtime
from imgsort.models.runtimes.choice import Choice


class IdleRuntime:
    """Knows its name and precision without having started; starting may raise ModelProblem."""

    def __init__(self, choice: Choice, start: Callable[[], Runtime]) -> None:
        self.name: str = choice.runtime
        self.precision = choice.precision
        self._start = start
        self._started: Runtime | None = None

    def embed(self, images: Images) -> Embeddings:
        """[N, S, S, 3] -> [N, D] for any N. Raises as starting and embedding do."""
        if self._started is None:
            started = self._start()
            if started.precision != self.precision:
                # A GPU that is there but can't be used: its embeddings would be compared with
                # those of another precision.
                raise RuntimeUnavailable(
                    f"This machine can't calculate in {self.precision} after all; set "
                    f'model.device to "cpu" in config.toml.'
                )
            self._started = started
        return self._started.embed(images)
