"""Links that open the page once, and the sessions they open."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from imgsort.errors import ImgsortError

LINK_SECONDS = 300.0
SESSION_SECONDS = 7 * 86_400.0
_MOST_LINKS = 100
_MOST_SESSIONS = 100
_FREE_TRIES = 5
_SLOWED_SECONDS = 1.0


class NotLetIn(ImgsortError):
    """This link is used up, too old or wrong; `imgsort review --link` gives another."""


@dataclass
class SignedIn:
    """One browser. Only digests are kept: who reads them can't come in."""

    cookie: str = ""
    until: float = 0.0
    tokens: list[str] = field(default_factory=list)
    """One a tab."""


class Doorkeeper:
    """Threads may share one. ``changed`` is called when there is another session to remember."""

    def __init__(
        self,
        name: str | None = None,
        sessions: list[SignedIn] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.cookie_name = name or f"imgsort_review_{secrets.token_hex(4)}"
        """Cookies ignore ports: each workspace's page has one of its own."""
        self._clock = clock
        self._lock = threading.Lock()
        self._links: dict[str, float] = {}
        self._sessions = {one.cookie: one for one in sessions or []}
        self._wrong = 0
        self.changed: Callable[[], object] = lambda: None

    def link_key(self) -> str:
        """A key that opens the page once, within five minutes."""
        key = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._links = {one: until for one, until in self._links.items() if until > now}
            while len(self._links) >= _MOST_LINKS:
                self._links.pop(next(iter(self._links)))
            self._links[_digest(key)] = now + LINK_SECONDS
        return key

    def let_in(self, key: str, cookie: str | None) -> tuple[str, str]:
        """(cookie, token) for a link's key; a browser that is in keeps its cookie.

        Raises NotLetIn.
        """
        digest, now = _digest(key), self._clock()
        with self._lock:
            until = self._links.pop(digest, 0.0)
            if until <= now:
                self._wrong += 1
                raise NotLetIn
            self._wrong = 0
            cookie, session = self._session(cookie, now)
            token = secrets.token_urlsafe(32)
            session.tokens = [*session.tokens[-_MOST_SESSIONS:], _digest(token)]
        self.changed()
        return cookie, token

    def _session(self, cookie: str | None, now: float) -> tuple[str, SignedIn]:
        known = self._sessions.get(_digest(cookie)) if cookie else None
        if cookie and known and known.until > now:
            known.until = now + SESSION_SECONDS
            return cookie, known
        new = secrets.token_urlsafe(32)
        live = [one for one in self._sessions.values() if one.until > now][-_MOST_SESSIONS + 1 :]
        session = SignedIn(_digest(new), now + SESSION_SECONDS)
        self._sessions = {one.cookie: one for one in [*live, session]}
        return new, session

    def was_wrong(self) -> None:
        """Somebody guessed, and at another door."""
        with self._lock:
            self._wrong += 1

    def pause(self) -> float:
        """Seconds to wait before a key is looked at: guessing is slow."""
        return _SLOWED_SECONDS if self._wrong >= _FREE_TRIES else 0.0

    def knows_browser(self, cookie: str | None) -> bool:
        return self._live(cookie) is not None

    def knows_tab(self, cookie: str | None, token: str | None) -> bool:
        """Both, and of one another."""
        session = self._live(cookie)
        if session is None or not token:
            return False
        digest = _digest(token)
        return any([secrets.compare_digest(digest, one) for one in session.tokens])  # noqa: C419

    def sessions(self) -> list[SignedIn]:
        """Those to be remembered."""
        now = self._clock()
        with self._lock:
            return [one for one in self._sessions.values() if one.until > now]

    def _live(self, cookie: str | None) -> SignedIn | None:
        # Looked up by digest: how long that takes tells nothing of the cookie.
        session = self._sessions.get(_digest(cookie)) if cookie else None
        return session if session and session.until > self._clock() else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
