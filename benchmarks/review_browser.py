"""What somebody at the review page feels, in a real browser, at a million arrivals.

    python benchmarks/review_browser.py [--rows 1000000] [--keep DIR] [--json FILE]
        [--only open keys list thumbnails memory daemon]

The workspace is made as ``review`` makes it, and some of its unsure pictures get a photograph of
500 px. Chromium and `imgsort review` run on the same machine, as they do for a person. A key is
timed from the browser's own stamp of it until the frame after it was painted. Needs Playwright and
Debian's chromium. Parts can be run one by one; ``--json`` gathers their figures in one file.
"""

import argparse
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import million_rows
import numpy as np
from page_server import Server, chromium
from playwright.sync_api import Browser, Page

import review
from imgsort.images.outcome import NoAttempts, Picture
from imgsort.images.pool import open_decoder
from imgsort.review.thumbnails import Gallery
from imgsort.store import Store
from imgsort.store.listing import Wanted
from imgsort.workspace.workspace import Workspace

PHOTOGRAPHS = 12_000
"""Of 500 px: the first of unsure/ in the page's order."""
SMALLEST = 10_000
"""Bytes of a photograph; the other files of the workspace have a few."""
PACE_MS = 150
KEYS = 200
ACTED = 10_000
SHEET = 40
FILED = 800
"""Pictures that a daemon files, once beside somebody who reviews and once alone, in turn."""
PERSON_SECONDS = 1.5
"""A practised person decides forty pictures a minute, one by one."""
WATCH = """
window.bench = {keys: [], events: []};
addEventListener("keydown", (event) => requestAnimationFrame(() => {
  const painted = new MessageChannel();
  painted.port1.onmessage = () => bench.keys.push(performance.now() - event.timeStamp);
  painted.port2.postMessage(0);
}), true);
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (one.name === "keydown") bench.events.push(one.duration);
}).observe({type: "event", durationThreshold: 16});
bench.shown = () => {
  const box = document.querySelector(".grid")?.getBoundingClientRect();
  return box ? [...document.querySelectorAll(".tile")].filter((tile) => {
    const place = tile.getBoundingClientRect();
    return place.top < box.bottom && place.bottom > box.top;
  }) : [];
};
bench.sheet = (whole) => new Promise((done) => {
  const look = () => {
    const shown = bench.shown();
    if (shown.length && shown.every(whole)) done([performance.now(), shown.length]);
    else requestAnimationFrame(look);
  };
  look();
});
bench.painted = () => bench.sheet((tile) => tile.dataset.painted);
bench.known = () => bench.sheet((tile) => tile.getAttribute("aria-label") !== "not there yet");
addEventListener("DOMContentLoaded", () => {
  bench.first = bench.painted();
  bench.refused = 0;
  const said = document.getElementById("said");
  const isRefusal = () => said.textContent.includes("shown yet; press again");
  new MutationObserver(() => { bench.refused += isRefusal(); })
    .observe(said, {childList: true, characterData: true});
});
"""
ACT = """async ([from, count]) => {
  const headers = {
    "X-Imgsort-Token": sessionStorage["imgsort-token"], "Content-Type": "application/json",
  };
  const ask = async (path, body) => {
    const more = body ? {method: "POST", body: JSON.stringify(body)} : {};
    return (await fetch(path, {headers, ...more})).json();
  };
  const view = {view: "unsure", order: "unsure_first", only: {said: false}};
  window.actedOn ??= (await ask("/api/lists", view)).list;
  const {rows} = await ask(`/api/lists/${actedOn}?from=${from}&count=${count}`);
  const seen = (row) => fetch(`/thumb/${row.sha256}?s=192`).then((got) => got.blob());
  await Promise.all(rows.map(seen));
  const pictures = rows.map(({sha256, word, guess}) => ({sha256, word, shown: guess}));
  const told = await ask("/api/acts", {act: crypto.randomUUID(), say: "right", pictures});
  return told.pictures.filter((one) => one.outcome === "written").length;
}"""


@dataclass
class Told:
    """Figures, printed as they come and kept for a program."""

    figures: dict[str, Any] = field(default_factory=dict)

    def say(self, what: str, value: float, unit: str, digits: int = 0) -> None:
        self.figures[f"{what}, {unit}"] = round(value, 3)
        print(f"| {what} | {value:,.{digits}f} {unit} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="use, or make, the workspace here")
    parser.add_argument("--json", type=Path, help="the figures, added to those that it has")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    known = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    told = Told(known)
    with million_rows.place_for(options.keep) as place:
        workspace = with_photographs(review.made(place / "review", options.rows))
        for part in options.only:
            PARTS[part](workspace, told)
            if options.json:
                options.json.write_text(json.dumps(told.figures, indent=1))


def with_photographs(workspace: Workspace) -> Workspace:
    """Those of unsure/ that the page shows first are photographs from here on."""
    done = workspace.state / "benchmark-has-photographs"
    if done.exists():
        return workspace
    with Store.open(workspace.database, root=workspace.root) as store:
        wanted = Wanted(folders=(workspace.unsure,), said=False)
        first = list(store.lists.ids(wanted, "unsure_first")[:PHOTOGRAPHS])
        files = store.lists.files(first)
    with closing(sqlite3.connect(workspace.database)) as log:
        for number, one in enumerate(files):
            path = Path(one.path)
            path.write_bytes(photograph(number))
            status = path.stat()
            digest = sha256(path.read_bytes()).hexdigest()
            log.execute("UPDATE images SET sha256 = ? WHERE id = ?", (digest, one.arrival_id))
            log.execute(
                "UPDATE arrivals SET dev = ?, ino = ?, size = ?, mtime_ns = ? WHERE id = ?",
                (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, one.arrival_id),
            )
        log.commit()
    done.touch()
    return workspace


def photograph(number: int, width: int = 500, height: int = 375) -> bytes:
    """A JPEG with as much in it as a photograph has, about 50 kB; another for each number."""
    random = np.random.default_rng(number)
    coarse = random.integers(20, 235, (9, 12, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    grain = random.integers(-12, 13, (height, width, 1), dtype=np.int16)
    pixels = np.clip(smooth + grain, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


@contextmanager
def visited(
    workspace: Workspace, width: int = 1280, height: int = 800
) -> Iterator[tuple[Server, Page]]:
    """A server and a browser at its link. The log's files are not looked for: most aren't there."""
    with workspace.daemon_lock(), closing(Server(workspace.root)) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(120_000)
        page.add_init_script(WATCH)
        page.goto(server.link)
        page.evaluate("bench.first")
        yield server, page


def _open(workspace: Workspace, told: Told) -> None:
    """Until a link is printed; until something, and until the whole first sheet, is painted."""
    with workspace.daemon_lock():
        starts = []
        for _ in range(3):
            with closing(Server(workspace.root)) as server:
                starts.append(server.seconds_to_link)
    told.say("start to link", statistics.median(starts), "s", 2)
    for part in workspace.state.glob("thumbnails.db*"):
        part.unlink()
    with visited(workspace, 1600, 1000) as (_, page):
        after, tiles = page.evaluate("bench.first")
        told.say(f"first sheet of {tiles} painted, server just started", after, "ms")
        told.say("first contentful paint, server just started", _contentful(page), "ms")
        warm, contentful = [], []
        for _ in range(5):
            page.reload()
            warm.append(page.evaluate("bench.first")[0])
            contentful.append(_contentful(page))
        told.say("first contentful paint, warm", statistics.median(contentful), "ms")
        told.say("first sheet painted, warm", statistics.median(warm), "ms")
        _cold_sheet(page, told)


def _contentful(page: Page) -> float:
    asked = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
    return float(page.evaluate(asked))


def _cold_sheet(page: Page, told: Told) -> None:
    """A sheet far from what was shown before: every thumbnail is decoded for it."""
    page.evaluate("bench.painted()")
    began, (after, tiles) = page.evaluate(
        """async () => {
          const began = performance.now();
          document.querySelector(".grid").scrollTop = 12000;
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return [began, await bench.painted()];
        }"""
    )
    told.say(f"{tiles} tiles of 500 px files, cold", after - began, "ms")


def _keys(workspace: Workspace, told: Told) -> None:
    """A key each 150 ms, then as many as there are at once; the server has exactly these acts."""
    with visited(workspace) as (_, page):
        before = _acts(workspace)
        page.evaluate("bench.keys.length = bench.events.length = 0")
        for _ in range(KEYS):
            began = time.perf_counter()
            page.keyboard.press("1")
            page.wait_for_timeout(max(0, PACE_MS - 1000 * (time.perf_counter() - began)))
        _percentiles(f"key to next frame, every {PACE_MS} ms", page.evaluate("bench.keys"), told)
        _percentiles("the same by Event Timing", page.evaluate("bench.events"), told)
        _written(page)
        _lost(page, f"{KEYS} keys", _acts(workspace) - before, told)
        before = _acts(workspace)
        page.evaluate("bench.keys.length = 0")
        _burst(page)
        _percentiles("key to next frame, in a burst", page.evaluate("bench.keys"), told)
        _written(page)
        _lost(page, f"a burst of {KEYS} keys", _acts(workspace) - before, told)


def _lost(page: Page, keys: str, acts: int, told: Told) -> None:
    """Neither written, nor refused in words since their picture hadn't been shown yet."""
    refused = page.evaluate("const refused = bench.refused; bench.refused = 0; refused")
    told.say(f"lost of {keys}", KEYS - acts - refused, "keys")
    told.say(f"refused of {keys}, not shown yet", refused, "keys")


def _burst(page: Page) -> None:
    """One key after the other without a pause, on pictures that are on the screen."""
    page.keyboard.press("Home")
    _, shown = page.evaluate("bench.painted()")
    seconds = 0.0
    for number in range(KEYS):
        if number % shown == 0:
            page.keyboard.press("Home")
        began = time.perf_counter()
        page.keyboard.press(str(2 + number // shown % 2))
        seconds += time.perf_counter() - began
    print(f"(burst: {KEYS / seconds:.0f} keys a second)")


def _percentiles(what: str, values: Sequence[float], told: Told) -> None:
    if not values[1:]:
        print(f"| {what} | nothing took 16 ms |")
        return
    told.say(f"{what}, p50", statistics.median(values), "ms")
    told.say(f"{what}, p95", statistics.quantiles(values, n=20)[-1], "ms")
    told.say(f"{what}, longest", max(values), "ms")


def _acts(workspace: Workspace) -> int:
    with closing(sqlite3.connect(workspace.database)) as log:
        number: int = log.execute("SELECT count(*) FROM runs WHERE kind = 'review'").fetchone()[0]
    return number


def _written(page: Page) -> None:
    while page.evaluate("sessionStorage['imgsort-queue'] ?? '[]'") != "[]":
        page.wait_for_timeout(100)


def _list(workspace: Workspace, told: Told) -> None:
    """To the end of a million, a sheet back, and letters in the box with the classes."""
    with visited(workspace) as (_, page):
        page.evaluate("location.hash = '#search=since=2000-01-01'")
        began = time.perf_counter()
        page.locator(".count", has_text="pictures").wait_for()
        page.evaluate("bench.known()")
        told.say("a list of all opened", 1000 * (time.perf_counter() - began), "ms")
        print(f"({page.locator('.count').inner_text()})")
        for key, what in (("End", "End"), ("PageUp", "Page Up"), ("Home", "Home")):
            times = [_until_known(page, key) for _ in range(5)]
            told.say(f"{what}, until its rows show", statistics.median(times), "ms")
            page.keyboard.press("PageUp" if key == "Home" else "PageDown")
        page.keyboard.press("Home")
        page.evaluate("bench.painted()")
        page.keyboard.press("t")
        page.get_by_role("combobox", name="Class").last.wait_for()
        page.evaluate("bench.keys.length = 0")
        page.keyboard.type("class1", delay=80)
        page.wait_for_timeout(200)
        told.say("a letter in the class box, longest", max(page.evaluate("bench.keys")), "ms")


def _until_known(page: Page, key: str) -> float:
    page.evaluate(
        """() => addEventListener("keydown", (event) => {
          bench.last = new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
            () => bench.known().then(([now]) => done(now - event.timeStamp)))));
        }, {capture: true, once: true})"""
    )
    page.keyboard.press(key)
    return float(page.evaluate("bench.last"))


def _thumbnails(workspace: Workspace, told: Told) -> None:
    """The page's thumbnails against the bare decoder, in turn, on different files."""
    import asyncio

    with Store.open(workspace.database, root=workspace.root) as store:
        wanted = Wanted(folders=(workspace.unsure,))
        ids = list(store.lists.ids(wanted, "unsure_first")[: 2 * PHOTOGRAPHS])
        files = [one for one in store.lists.files(ids) if _is_photograph(Path(one.path))][-3600:]
        for part in workspace.state.glob("thumbnails.db*"):
            part.unlink()
        bare, shown = [], []
        for turn in range(3):
            at = 1200 * turn
            bare.append(_decoded(workspace, [Path(one.path) for one in files[at : at + 600]]))
            asked = [one.sha256 for one in files[at + 600 : at + 1200]]
            shown.append(asyncio.run(_shown(workspace, store, asked)))
    told.say("the bare decoder, 500 px files", statistics.median(bare), "pictures/s")
    told.say("thumbnails of 500 px files", statistics.median(shown), "pictures/s")
    ratio = statistics.median(shown) / statistics.median(bare)
    told.say("thumbnails, of what the decoder gives", ratio, "of 1", 2)


def _is_photograph(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > SMALLEST


def _decoded(workspace: Workspace, paths: Sequence[Path]) -> float:
    from imgsort.images import decode_for_display

    config, bases = workspace.config.decode, workspace.picture_folders
    with open_decoder(config, 384, NoAttempts(), bases, decode_for_display) as pool:
        for path in paths[:20]:
            pool.submit(path).result()
        began = time.perf_counter()
        for future in [pool.submit(path) for path in paths[20:]]:
            if not isinstance(future.result(), Picture):
                raise SystemExit("a photograph can't be read")
        return (len(paths) - 20) / (time.perf_counter() - began)


async def _shown(workspace: Workspace, store: Store, sha256s: Sequence[str]) -> float:
    import asyncio

    with Gallery(workspace, store) as gallery:
        await asyncio.gather(*(gallery.get(one, 192) for one in sha256s[:20]))
        began = time.perf_counter()
        found = await asyncio.gather(*(gallery.get(one, 192) for one in sha256s[20:]))
        seconds = time.perf_counter() - began
    if any(one is None or one.state != "here" for one in found):
        raise SystemExit("a photograph isn't shown")
    return (len(sha256s) - 20) / seconds


def _memory(workspace: Workspace, told: Told) -> None:
    """Pictures shown and said by the sheet: what the server holds after the first and the last."""
    with visited(workspace) as (server, page):
        written = 0
        for start in range(0, ACTED, SHEET):
            written += page.evaluate(ACT, [start, SHEET])
            if start + SHEET in {1_000, 5_000, ACTED}:
                told.say(f"server after {start + SHEET:,} pictures", server.memory, "MB")
        told.say("of them said", written, "pictures")


def _daemon(workspace: Workspace, told: Told) -> None:
    """How fast a daemon files 500 px pictures, with and without somebody who reviews."""
    place = workspace.root.parent / "filing"
    rates: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(4):
        reviewed = bool(turn % 2)
        shutil.rmtree(place, ignore_errors=True)
        fresh = _fresh(place)
        rates[reviewed].append(_filed(fresh, reviewed=reviewed))
    alone, beside = (statistics.median(rates[one]) for one in (False, True))
    told.say("the daemon alone", alone, "pictures/s")
    told.say("the daemon beside somebody who reviews", beside, "pictures/s")
    told.say("the daemon's rate, of what it is alone", beside / alone, "of 1", 2)


def _fresh(root: Path) -> Workspace:
    """Another workspace with the same network, and unsure pictures to look at."""
    fresh = million_rows.founded(root)
    review.with_backbone(fresh)
    for number in range(200):
        (fresh.inbox / f"first-{number}.jpg").write_bytes(photograph(10**6 + number))
    _imgsort(fresh.root, "run", "--once", "--quiet").wait()
    for number in range(FILED):
        (fresh.inbox / f"IMG_{number}.jpg").write_bytes(photograph(number))
    return fresh


def _imgsort(root: Path, *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "imgsort", "-C", str(root), *words]
    return subprocess.Popen(command)  # noqa: S603 - our own program


def _filed(workspace: Workspace, *, reviewed: bool) -> float:
    """Pictures a second, by the log's own times of the middle four fifths."""
    with chromium() as browser, closing(Server(workspace.root)) if reviewed else nullcontext():
        page = _reviewer(browser, workspace) if reviewed else None
        daemon = _imgsort(workspace.root, "run", "--once", "--quiet")
        while daemon.poll() is None:
            if page is None:
                time.sleep(0.2)
            else:
                page.keyboard.press("1")
                page.wait_for_timeout(1000 * PERSON_SECONDS)
    asked = "SELECT julianday(filed_at) * 86400 FROM arrivals WHERE name LIKE 'IMG%' ORDER BY 1"
    with closing(sqlite3.connect(workspace.database)) as log:
        times = [row[0] for row in log.execute(asked)]
    tenth = len(times) // 10
    middle = times[tenth:-tenth]
    return (len(middle) - 1) / (middle[-1] - middle[0])


def _reviewer(browser: Browser, workspace: Workspace) -> Page:
    """Somebody who looks at all that was filed before."""
    command = [sys.executable, "-m", "imgsort", "-C", str(workspace.root), "review", "--link"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(WATCH)
    page.goto(answer.stdout.strip())
    page.locator(".places a").first.wait_for()
    page.evaluate("location.hash = '#search=since=2000-01-01'")
    page.evaluate("bench.painted()")
    return page


PARTS: dict[str, Callable[[Workspace, Told], None]] = {
    "open": _open,
    "keys": _keys,
    "list": _list,
    "thumbnails": _thumbnails,
    "memory": _memory,
    "daemon": _daemon,
}

if __name__ == "__main__":
    main()
