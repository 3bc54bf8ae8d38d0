"""One visit on a machine with no network but loopback; run by ``unshare --net``."""

import fcntl
import shutil
import socket
import struct
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from imgsort.workspace.workspace import Workspace
from tests.browser.gallery import Server, Visit, painted, press, written
from tests.desk import Desk

SET_FLAGS, IS_UP = 0x8914, 0x1
SCREENS = ("search", "recent", "rejected", "audit", "training", "models", "report", "status")
FLAGS = ["--disable-gpu", "--no-first-run", "--no-sandbox"]


def main(root: Path) -> None:
    only_loopback()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        visit = Visit(Desk(Workspace.open(root)), Server(root), browser)
        page = visit.begin()
        painted(page, 4)
        press(page, "2", "Enter", "u")
        written(page)
        for screen in SCREENS:
            page.evaluate(f"location.hash = '#{screen}'")
            expect(page.locator("#main h1").first).to_be_visible()
        visit.close()
        browser.close()
    if visit.unexpected():
        raise SystemExit(f"the console said {visit.unexpected()}")


def only_loopback() -> None:
    """Start it; nothing else can be reached."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14s", b"lo", IS_UP, b""))
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=5).close()
    except OSError:
        return
    raise SystemExit("there is a network")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
