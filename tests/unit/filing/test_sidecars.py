"""Which files travel with a picture."""

import unicodedata

import pytest

from imgsort.filing.sidecars import is_sidecar, pair_up, renamed, sidecars_of

LONG = "IMG_20240101_120000_a_name_longer_than_that_"
SUFFIXES = (".xmp", ".json", ".txt", ".aae", ".thm")


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["IMG_1.jpg"], {}),
        (["IMG_1.jpg", "IMG_1.xmp"], {"IMG_1.jpg": ("IMG_1.xmp",)}),
        (["IMG_1.jpg", "IMG_1.jpg.xmp"], {"IMG_1.jpg": ("IMG_1.jpg.xmp",)}),
        (["IMG_1.JPG", "IMG_1.XMP"], {"IMG_1.JPG": ("IMG_1.XMP",)}),
        (["IMG_1.jpg", "img_1.xmp", "IMG_10.xmp", "xIMG_1.xmp"], {}),
        (["IMG_1.jpg", "IMG_1.mp4", "IMG_1.pdf"], {}),
        (["IMG_1.xmp", "IMG_1.txt"], {}),
        (["IMG_1.jpg", "IMG_1.CR3"], {"IMG_1.jpg": ("IMG_1.CR3",)}),
        (["IMG_1.png", "IMG_1.CR3"], {}),
        (["IMG_1.CR3", "IMG_1.CR3.xmp"], {}),
        (
            ["IMG_1.jpg", "IMG_1.CR3", "IMG_1.CR3.xmp"],
            {"IMG_1.jpg": ("IMG_1.CR3", "IMG_1.CR3.xmp")},
        ),
        (["IMG_1.png", "IMG_1.jpg", "IMG_1.xmp"], {"IMG_1.jpg": ("IMG_1.xmp",)}),
        (
            ["IMG_1.png", "IMG_1.jpg", "IMG_1.png.xmp", "IMG_1.jpg.xmp"],
            {"IMG_1.jpg": ("IMG_1.jpg.xmp",), "IMG_1.png": ("IMG_1.png.xmp",)},
        ),
        (["a.b.jpg", "a.b.xmp", "a.xmp"], {"a.b.jpg": ("a.b.xmp",)}),
        (["P1.PNG", "P1.png.xmp"], {"P1.PNG": ("P1.png.xmp",)}),
        (["P1.png", "P1.PNG", "P1.PNG.xmp"], {"P1.PNG": ("P1.PNG.xmp",)}),
        (
            ["a.jpg", "a.jpg.supplemental-metadata.json"],
            {"a.jpg": ("a.jpg.supplemental-metadata.json",)},
        ),
        (["a.jpg", "a.jpg.supplem.json"], {"a.jpg": ("a.jpg.supplem.json",)}),
        (["a.jpg", "a.jpg..json"], {"a.jpg": ("a.jpg..json",)}),
        (["a.jpg", "a.jpg.sepia.json"], {}),
        (
            ["a.jpg", "a(1).jpg", "a.jpg.supplemental-metadata(1).json", "a.jpg.supp.json"],
            {"a.jpg": ("a.jpg.supp.json",), "a(1).jpg": ("a.jpg.supplemental-metadata(1).json",)},
        ),
        (["a(2).jpg", "a.jpg(2).json"], {"a(2).jpg": ("a.jpg(2).json",)}),
        (["a(2).JPG", "a(2).jpg.json"], {"a(2).JPG": ("a(2).jpg.json",)}),
        ([f"{LONG}xyz.jpg", f"{LONG}x.json"], {f"{LONG}xyz.jpg": (f"{LONG}x.json",)}),
        ([f"{LONG}xy(1).jpg", f"{LONG}x(1).json"], {f"{LONG}xy(1).jpg": (f"{LONG}x(1).json",)}),
        ([f"{LONG}xyz.jpg", f"{LONG}xya.jpg", f"{LONG}x.json"], {}),
        (["\udce9.jpg", "\udce9.xmp"], {"\udce9.jpg": ("\udce9.xmp",)}),
    ],
)
def test_sidecars_find_their_picture(names: list[str], pairs: dict[str, tuple[str, ...]]) -> None:
    """By stem or by full name; a RAW only beside a JPEG; each to the first picture by name."""
    assert pair_up(names, SUFFIXES) == pairs
    for name in names:
        assert sidecars_of(name, names, SUFFIXES) == pairs.get(name, ())
        followers = {follower for one in pairs.values() for follower in one}
        assert is_sidecar(name, names, SUFFIXES) == (name in followers)


def test_a_readable_suffix_is_never_a_sidecars() -> None:
    """A picture stays a picture, even if filing.sidecars lists its suffix."""
    assert pair_up(["a.jpg", "a.png"], (".png",)) == {}


@pytest.mark.parametrize(
    ("sidecar", "picture", "expected"),
    [
        ("a.jpg.supplemental-metadata(1).json", "a(1).jpg", "b_2.jpg.json"),
        (f"{LONG}x.json", f"{LONG}xyz.jpg", "b_2.jpg.json"),
        ("a.png.xmp", "a.PNG", "b_2.png.xmp"),
    ],
)
def test_what_an_export_names_otherwise_shares_the_stem_from_then_on(
    sidecar: str, picture: str, expected: str
) -> None:
    """Filed together they are found together again, by the plain rule."""
    new = f"b_2{picture[picture.rindex('.') :]}"

    assert renamed(sidecar, picture, new) == expected
    assert sidecars_of(new, [expected], SUFFIXES) == (expected,)


@pytest.mark.parametrize(
    ("sidecar", "expected"),
    [
        ("IMG_1.xmp", "2024 IMG_1_2.xmp"),
        ("IMG_1.jpg.xmp", "2024 IMG_1_2.jpg.xmp"),
        ("IMG_1.CR3", "2024 IMG_1_2.CR3"),
        ("IMG_1.CR3.xmp", "2024 IMG_1_2.CR3.xmp"),
    ],
)
def test_a_sidecar_takes_its_pictures_new_stem(sidecar: str, expected: str) -> None:
    """However the picture is renamed, the pair stays a pair."""
    assert renamed(sidecar, "IMG_1.jpg", "2024 IMG_1_2.jpg") == expected


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Käfer") for form in ("NFC", "NFD"))
SUPPLEMENTAL = ".jpg.supplemental-metadata.json"


@pytest.mark.parametrize(
    ("picture", "sidecar", "tail"),
    [
        (f"{COMPOSED}.jpg", f"{DECOMPOSED}.xmp", ".xmp"),
        (f"{DECOMPOSED}.jpg", f"{COMPOSED}.xmp", ".xmp"),
        (f"{DECOMPOSED}.jpg", f"{COMPOSED}.jpg.xmp", ".jpg.xmp"),
        (f"{COMPOSED}.jpg", f"{DECOMPOSED}.CR3", ".CR3"),
        (f"{COMPOSED}.JPG", f"{DECOMPOSED}.jpg.json", ".jpg.json"),
        (f"{DECOMPOSED}.jpg", f"{COMPOSED}.jpg.supplemental-metadata.json", SUPPLEMENTAL),
        (f"{DECOMPOSED}(1).jpg", f"{COMPOSED}.jpg.supplemental-metadata(1).json", ".jpg.json"),
        (f"{COMPOSED}{LONG}yz.jpg", f"{DECOMPOSED}{LONG}y.json", ".jpg.json"),
    ],
)
def test_a_sidecar_of_another_spelling_travels_too(picture: str, sidecar: str, tail: str) -> None:
    """A photo program on a Mac wrote one of them; beside each other they are spelled alike."""
    assert pair_up([picture, sidecar], SUFFIXES) == {picture: (sidecar,)}
    assert renamed(sidecar, picture, "other.jpg") == f"other{tail}"
