"""The review page and a browser, as people start them: for the benchmarks of the page."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright


class Server:
    """`imgsort review`, as a user starts it."""

    def __init__(self, root: Path) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "imgsort", "-C", str(root), "review"],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.link = (self._process.stdout or sys.stdin).readline().strip()
        self.seconds_to_link = time.perf_counter() - began

    @property
    def memory(self) -> float:
        """MB of the server itself, without its decoder's processes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if "VmRSS" in line)
        return int(kilobytes) / 1000

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("chromium isn't installed")
    flags = ["--disable-gpu", "--no-first-run", "--disable-background-networking"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()
