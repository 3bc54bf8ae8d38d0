"""int8 decides first, the exact network where it is close: what is counted, and who decides."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.intervals import Z_95_ONE_SIDED, lower_bound
from imgsort.models.heads.classifier import Classifier
from imgsort.models.nearness import Margin
from imgsort.models.screening import Pair, Promise, Screen, first_of, shortcoming
from imgsort.models.serving import Serving
from tests.schooling import card

PROMISE = Promise(0.999, 1.1)


class Certain:
    """A head whose one class has the first number of an embedding."""

    classes = ("cat",)

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(embeddings[:, :1], np.float32)


CLASSIFIER = Classifier(Certain(), [0.7])


def pair(count: int, noise: float, speedup: float = 2.2) -> Pair:
    rng = np.random.default_rng(1)
    true = rng.uniform(-6, 8, count)
    seen = true + np.clip(rng.normal(size=count), -3, 3) * noise
    exact, coarse = (1 / (1 + np.exp(-each)) for each in (true, seen))
    return Pair(exact.astype(np.float32)[:, None], coarse.astype(np.float32)[:, None], speedup)


def test_the_promise_is_counted_apart_from_the_margin() -> None:
    """Pictures that the margin was chosen on are not among those counted."""
    found = first_of(CLASSIFIER, pair(4000, 0.2), "float32", 1000, PROMISE)
    assert (found.chosen_on, found.pictures) == (1000, 3000)
    assert found.same_decisions == 3000
    assert found.lower_bound == lower_bound(3000, 3000, Z_95_ONE_SIDED) > 0.999
    assert 0.02 < found.share_asked < 0.2
    assert found.promised
    assert shortcoming(found, 2.2, PROMISE) is None


def test_a_difference_that_was_not_asked_again_counts() -> None:
    """One picture is far from every threshold in int8 and on the other side in float32."""
    both = pair(4000, 0.2)
    both.exact[3999], both.coarse[3999] = 0.01, 0.99
    found = first_of(CLASSIFIER, both, "float32", 1000, PROMISE)
    assert found.same_decisions == 2999
    assert not found.promised
    said = shortcoming(found, 2.2, PROMISE)
    assert said is not None
    assert said.startswith("int8, with float32 where it is close, decided 2,999 of 3,000 pictures")


def test_too_few_pictures_show_too_little() -> None:
    """All of 900 alike may still be less than 99.9 %."""
    found = first_of(CLASSIFIER, pair(1200, 0.2), "float32", 300, PROMISE)
    assert found.same_decisions == found.pictures == 900
    assert not found.promised
    assert "at least 99.70% agree, and it takes 99.9%" in str(shortcoming(found, 2.2, PROMISE))


@pytest.mark.parametrize(("alone", "promised"), [(2.2, True), (1.1, False), (0.8, False)])
def test_what_is_not_faster_is_not_used(alone: float, promised: bool) -> None:
    """Including what is asked again."""
    found = first_of(CLASSIFIER, pair(4000, 0.2, alone), "float32", 1000, PROMISE)
    assert found.promised == promised
    assert (shortcoming(found, alone, PROMISE) is None) == promised


class Gray:
    """Embeds a picture as its brightness, rounded to a grain; keeps count."""

    name = "openvino"

    def __init__(self, precision: str, grain: int) -> None:
        self.precision, self.grain, self.seen = precision, grain, 0

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen += len(images)
        means = images.reshape(len(images), -1).mean(axis=1, keepdims=True)
        return np.asarray(np.round(means / self.grain) * self.grain / 255, np.float32)


def served() -> tuple[Serving, Gray, Gray]:
    exact, coarse = Gray("float32", 1), Gray("int8-0a0b0c0d", 20)
    screen = Screen(coarse, Margin(0.4, 0.1), "")
    backbone = SimpleNamespace(id="abc")
    return (
        Serving(card("imagenet", 1), backbone, exact, CLASSIFIER, 1, screen),  # type: ignore[arg-type]
        exact,
        coarse,
    )


def pictures(*brightness: int) -> NDArray[np.uint8]:
    return np.stack([np.full((4, 4, 3), one, np.uint8) for one in brightness])


def test_every_decision_is_as_the_exact_network_takes_it() -> None:
    """Over all brightnesses, though the coarse one alone differs on some."""
    serving, exact, coarse = served()
    shades = pictures(*range(256))
    looked = serving.look(shades)
    wanted = [one.folder for one in CLASSIFIER.judge(Gray("float32", 1).embed(shades), 1)]
    alone = [one.folder for one in CLASSIFIER.judge(Gray("int8", 20).embed(shades), 1)]
    assert [one.folder for one in looked.verdicts] == wanted != alone
    assert coarse.seen == 256
    assert 0 < exact.seen < 64
    said = [one.precision for one in looked.verdicts]
    assert said.count("float32") == exact.seen
    assert said.count("int8-0a0b0c0d") == 256 - exact.seen


def test_embeddings_come_in_the_space_of_their_own() -> None:
    """int8's of every picture, float32's of those that were asked again."""
    serving, _, _ = served()
    shades = pictures(10, 175, 250, 182)
    looked = serving.look(shades)
    kept = {precision: (places.tolist(), rows) for precision, places, rows in looked.embeddings}
    assert list(kept) == ["int8-0a0b0c0d", "float32"]
    assert kept["int8-0a0b0c0d"][0] == [0, 1, 2, 3]
    assert kept["float32"][0] == [1, 3]
    assert kept["float32"][1][:, 0].tolist() == pytest.approx([175 / 255, 182 / 255])
    np.testing.assert_array_equal(serving.embed(shades[:1]), Gray("float32", 1).embed(shades[:1]))


def test_an_int8_word_that_has_come_close_is_asked_again() -> None:
    """The threshold has moved towards it since; another is as far as it was."""
    serving, _, _ = served()
    clear, near = serving.look(pictures(250, 140)).verdicts
    assert near.precision == clear.precision == "int8-0a0b0c0d"
    moved = replace(serving, classifier=Classifier(Certain(), [0.55]))
    assert moved.classifier.gap(near) < 0.4 < moved.classifier.gap(clear)
    assert moved.decide_again(near) is None
    assert moved.decide_again(clear) == clear
    exact = replace(near, precision="float32")
    assert moved.decide_again(exact) is not None
