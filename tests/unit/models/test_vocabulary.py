"""What the words of --classes stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.errors import BadLabel, WordProblem
from imgsort.models.vocabulary import (
    Vocabulary,
    Word,
    imagenet_names,
    resolve,
    split_words,
)
from imgsort.models.wordnet import class_name, imagenet_classes, key, known_words, sense, senses
from imgsort.workspace.class_names import checked_label
from imgsort.workspace.singular import singulars

BIG_CATS = "n02127808"


def only(word: str) -> Word:
    [found] = resolve([word]).words
    return found


def test_words_become_disjoint_sets_of_imagenet_classes() -> None:
    """The issue's own example needs no question and covers the classes one expects."""
    vocabulary = resolve(["cat", "dog", "snake"])
    vocabulary.require_clear()
    cat, dog, snake = vocabulary.words
    assert [class_name(index) for index in cat.indices] == [
        "tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat", "cougar", "lynx",
    ]  # fmt: skip
    assert dog.indices == tuple(range(151, 269))
    assert snake.indices == tuple(range(52, 69))
    groups = vocabulary.groups()
    assert groups.shape == (3, 1000)
    assert groups.sum(axis=1).tolist() == [7, 118, 17]
    assert groups.sum(axis=0).max() == 1


@pytest.mark.parametrize(
    ("typed", "lemma"),
    [
        ("cats", "cat"),
        ("Dogs", "dog"),
        ("wolves", "wolf"),
        ("knives", "knife"),
        ("gloves", "glove"),
        ("geese", "goose"),
        ("mice", "mouse"),
        ("foxes", "fox"),
        ("buses", "bus"),
        ("butterflies", "butterfly"),
        ("fungi", "fungus"),
        ("people", "person"),
        ("sea lions", "sea_lion"),
        ("snowmobiles", "snowmobile"),
        ("Great-White  Shark", "great_white_shark"),
        ("great_white_sharks", "great_white_shark"),
        ("jack o lantern", "jack-o'-lantern"),
        ("jack-o\u2019-lantern", "jack-o'-lantern"),
        ("GOLDEN RETRIEVER", "golden_retriever"),
    ],
)
def test_plurals_and_spellings_find_their_lemma(typed: str, lemma: str) -> None:
    """The meaning is the lemma's; the folder keeps the name as typed."""
    word = only(typed)
    assert word.indices == senses(lemma)[0].indices
    assert word.name == typed


@pytest.mark.parametrize("word", ["glasses", "cows", "brass", "bus", "lens", "tights", "works"])
def test_the_word_itself_comes_before_its_singular(word: str) -> None:
    """`glasses` are spectacles, not several a glass."""
    assert (only(word).sense or only(word).candidates[0]) in senses(word)


def test_singulars_leave_words_in_ss_alone() -> None:
    """`bass` is no plural of `bas`."""
    assert list(singulars("bass")) == []


@pytest.mark.parametrize(
    ("word", "wnids"),
    [
        ("crane", ("n03126707", "n02012849")),
        ("cranes", ("n03126707", "n02012849")),
        ("plant", ("n03956922", "n00017222")),
        ("plane", ("n02691156", "n03954731")),
        ("car", ("n02958343", "n02959942")),
    ],
)
def test_a_word_with_several_meanings_is_asked_about(word: str, wnids: tuple[str, ...]) -> None:
    """The candidates come back; without an answer it is a problem that names each form."""
    vocabulary = resolve([word])
    [asked] = vocabulary.ambiguous
    assert tuple(meaning.wnid for meaning in asked.candidates) == wnids
    assert asked.indices == ()
    with pytest.raises(WordProblem) as problem:
        vocabulary.require_clear()
    assert all(f"--classes {word}={wnid}" in str(problem.value) for wnid in wnids)
    with pytest.raises(WordProblem):
        vocabulary.groups()


def test_the_question_explains_each_meaning() -> None:
    """Its words, what it is a kind of, and what of ImageNet it covers."""
    with pytest.raises(WordProblem) as problem:
        resolve(["cat", "plant"]).require_clear()
    assert str(problem.value) == (
        "plant means several things; say which one: "
        "--classes plant=n03956922 (plant, works: a kind of building complex, such as lumbermill); "
        "--classes plant=n00017222 (plant, flora: a kind of organism, such as daisy and "
        "yellow lady's slipper)."
    )


def test_the_kind_of_a_meaning_covers_all_of_it() -> None:
    """A tabby is a domestic animal too, but cats that are none make the cat a feline."""
    cat = only("cat").sense
    assert cat is not None
    assert cat.parent == "feline"


def test_each_answer_of_a_question_is_accepted() -> None:
    """For every ambiguous word there is: name=wnid settles it."""
    asked = [found for word in known_words() for found in resolve([word]).ambiguous]
    assert len(asked) > 50
    for word in asked:
        for meaning in word.candidates:
            settled = resolve([f"{word.name}={meaning.wnid}"])
            settled.require_clear()
            assert settled.words[0].indices == meaning.indices


def test_a_cat_is_not_a_big_cat() -> None:
    """The plain meaning is taken, the other one is named."""
    cat = only("cat")
    assert cat.candidates == ()
    assert [meaning.wnid for meaning in cat.others] == [BIG_CATS]
    [row] = resolve(["cat"]).rows()
    assert f"(cat={BIG_CATS})" in row.note
    [big] = resolve([f"cat={BIG_CATS}"]).words
    assert "lion" in [class_name(index) for index in big.indices]


def test_meanings_that_cover_the_same_classes_are_one() -> None:
    """No question whose answers make no difference."""
    for word in known_words():
        covered = [meaning.indices for meaning in senses(word)]
        assert len(set(covered)) == len(covered)
        assert all(covered)


@pytest.mark.parametrize(
    ("words", "names", "example"),
    [
        (["dog", "animal"], ("dog", "animal"), "Chihuahua"),
        (["bird", "cats", "cat"], ("cats", "cat"), "tabby"),
        (["kitty=cat", "tabby"], ("kitty", "tabby"), "tabby"),
        (["crane=n02012849", "bird"], ("crane", "bird"), "crane"),
    ],
)
def test_words_that_overlap_are_refused(
    words: list[str], names: tuple[str, str], example: str
) -> None:
    """Both are named, with a class they share."""
    with pytest.raises(WordProblem) as problem:
        resolve(words)
    assert f"{names[0]} and {names[1]} overlap in" in str(problem.value)
    assert example in str(problem.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cat", "cat"], "cat is named twice; leave one of them out."),
        (["zork", "zork"], "zork is named twice; leave one of them out."),
        (["crane", "crane"], "crane is named twice; leave one of them out."),
        (
            ["Zork", "zork"],
            "Zork and zork would be one folder where case doesn't count; leave one of them out.",
        ),
    ],
)
def test_a_name_given_twice_is_refused(words: list[str], message: str) -> None:
    """Even when it stands for nothing, and even in another case."""
    with pytest.raises(WordProblem) as problem:
        resolve(words)
    assert str(problem.value) == message


@pytest.mark.parametrize(
    ("word", "closest"),
    [
        ("teddybear", "teddy bear"),
        ("retreiver", "retriever"),
        ("shepherds", "German shepherd"),
        ("elefant", "elephant"),
    ],
)
def test_a_word_that_stands_for_nothing_is_an_empty_folder_with_suggestions(
    word: str, closest: str
) -> None:
    """Nothing is guessed: it is learned from labels later."""
    vocabulary = resolve([word])
    assert vocabulary.words[0].indices == ()
    assert closest.lower() in vocabulary.words[0].suggestions
    assert not vocabulary.groups().any()
    [row] = vocabulary.rows()
    assert (row.classes, row.examples) == (0, ())
    assert row.note.startswith("stands for nothing yet")
    assert closest.lower() in row.note


def test_a_name_may_be_given_its_meaning() -> None:
    """By word, by id, or none at all."""
    kitty, flora, mouse = resolve(["kitty = cat", "flora=n00017222", "mouse="]).words
    assert (kitty.name, kitty.indices) == ("kitty", only("cat").indices)
    assert (flora.name, flora.sense) == ("flora", sense("n00017222"))
    assert (mouse.name, mouse.indices) == ("mouse", ())


def test_an_ambiguous_meaning_is_asked_about_under_its_own_name() -> None:
    """The answer keeps the folder the user wanted."""
    with pytest.raises(WordProblem, match="--classes bird=n02012849"):
        resolve(["bird=crane"]).require_clear()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            "x=n12345678",
            "x=n12345678: n12345678 covers no ImageNet class; write a word instead, as in "
            "--classes x=cat.",
        ),
        (
            "x=elefant",
            "x=elefant: 'elefant' stands for no ImageNet class (closest: elephant); write another "
            "word, or --classes x for a folder that learns from your labels alone.",
        ),
    ],
)
def test_a_meaning_that_is_not_known_is_refused(typed: str, message: str) -> None:
    """What the user spelled out isn't quietly dropped."""
    with pytest.raises(WordProblem) as problem:
        resolve([typed])
    assert str(problem.value) == message


@pytest.mark.parametrize("typed", ["../x", "a/b", "", "=cat", "..=cat", "\u202ecat", "x" * 300])
def test_names_go_through_the_one_gate(typed: str) -> None:
    """A class name no folder may bear is refused before anything is looked up."""
    with pytest.raises(BadLabel):
        resolve([typed])


@given(st.lists(st.text(max_size=12), max_size=3))
def test_any_text_is_resolved_or_refused(words: list[str]) -> None:
    """No input raises anything but the two errors a user understands."""
    try:
        vocabulary = resolve(words)
    except (BadLabel, WordProblem):
        return
    assert [row.word for row in vocabulary.rows()] == list(vocabulary.names)


def test_rows_say_what_each_word_stands_for() -> None:
    """How many classes, the first few by name, and the meaning in words."""
    rows = resolve(["dogs", "mouse", "crane", "zzzz"]).rows()
    assert [(row.word, row.classes) for row in rows] == [
        ("dogs", 118),
        ("mouse", 1),
        ("crane", 0),
        ("zzzz", 0),
    ]
    assert rows[0].examples == ("Chihuahua", "Japanese spaniel", "Maltese dog")
    assert rows[1].note == "mouse, computer mouse: a kind of electronic device"
    assert rows[2].note.startswith("means several things: crane: a kind of lifting device")
    assert rows[3].note == "stands for nothing yet: the folder learns from your labels"


def test_without_classes_the_thousand_have_unique_folder_names() -> None:
    """First lemma, lower case, underscores; names two classes share get a telling suffix."""
    names = imagenet_names()
    assert len(names) == 1000
    assert len({name.casefold() for name in names}) == 1000
    assert [checked_label(name) for name in names] == list(names)
    assert names[2] == "great_white_shark"
    shared = [names[i] for i in (134, 517, 264, 474, 638, 639)]
    assert shared == [
        "crane_bird", "crane_machine", "cardigan_dog", "cardigan_sweater", "maillot_tights",
        "maillot_swimsuit",
    ]  # fmt: skip
    for index, one in enumerate(imagenet_classes()):
        assert one.index == index
        assert key(names[index]).startswith(key(one.lemmas[0]))


def test_the_vocabulary_of_the_thousand_is_one_class_each() -> None:
    """Every class stands for itself alone."""
    named = zip(imagenet_names(), imagenet_classes(), strict=True)
    vocabulary = Vocabulary(tuple(Word(name, sense(one.wnid)) for name, one in named))
    assert np.array_equal(vocabulary.groups(), np.eye(1000, dtype=np.bool_))


def test_no_word_gives_no_class() -> None:
    """A vocabulary may be empty: everything is learned later."""
    assert resolve([]) == Vocabulary(())
    assert Vocabulary(()).groups().shape == (0, 1000)


def test_words_are_split_at_commas() -> None:
    """Blanks and empty pieces don't count."""
    assert split_words(" cat, sea lion ,,dog,") == ["cat", "sea lion", "dog"]
