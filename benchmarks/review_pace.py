"""Pictures a minute of somebody who knows the truth, and how many of the words are wrong.

    python benchmarks/review_pace.py DATA [--pictures 100] [--look 0.5]

Of three sets so many pictures each, filed by a first model (of trashnet by one that has learned
from ten pictures a class). Then, on copies of the same workspace, a scripted person says of every
one what it is: one by one at the page, each with its key; by sheets, the wrong ones with a key and
the rest at once; and with a file manager, moving the wrong ones and confirming the folders. The
person looks at each picture for ``--look`` seconds where it is shown alone, and for a fifth of that
where it is one of a sheet or of a folder; 0 tells what page and program take by themselves. A word
is wrong that isn't the truth in the end. Needs Playwright and Debian's chromium.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from page_server import Server, chromium
from playwright.sync_api import Browser, Page

SETS = {
    "cats_dogs_snakes": ("cat", "dog", "snake"),
    "ants_bees": ("ant", "bee"),
    "trashnet": ("cardboard", "glass", "metal", "paper", "plastic", "trash"),
}
TAUGHT = "trashnet"
LESSON = 10
ON_A_SHEET = 0.2
"""Of the time for a picture that is shown alone."""
SEEN_SECONDS = 0.35
"""So long a sheet must be there to count as seen."""
Person = Callable[[Path, Browser, float], float]
"""Takes so many seconds, from the open page on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--pictures", type=int, default=100, help="of each set")
    parser.add_argument("--look", type=float, default=0.5, help="seconds")
    parser.add_argument("--json", type=Path, help="what other sets took, to be added to")
    options = parser.parse_args()
    known = options.json and options.json.exists()
    took: dict[str, list[float]] = json.loads(options.json.read_text()) if known else {}
    with tempfile.TemporaryDirectory(prefix="imgsort-pace-") as folder, chromium() as browser:
        for name in options.sets:
            root = Path(folder) / name
            filed(options.data / name, root, name, options.pictures)
            for way, person in WAYS.items():
                copy = Path(folder) / f"{name}-{way.replace(' ', '-')}"
                shutil.copytree(root, copy, symlinks=True)
                measured = (person(copy, browser, options.look), len(mistakes(copy)), counted(root))
                before = took.get(way, [0.0, 0, 0])
                took[way] = [sum(pair) for pair in zip(before, measured, strict=True)]
                print(f"({name}, {way}: {measured[0]:.0f} s)", flush=True)
    if options.json:
        options.json.write_text(json.dumps(took))
    print("| way | pictures a minute | wrong words |\n|---|---|---|")
    for way, (seconds, wrong, said) in took.items():
        print(f"| {way} | {60 * said / seconds:,.0f} | {wrong:.0f} of {said:.0f} |")


def imgsort(root: Path, *words: str) -> str:
    command = [sys.executable, "-m", "imgsort", "-C", str(root), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def filed(data: Path, root: Path, name: str, number: int) -> None:
    """A workspace whose daemon has filed these, each called by its truth: ``cat-07.jpg``."""
    classes = SETS[name]
    photos = {
        word: sorted(
            path
            for path in data.rglob("*")
            if path.is_file() and path.parent.name in {word, f"{word}s"}
        )
        for word in classes
    }
    start = ["--classes", ",".join(classes)]
    if name == TAUGHT:
        lesson = root.with_name(f"{name}-lesson")
        for word in classes:
            (lesson / word).mkdir(parents=True)
            for photo in photos[word][:LESSON]:
                shutil.copy2(photo, lesson / word)
            photos[word] = photos[word][LESSON:]
        start = ["--from", str(lesson)]
    root.mkdir()
    imgsort(root, "init", *start, "--backbone", "efficientnet-lite0")
    each = -(-number // len(classes))
    for word in classes:
        for place, photo in enumerate(photos[word][:each]):
            shutil.copy2(photo, root / "inbox" / f"{word}-{place:03}{photo.suffix}")
    imgsort(root, "run", "--once", "--quiet")


def truths(root: Path) -> list[dict[str, Any]]:
    """The log's rows of the pictures whose names tell what they are."""
    rows: list[dict[str, Any]] = json.loads(imgsort(root, "log", "--json"))
    return [row for row in rows if row["name"].partition("-")[0] in {*sum(SETS.values(), ())}]


def counted(root: Path) -> int:
    return len(truths(root))


def mistakes(root: Path) -> list[str]:
    return [
        f"{row['name']}: {row['human_label']}"
        for row in truths(root)
        if row["human_label"] != row["name"].partition("-")[0]
    ]


@contextmanager
def at_page(root: Path, browser: Browser) -> Iterator[Page]:
    """At its link, the first sheet painted."""
    with (
        closing(Server(root)) as server,
        closing(browser.new_page(viewport={"width": 1280, "height": 800})) as page,
    ):
        page.goto(server.link)
        page.locator(".tile[data-painted], .empty:not([hidden])").first.wait_for()
        yield page


def one_by_one(root: Path, browser: Browser, look: float) -> float:
    """Unsure ones, then class after class: each picture its key."""
    with at_page(root, browser) as page:
        began = time.perf_counter()
        for screen in screens(page):
            for place in range(opened(page, screen)):
                tile = page.locator(f"#tile-{place}.focus[data-painted]")
                tile.wait_for()
                time.sleep(look)
                page.keyboard.press(key_of(page, truth_of(tile.get_attribute("aria-label"))))
            written(page)
        return time.perf_counter() - began


def by_sheets(root: Path, browser: Browser, look: float) -> float:
    """On each sheet the wrong ones with a key, then all the others at once."""
    with at_page(root, browser) as page:
        began = time.perf_counter()
        for screen in screens(page):
            total, met = opened(page, screen), set()
            while len(met) < total:
                page.wait_for_timeout(1000 * SEEN_SECONDS)
                new = [one for one in shown(page) if one[0] not in met]
                time.sleep(ON_A_SHEET * look * len(new))
                for place, name, guess in new:
                    if guess != truth_of(name):
                        page.locator(f"#tile-{place}").click()
                        page.keyboard.press(key_of(page, truth_of(name)))
                met.update(place for place, *_ in new)
                page.keyboard.press("Shift+Enter")
            written(page)
        return time.perf_counter() - began


def with_a_file_manager(root: Path, browser: Browser, look: float) -> float:
    """Each wrong one into its folder, then every folder confirmed."""
    del browser
    began = time.perf_counter()
    found = [path for room in ("unsure", "sorted") for path in (root / room).rglob("*-*")]
    for path in found:
        time.sleep(ON_A_SHEET * look)
        truth = truth_of(path.name)
        if path.parent.name != truth:
            (root / "sorted" / truth).mkdir(exist_ok=True)
            path.rename(root / "sorted" / truth / path.name)
    for folder in (root / "sorted").iterdir():
        imgsort(root, "confirm", str(folder))
    return time.perf_counter() - began


def screens(page: Page) -> list[str]:
    """Where pictures lie that wait for a word."""
    page.locator(".places a[href^='#class=']").first.wait_for()
    links = page.locator(".places a[href^='#class=']").all()
    return ["#unsure", *(link.get_attribute("href") or "" for link in links)]


def opened(page: Page, screen: str) -> int:
    """How many of it nobody has spoken of."""
    page.evaluate(f"location.hash = '{screen}'")
    page.locator(f".places a[href='{screen}'][aria-current]").wait_for()
    page.locator(".count:not(:empty), .empty:not([hidden])").first.wait_for()
    if screen != "#unsure":
        page.get_by_label("Which").select_option(label="nobody has said")
        page.wait_for_timeout(300)
    text = page.locator(".count").inner_text()
    return int(text.split()[0].replace(",", "")) if text[:1].isdigit() else 0


def shown(page: Page) -> list[tuple[int, str, str]]:
    """Place, name and guess of every picture of this sheet that is painted."""
    found: list[tuple[int, str, str]] = page.evaluate(
        """() => {
          const box = document.querySelector(".grid").getBoundingClientRect();
          return [...document.querySelectorAll(".tile[data-painted]")].filter((tile) => {
            const place = tile.getBoundingClientRect();
            return place.top >= box.top - 1 && place.bottom <= box.bottom + 1;
          }).map((tile) => [Number(tile.dataset.index), tile.getAttribute("aria-label"),
            (tile.querySelector(".word .guess")?.textContent ?? "").replace("?", "")]);
        }"""
    )
    return [(place, name, guess) for place, name, guess in found]


def truth_of(name: str | None) -> str:
    return (name or "").partition("-")[0]


def key_of(page: Page, word: str) -> str:
    chip = page.locator(".bar .chip[aria-keyshortcuts]").filter(has_text=word).first
    return chip.get_attribute("aria-keyshortcuts") or ""


def written(page: Page) -> None:
    while page.evaluate("sessionStorage['imgsort-queue'] ?? '[]'") != "[]":
        page.wait_for_timeout(50)


WAYS: dict[str, Person] = {
    "one by one": one_by_one,
    "by sheets": by_sheets,
    "file manager": with_a_file_manager,
}

if __name__ == "__main__":
    main()
