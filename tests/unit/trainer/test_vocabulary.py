"""Which classes a new model tells: the user's own, or ImageNet's names while they have none."""

from imgsort.trainer.head.vocabulary import IMAGENET, LabelVocabulary, vocabulary

THOUSAND = range(1, IMAGENET + 1)
OWN = IMAGENET + 1
NAMES = {number: f"name {number}" for number in range(1, OWN + 1)}
REST = tuple(range(3, IMAGENET + 1))


def told(labelled: set[int], first: range, *, named: bool = False) -> LabelVocabulary:
    return vocabulary(labelled, REST, first, NAMES, named=named)


def test_imagenets_names_stay_while_every_label_is_one() -> None:
    """Somebody who corrects tabby to egyptian_cat still uses the other 998."""
    assert told({1, 2}, THOUSAND) == LabelVocabulary(REST, ())


def test_the_first_class_of_ones_own_makes_the_vocabulary_ones_own() -> None:
    """What has no label retires, by name."""
    found = told({1, OWN}, THOUSAND)
    assert found.unlabelled == ()
    assert found.retired == tuple(NAMES[number] for number in REST)


def test_an_import_names_the_classes() -> None:
    """Its folders are all that its owner cares about, be they called as ImageNet's are."""
    found = told({1, 2}, THOUSAND, named=True)
    assert (found.unlabelled, len(found.retired)) == ((), IMAGENET - 2)


def test_words_given_at_init_stay() -> None:
    """Classes that somebody named are theirs, labelled or not, whatever is imported besides."""
    assert told({1, OWN}, range(1, 4)) == LabelVocabulary(REST, ())
    assert told({1, 2}, range(1, 4), named=True) == LabelVocabulary(REST, ())
    assert told({1, OWN}, range(0)) == LabelVocabulary(REST, ())
