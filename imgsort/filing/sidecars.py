"""Which files in a folder travel with a picture? Pure: names in, names out.

``IMG_1.xmp`` and ``IMG_1.jpg.xmp`` belong to ``IMG_1.jpg``; so does the camera RAW of the same
shot (``IMG_1.CR3``), what belongs to that (``IMG_1.CR3.xmp``), and what photo exports write. A RAW,
or a sidecar, without a picture belongs to nobody and stays where it is. Names are text as
``os.fsdecode`` gives it; only in a suffix does case not matter.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from imgsort.disk.composed import composed
from imgsort.filing import photo_exports
from imgsort.images import ALL_SUFFIXES, READABLE_SUFFIXES
from imgsort.workspace.template import split_name

RAW_SUFFIXES = (
    frozenset(
        {
            *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr"),
            *(".iiq", ".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef"),
            *(".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
        }
    )
    - ALL_SUFFIXES
)
DEVELOPED_SUFFIXES = frozenset({".jpg", ".jpeg", ".heic", ".heif", ".hif"})
"""What cameras write beside a RAW."""


def pair_up(
    names: Iterable[str], suffixes: Collection[str], readable: Collection[str] = READABLE_SUFFIXES
) -> dict[str, tuple[str, ...]]:
    """Each picture that has sidecars among ``names`` -> its sidecars, for one folder.

    ``suffixes`` are those of filing.sidecars, lower case with their dot; ``readable`` those of the
    pictures. A sidecar is listed once:
    where two pictures could have it (IMG_1.jpg, IMG_1.png) it goes with the first by name.
    """
    by_suffix = _by_suffix(names)
    raws = _among(by_suffix, RAW_SUFFIXES)
    sidecars = _among(by_suffix, frozenset(suffixes) - RAW_SUFFIXES - frozenset(readable))
    if not raws and not sidecars:
        return {}
    pictures = _among(by_suffix, readable)
    developed = _by_stem(_among(by_suffix, DEVELOPED_SUFFIXES))
    pairs: dict[str, list[str]] = {}
    # By full name (IMG_1.jpg.xmp), the RAWs of a pair included (IMG_1.CR3.xmp), then by stem.
    owners = {composed(picture): picture for picture in pictures}
    for raw in raws:
        owner = developed.get(composed(split_name(raw)[0]))
        if owner is not None:
            owners[composed(raw)] = owner
            pairs.setdefault(owner, []).append(raw)
    by_stem = _by_stem(pictures)
    for picture in pictures:
        owners.setdefault(_suffix_lowered(composed(picture)), picture)
    for sidecar in sidecars:
        owner = _owner(sidecar, owners, by_stem, pictures)
        if owner is not None:
            pairs.setdefault(owner, []).append(sidecar)
    return {picture: tuple(followers) for picture, followers in pairs.items()}


def _owner(
    sidecar: str, owners: Mapping[str, str], by_stem: Mapping[str, str], pictures: Sequence[str]
) -> str | None:
    stem, suffix = split_name(composed(sidecar))
    meant = [stem, _suffix_lowered(stem)]
    owner = next((owners[one] for one in meant if one in owners), None) or by_stem.get(stem)
    if owner is not None or suffix.lower() != photo_exports.SUFFIX:
        return owner
    meant = [_suffix_lowered(one) for one in photo_exports.pictures_meant(stem)]
    owner = next((owners[one] for one in meant if one in owners), None)
    return owner or photo_exports.cut_short(stem, pictures)


def possible_owners(sidecar: str, spellings: Iterable[str]) -> set[str]:
    """Names of pictures that the sidecar may belong to, to look which are there; ``spellings`` are
    the suffixes of pictures. A name that was cut short tells none."""
    stem, suffix = split_name(sidecar)
    full = [stem]
    if suffix.lower() == photo_exports.SUFFIX:
        full += photo_exports.pictures_meant(stem)
    stems = {stem, *(split_name(one)[0] for one in full)}
    return {*full, *(one + end for one in stems for end in spellings)}


def sidecars_of(
    name: str,
    siblings: Iterable[str],
    suffixes: Collection[str],
    readable: Collection[str] = READABLE_SUFFIXES,
) -> tuple[str, ...]:
    """The files among ``siblings`` (names in the same folder) that travel with picture ``name``.

    A picture is ready to be filed when these have stopped changing too.
    """
    return pair_up({name, *siblings}, suffixes, readable).get(name, ())


def is_sidecar(
    name: str,
    siblings: Iterable[str],
    suffixes: Collection[str],
    readable: Collection[str] = READABLE_SUFFIXES,
) -> bool:
    """Does ``name`` wait for a picture among ``siblings``, so that it isn't called unsupported?

    To ask this of a whole folder, call ``pair_up`` once.
    """
    pairs = pair_up({name, *siblings}, suffixes, readable)
    return any(name in followers for followers in pairs.values())


def renamed(sidecar: str, picture: str, new_picture: str) -> str:
    """What a sidecar is called when its picture becomes ``new_picture``."""
    return split_name(new_picture)[0] + tail(sidecar, picture)


def tail(sidecar: str, picture: str) -> str:
    """What a sidecar has after the stem it shares with its picture: ``.xmp``, ``.jpg.xmp``.

    Of one that a photo export named otherwise: what it would have if it shared it.
    """
    stem, suffix = split_name(picture)
    if sidecar.startswith(stem):
        return sidecar[len(stem) :]
    same = (at for at in range(len(sidecar), 0, -1) if composed(sidecar[:at]) == composed(stem))
    shared = next(same, None)
    return suffix + split_name(sidecar)[1] if shared is None else sidecar[shared:]


def _suffix_lowered(name: str) -> str:
    stem, suffix = split_name(name)
    return stem + suffix.lower()


def _by_suffix(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.rpartition(".")[2], []).append(name)
    return found


def _among(by_suffix: dict[str, list[str]], suffixes: Collection[str]) -> list[str]:
    """The names with one of these suffixes, in order."""
    return sorted(
        name
        for suffix, bearers in by_suffix.items()
        if f".{suffix.lower()}" in suffixes
        for name in bearers
    )


def _by_stem(names: Iterable[str]) -> dict[str, str]:
    """Stem, composed -> the first name that has it."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(composed(split_name(name)[0]), name)
    return found
