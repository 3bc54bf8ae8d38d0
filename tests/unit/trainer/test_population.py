"""Who picked the pictures that judge: weights, unknown parts, and a folder looked through whole."""

import numpy as np
import pytest

from imgsort.store.training import Arrived, Stratum
from imgsort.trainer.dataset.population import MOST_WEIGHT, SampleWeights, looked_through, weigh

CAT, DOG, OWL = (Stratum("filed", number) for number in (1, 2, 3))
UNSURE = Stratum("unsure", None)


def arrived(**images: int) -> dict[Stratum, Arrived]:
    """Filed pictures were 90 % sure on average, the others 40 %."""
    strata = {"cat": CAT, "dog": DOG, "owl": OWL, "unsure": UNSURE}
    return {
        strata[name]: Arrived(count, 0.4 if name == "unsure" else 0.9)
        for name, count in images.items()
    }


def weighed(images: dict[Stratum, Arrived], *runs: tuple[int, Stratum | None]) -> SampleWeights:
    """``(count, stratum)``, each picture a group of its own."""
    strata = [stratum for count, stratum in runs for _ in range(count)]
    return weigh(strata, range(len(strata)), images)


def test_a_picture_stands_for_its_like() -> None:
    """Thirty labels for 300 filed, ten for 700 unsure: each of the latter counts seven times."""
    found = weighed(arrived(cat=300, unsure=700), (30, CAT), (10, UNSURE))
    assert found.each[-1] / found.each[0] == pytest.approx(7)
    assert found.each.mean() == pytest.approx(1)
    assert found.unknown == 0
    right = np.array([True] * 30 + [False] * 10)
    assert found.estimate(right).share == pytest.approx(0.3)


def test_confirming_sorted_alone_flatters_nobody() -> None:
    """All 100 filed pictures checked and right, 100 unsure ones by nobody: of all that arrives not
    100 % are right but 70, or anything from half to all of it."""
    found = weighed(arrived(cat=100, unsure=100), (100, CAT))
    assert (found.unknown_unsure, found.unknown_filed) == (0.5, 0)
    right = np.ones(100, np.bool_)
    assert found.estimate(right).share == 1
    told = found.estimate(right, imputed=True)
    assert told.share == pytest.approx(0.5 + 0.5 * 0.4)
    assert told.low < 0.5
    assert told.high == pytest.approx(1)


def test_classes_that_nobody_looked_through_are_told() -> None:
    """As a share of all that arrived, apart from what is unsure."""
    found = weighed(arrived(cat=100, dog=60, owl=20, unsure=20), (10, CAT), (10, UNSURE))
    assert found.unknown_filed == pytest.approx(0.4)
    assert found.unknown_unsure == 0
    assert found.expected_filed == pytest.approx(0.9)


def test_a_few_labels_of_a_class_are_put_together() -> None:
    """Two labels of 100 dogs and two of 100 owls speak for filed pictures of such classes, not
    each for 50 dogs: one picture would move everything."""
    found = weighed(arrived(cat=100, dog=150, owl=50), (10, CAT), (2, DOG), (2, OWL))
    assert found.each[10] == pytest.approx(found.each[13])
    assert found.each[10] / found.each[0] == pytest.approx(5)
    assert found.unknown == 0


def test_no_picture_stands_for_too_many() -> None:
    """Five labels for half of what arrives: each counts as ten of an even draw would, not as a
    hundred, and the others make up for it."""
    found = weighed(arrived(cat=1_000, unsure=1_000), (995, CAT), (5, UNSURE))
    assert found.each[-1] == found.each.max() == pytest.approx(MOST_WEIGHT, rel=0.002)
    assert found.each.mean() == pytest.approx(1)


def test_imported_pictures_count_once() -> None:
    """Nothing of their like arrived through the inbox: they stand for themselves."""
    found = weighed({}, (30, None))
    assert found.each.tolist() == [1] * 30
    assert found.unknown == 0
    told = found.estimate(np.arange(30) < 27, imputed=True)
    assert told.share == pytest.approx(0.9)
    assert (round(told.low, 2), round(told.high, 2)) == (0.74, 0.97)


def test_an_interval_is_wider_where_few_speak_for_many() -> None:
    """Uneven weights and near-duplicates are less evidence than so many pictures apart."""
    even = weighed(arrived(cat=100, unsure=100), (50, CAT), (50, UNSURE))
    uneven = weighed(arrived(cat=10, unsure=190), (90, CAT), (10, UNSURE))
    right = np.arange(100) % 10 > 0
    alike = SampleWeights(even.each, np.arange(100) // 20, 0, 0, 0, 0)

    def width(weights: SampleWeights) -> float:
        found = weights.estimate(right)
        assert found.low <= found.share <= found.high
        return found.high - found.low

    assert width(uneven) > 1.5 * width(even)
    assert width(alike) > 2 * width(even)


def test_nothing_judged_is_nothing_known() -> None:
    """An estimate of no picture lies anywhere."""
    found = weighed(arrived(cat=10))
    assert (found.estimate(np.zeros(0, np.bool_)).low, found.unknown_filed) == (0.0, 1.0)
    assert found.estimate(np.zeros(0, np.bool_)).high == 1.0


def test_a_folder_looked_through_whole_was_not_picked_from() -> None:
    """Where nine in ten of a kind have a label nobody can have chosen among them; of dogs and of
    what is unsure somebody may have."""
    labels = [CAT] * 90 + [DOG] * 89 + [UNSURE] * 5
    of_labelled = {str(at): stratum for at, stratum in enumerate(labels)}
    whole = looked_through(of_labelled, arrived(cat=100, dog=100, unsure=50, owl=3))
    assert whole == {CAT}
