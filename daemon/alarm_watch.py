"""Tells people outside: once when an alarm starts and once when it ends, also across a restart."""

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imgsort.care.alarm import AlarmRules, AlarmWindow, Moment, alarms
from imgsort.care.heartbeat import utc_now
from imgsort.daemon.alarm_messenger import Messenger, call_command, call_webhook
from imgsort.daemon.log_output import LOG, Notices
from imgsort.workspace.config import AlertSettings


class Alarms:
    """``took`` from the pipeline, ``look`` from the main thread; neither waits for anybody."""

    def __init__(
        self, workspace: Path, state: Path, config: AlertSettings, notices: Notices, began: float
    ):
        self._workspace = workspace
        self._file = state / "alerts.json"
        self._notices = notices
        self._lock = threading.Lock()
        self._last = began
        self._paused_since: float | None = None
        self._on: dict[str, str] = _remembered(self._file)
        self._messengers: list[Messenger] = []
        self.reconfigure(config)

    @property
    def on(self) -> Mapping[str, str]:
        """Rule -> the sentence it began with."""
        return self._on

    def reconfigure(self, config: AlertSettings) -> None:
        self.stop()
        self.rules = AlarmRules(
            **{name: getattr(config, name) for name in AlarmRules.__dataclass_fields__}
        )
        with self._lock:
            self._window = AlarmWindow(60 * config.minutes)
        self._messengers = [
            Messenger(name, send, self._notices) for name, send in _ways(config).items()
        ]

    def stop(self) -> None:
        """What is not sent by then is not sent."""
        for messenger in self._messengers:
            messenger.stop()

    def took(self, now: float, decisions: Mapping[str, int]) -> None:
        """A batch got through."""
        if not any(decisions.values()):
            return
        with self._lock:
            self._window.add(now, decisions)
            self._last = now

    def look(
        self, now: float, paused: str | None, waiting: int, signs: tuple[str, ...] | None
    ) -> None:
        """``signs``: None while drift is not known."""
        if not self._messengers and not self._on:
            return
        if paused is None:
            self._paused_since = None
        elif self._paused_since is None:
            self._paused_since = now
        with self._lock:
            counts, last = self._window.counts(now), self._last
        told = signs if signs is not None else tuple(filter(None, [self._on.get("drift")]))
        moment = Moment(now, counts, last, waiting, self._paused_since, paused, told)
        found = alarms(self.rules, moment, self._on)
        started = {rule: words for rule, words in found.items() if rule not in self._on}
        ended = {rule: words for rule, words in self._on.items() if rule not in found}
        if not started and not ended:
            return
        self._on = {rule: self._on.get(rule, words) for rule, words in found.items()}
        self._remember()
        for rule, words in started.items():
            LOG.warning("alarm: %s", words)
            self._send(rule, "started", words, counts)
        for rule, words in ended.items():
            LOG.info("alarm over: %s", words)
            self._send(rule, "ended", words, counts)

    def _send(self, rule: str, event: str, words: str, counts: Mapping[str, int]) -> None:
        body = json.dumps(
            {
                "program": "imgsort",
                "workspace": str(self._workspace),
                "rule": rule,
                "event": event,
                "message": words,
                "time": utc_now(),
                "minutes": self.rules.minutes,
                "counts": {name: counts.get(name, 0) for name in ("filed", "unsure", "rejected")},
            }
        ).encode()
        for messenger in self._messengers:
            messenger.send(body)

    def _remember(self) -> None:
        part = self._file.with_name(f".{self._file.name}.part")
        try:
            part.write_text(json.dumps(self._on))
            part.replace(self._file)
        except OSError as problem:  # after a restart it may be told twice
            self._notices.each_minute("alerts", f"{self._file} can't be written ({problem})")


def _ways(config: AlertSettings) -> dict[str, Callable[[bytes], None]]:
    ways: dict[str, Callable[[bytes], None]] = {}
    if config.command:
        ways["command"] = lambda body: call_command(config.command, body)
    if config.webhook:
        ways["webhook"] = lambda body: call_webhook(config.webhook, body)
    return ways


def _remembered(file: Path) -> dict[str, str]:
    try:
        said: Any = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {str(rule): str(words) for rule, words in said.items()} if isinstance(said, dict) else {}
