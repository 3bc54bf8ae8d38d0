"""How low the first model's threshold may go, by what people said of its pictures."""

from imgsort.records.verdict import Score, Verdict
from imgsort.trainer.evaluation.lower_threshold import Relaxed, relaxed


def verdicts(*scores: float) -> list[Verdict]:
    return [
        Verdict("cat", each, "filed" if each >= 0.7 else "unsure", None, (Score("cat", each),))
        for each in scores
    ]


def test_it_goes_as_low_as_the_target_allows() -> None:
    """60 right ones, then as many that are half wrong: the threshold stays above those."""
    scores = [0.9] * 30 + [0.5] * 30 + [0.3] * 60
    truth = ["cat"] * 60 + ["cat", "dog"] * 30
    assert relaxed(verdicts(*scores), truth, 0.7, 0.95) == Relaxed(0.5, 60, 60, 30, 120)


def test_few_pictures_are_no_evidence() -> None:
    """Of 20 pictures all may be right by chance: 95 % isn't shown."""
    assert relaxed(verdicts(*[0.5] * 20), ["cat"] * 20, 0.7, 0.95) is None
    assert relaxed(verdicts(*[0.5] * 20), ["cat"] * 20, 0.7, 0.8) is not None


def test_a_typed_number_files_what_was_counted() -> None:
    """Two decimals, rounded down: a picture at 0.4567 is filed at 0.45, and was counted so."""
    found = relaxed(verdicts(*[0.4567] * 60, *[0.453] * 40), ["cat"] * 60 + ["dog"] * 40, 0.7, 0.9)
    assert found is None
    found = relaxed(verdicts(*[0.4567] * 60), ["cat"] * 60, 0.7, 0.9)
    assert found == Relaxed(0.45, 60, 60, 0, 60)


def test_little_is_not_worth_a_word() -> None:
    """Nothing is said where a lower threshold would file hardly more, or wrong ones."""
    assert relaxed(verdicts(*[0.9] * 95, *[0.6] * 5), ["cat"] * 100, 0.7, 0.9) is None
    assert relaxed(verdicts(*[0.5] * 100), ["dog"] * 100, 0.7, 0.95) is None
    assert relaxed(verdicts(*[0.1] * 100), ["cat"] * 100, 0.7, 0.95) is None
    assert relaxed([], [], 0.7, 0.95) is None
