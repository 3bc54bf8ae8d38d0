"""Is somebody told soon when a camera goes dim, and never when it doesn't? With real pictures.

    python benchmarks/alarm.py DATA [--work DIR] [--streams 20] [--replay-only]

DATA holds a folder of pictures for each class. Half of them teach a workspace (`init --from`), the
other half are what a camera sends, at 2 pictures a second. ``alert.unsure_over`` is twice the share
of those that the model is unsure of, as config.toml advises. The model's own verdicts, in so many
random orders of so many random draws, go through the rules for ten minutes each: how many of these
ordinary streams alarm somebody, and how soon would each after ten minutes, had the camera gone dim
(40 % of the light) and out of focus (a blur of a hundredth of the width) then? At last a daemon
gets two minutes of ordinary pictures and then dim ones: after how many seconds does it tell? Exit
status 1 where an ordinary stream alarms somebody, or two minutes pass untold.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from PIL import Image, ImageEnhance, ImageFilter

from imgsort.care.alarm import AlarmRules, AlarmWindow, Moment, alarms

PROGRAM = (sys.executable, "-c", "from imgsort.cli import main; main()")
A_SECOND, MINUTES, TOLD_WITHIN = 2, 2.0, 120.0
ORDINARY_SECONDS, LIVE_SECONDS, WATCHED = 600, 120, 240.0
LIGHT, BLUR = 0.4, 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, help="a folder that is kept")
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--replay-only", action="store_true", help="without the daemon")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        work = wanted.work or Path(spare)
        taught, sent = halves(wanted.data, work)
        home = work / "home"
        typed(home, "init", "--from", taught, "--backbone", "efficientnet-lite0")
        usual, dim = decided(home, sent), decided(home, dimmed(sent, work / "dim"))
        limit = round(2 * usual.count("unsure") / len(usual), 3)
        print(f"unsure: {share(usual)} of {len(usual)} as they are, {share(dim)} of them dim")
        print(f"alert.unsure_over = {limit}")
        rules = AlarmRules(minutes=MINUTES, unsure_over=limit)
        false = [one for one in range(wanted.streams) if told(rules, one, usual, usual) is not None]
        soon = [told(rules, one, usual, dim) for one in range(wanted.streams)]
        print(f"ordinary streams that alarmed somebody: {len(false)} of {wanted.streams}")
        late = [one for one in soon if one is None or not 0 < one <= TOLD_WITHIN]
        known = [one for one in soon if one is not None]
        if known:
            print(f"dim streams: told after {median(known):.0f} s, {max(known):.0f} s at most")
        live = None if wanted.replay_only else lived(home, sent, work, limit)
        if not wanted.replay_only:
            print(
                "the daemon told nobody" if live is None else f"the daemon told after {live:.0f} s"
            )
        untold = not wanted.replay_only and (live is None or not 0 < live <= TOLD_WITHIN)
        return 1 if false or late or untold else 0


def halves(data: Path, work: Path) -> tuple[Path, list[Path]]:
    """Every second picture of each class in a folder that teaches; the others."""
    taught, sent = work / "taught", []
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        (taught / folder.name).mkdir(parents=True)
        for number, path in enumerate(sorted(folder.iterdir())):
            if number % 2:
                sent.append(path)
            else:
                shutil.copy(path, taught / folder.name)
    return taught, sent


def dimmed(pictures: Sequence[Path], folder: Path) -> list[Path]:
    folder.mkdir(parents=True)
    made = []
    for number, path in enumerate(pictures):
        made.append(folder / f"{number}.jpg")
        save(dim(Image.open(path).convert("RGB")), made[-1])
    return made


def dim(picture: Image.Image) -> Image.Image:
    dark = ImageEnhance.Brightness(picture).enhance(LIGHT)
    return dark.filter(ImageFilter.GaussianBlur(BLUR * picture.width))


def save(picture: Image.Image, path: Path, quality: int = 92) -> None:
    """As a camera that puts it there whole."""
    part = path.with_name(f".{path.name}.part")
    picture.save(part, "JPEG", quality=quality)
    part.rename(path)


def decided(home: Path, pictures: Sequence[Path]) -> list[str]:
    said = json.loads(typed(home, "classify", *pictures, "--json"))
    return [one["decision"] for one in said]


def share(decisions: Sequence[str]) -> str:
    return f"{decisions.count('unsure') / len(decisions):.1%}"


def told(rules: AlarmRules, seed: int, usual: Sequence[str], then: Sequence[str]) -> float | None:
    """Seconds from the tenth minute on (below 0 before) until somebody is told; the daemon looks
    every two seconds."""
    chance = random.Random(seed)  # noqa: S311 - a stream that can be repeated
    first, second = drawn(chance, usual), drawn(chance, then)
    window, on = AlarmWindow(60 * MINUTES), dict[str, str]()
    for number in range(A_SECOND * 2 * ORDINARY_SECONDS):
        now = number / A_SECOND
        word = next(first if now < ORDINARY_SECONDS else second)
        window.add(now, Counter({word: 1}))
        if number % (2 * A_SECOND) == 0:
            on = alarms(rules, Moment(now, window.counts(now), now), on)
            if on:
                return now - ORDINARY_SECONDS
    return None


def drawn(chance: random.Random, decisions: Sequence[str]) -> Iterator[str]:
    """A camera sees some things often and others never: of a draw of two thirds, at random."""
    some = chance.sample(list(decisions), 2 * len(decisions) // 3)
    while True:
        yield chance.choice(some)


def lived(home: Path, pictures: Sequence[Path], work: Path, limit: float) -> float | None:
    """Seconds from the first dim picture until the daemon's command is called."""
    file = work / "told.jsonl"
    with (home / "config.toml").open("a") as config:
        command = json.dumps(["tee", "-a", str(file)])
        config.write(f"\n[alert]\ncommand = {command}\nunsure_over = {limit}\n")
    daemon = subprocess.Popen(  # noqa: S603 - our own program
        [*PROGRAM, "-C", str(home), "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        status = home / "state" / "status.json"
        while not status.exists() or json.loads(status.read_text())["state"] != "running":
            time.sleep(0.2)
        return watched(home / "inbox", pictures, file)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)


def watched(inbox: Path, pictures: Sequence[Path], file: Path) -> float | None:
    chance, began, number = random.Random(1), time.monotonic(), 0  # noqa: S311
    while (now := time.monotonic() - began) < LIVE_SECONDS + WATCHED:
        if file.exists() and file.read_text().endswith("}"):
            return now - LIVE_SECONDS
        picture = Image.open(chance.choice(pictures)).convert("RGB")
        save(
            picture if now < LIVE_SECONDS else dim(picture),
            inbox / f"{number}.jpg",
            quality=chance.randint(88, 96),  # other bytes each time
        )
        number += 1
        time.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
    return None


def typed(home: Path, *words: object) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, "-C", str(home), *map(str, words)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
