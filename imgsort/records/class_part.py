"""Which folder of a way below sorted/ is the class, where that needn't be the first? Pure.

A template with the station before the class makes ``north/cat`` and ``south/cat``. Pictures that an
earlier template filed (``cat/north``) lie there still, people nest folders, and a station may bear
the name of a class. So a way is read by the template, by the names of the classes, and by the
folders of the inbox, which tell the stations; where those contradict each other it is not read.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from imgsort.disk.composed import composed
from imgsort.errors import BadLabel
from imgsort.workspace.class_names import checked_label
from imgsort.workspace.template import SUBFOLDER, UNKNOWN, Template, folder_name


@lru_cache(maxsize=4096)
def class_of_folder(name: str) -> str | None:
    """The class that a folder stands for; None where its name can't be a class."""
    try:
        return checked_label(name)
    except BadLabel:
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known to read a way by."""

    stations: int | None
    """Folders before the class; None: as many as the picture's way in the inbox had."""
    after: int
    """Folders that the template makes below the class's."""
    classes: frozenset[str]
    """Names, of the retired too."""
    ways: frozenset[str]
    """Whole ways of stations, as they are below sorted/: ``north`` and ``north/7``."""
    names: frozenset[str]
    """The names of single folders that stand for stations."""
    tells_ways: bool = False
    """Do the folders before the class make up the way in the inbox, as far as they go?"""
    _read: dict[tuple[str, ...], int | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What has been read: many pictures lie in few folders."""

    @classmethod
    def of(cls, template: Template, classes: Collection[str], subfolders: Collection[str]) -> Self:
        """``subfolders``: the ways in the inbox that pictures came from."""
        ways = [_way(each) for each in subfolders]
        whole = {tuple(way[:depth]) for way in ways for depth in range(1, len(way) + 1)}
        variable = SUBFOLDER in template.before
        levels = tuple(f"{{folder{depth}}}" for depth in range(1, len(template.before) + 1))
        return cls(
            stations=None if variable else len(template.before),
            after=len(template.after),
            classes=frozenset(classes),
            ways=frozenset("/".join(way) for way in whole) if variable else frozenset(),
            tells_ways=bool(template.before) and (variable or template.before == levels),
            names=frozenset({UNKNOWN, *(name for way in ways for name in way)}),
        )

    def class_part(self, folders: tuple[str, ...]) -> int | None:
        """The place of the class among the ``folders`` from sorted/ to a picture; None where there
        is none, or where it can't be told."""
        if folders not in self._read:
            self._read[folders] = self._class_part(folders)
        return self._read[folders]

    def _class_part(self, folders: Sequence[str]) -> int | None:
        named = [at for at, folder in enumerate(folders) if self._is_class(folder)]
        sure = [at for at in named if not self._is_station(folders[at])]
        expected = self._expected(folders)
        sole = sure[0] if len(sure) == 1 and sure == named else None
        if expected is None or class_of_folder(folders[expected]) is None:
            return sole
        if expected in named:
            return self._named(folders, expected, named, sure)
        if self._is_station(folders[expected]):
            return sole
        if sure:  # a folder within a class, rather than a class within a station called like one
            return sure[0] if len(sure) == 1 and sure[0] < expected else None
        return None if named else expected

    def _named(
        self, folders: Sequence[str], expected: int, named: Sequence[int], sure: Sequence[int]
    ) -> int | None:
        """The folder that should be the class is called like one."""
        name = class_of_folder(folders[expected])
        in_stations = all(self._is_station(folder) for folder in folders[:expected])
        if not self._is_station(folders[expected]):
            rivals = [at for at in sure if class_of_folder(folders[at]) != name]
            return expected if in_stations or not rivals else None
        rivals = [at for at in named if class_of_folder(folders[at]) != name]
        if rivals:
            earlier = rivals[0] < expected or not self.stations
            return rivals[0] if len(rivals) == 1 and rivals[0] in sure and earlier else None
        whole = "/".join(map(composed, folders))
        return expected if in_stations and whole not in self.ways else None

    def _expected(self, folders: Sequence[str]) -> int | None:
        if self.stations is not None:
            return self.stations if self.stations < len(folders) else None
        end = len(folders) - 1 - self.after
        start = next(
            (
                depth
                for depth in range(len(folders) - 1, 0, -1)
                if "/".join(map(composed, folders[:depth])) in self.ways
            ),
            None,
        )
        if start is not None and (start == end or self._is_class(folders[start])):
            return start
        if end >= 0 and (start is None or self._is_class(folders[end])):
            return end
        return None

    def _is_class(self, folder: str) -> bool:
        return class_of_folder(folder) in self.classes

    def _is_station(self, folder: str) -> bool:
        return composed(folder) in self.names


def _way(subfolder: str) -> list[str]:
    """As ``Template.render`` makes it."""
    return [composed(folder_name(each)) for each in subfolder.split("/") if each]
