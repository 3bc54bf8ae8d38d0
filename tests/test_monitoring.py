"""The ready dashboard and alert rules: sound in form, and of metrics that there are."""

import json
import re
from pathlib import Path

import pytest

MONITORING = Path(__file__).parent.parent / "docs" / "monitoring"
DASHBOARD = json.loads((MONITORING / "grafana.json").read_text(encoding="utf-8"))
RULES = (MONITORING / "alerts.yml").read_text(encoding="utf-8")
METRICS = (MONITORING.parent / "watching.md").read_text(encoding="utf-8").split("## Metrics")[1]
KNOWN = set(re.findall(r"`(imgsort_[a-z_]+)", METRICS))


def used(expression: str) -> set[str]:
    names = set(re.findall(r"\bimgsort_[a-z_]+", expression))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def blocks() -> list[dict[str, str]]:
    """Each rule's keys: this file keeps to one key a line, so no YAML library is needed."""
    found = []
    for block in RULES.split("      - alert: ")[1:]:
        name, *lines = block.splitlines()
        pairs = (line.strip().partition(": ") for line in lines)
        found.append({"alert": name} | {key: value for key, _, value in pairs})
    return found


def test_each_panel_asks_for_metrics_that_there_are() -> None:
    """A renamed metric must not leave an empty panel behind."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            names = used(target["expr"])
            assert names, panel["title"]
            assert names <= KNOWN, panel["title"]
            assert target["expr"].count("(") == target["expr"].count(")")
            assert target["expr"].count("{") == target["expr"].count("}")


def test_the_dashboard_has_what_grafana_asks_for() -> None:
    """The required keys of its schema, panels that don't overlap, and no machine's data source."""
    assert DASHBOARD["schemaVersion"] >= 36
    assert {"title", "uid", "panels", "templating", "time", "annotations"} <= DASHBOARD.keys()
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        place = panel["gridPos"]
        assert place["w"] > 0
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        taken |= cells
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "instance"}


@pytest.mark.parametrize("rule", blocks(), ids=lambda rule: rule["alert"])
def test_each_alert_rule_is_whole(rule: dict[str, str]) -> None:
    """An expression of known metrics, a severity, and a sentence that says what to do."""
    assert used(rule["expr"])
    assert used(rule["expr"]) <= KNOWN
    assert rule["severity"] in {"warning", "critical"}
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "0m"))
    assert rule["summary"].endswith(".")
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert ": " not in rule["summary"], "a plain YAML scalar may not have that"
    assert not rule["summary"].startswith(("`", '"', "'", "%", "@"))


def test_the_rules_are_indented_as_prometheus_reads_them() -> None:
    """Two blanks a level, no tabs, one group."""
    assert "\t" not in RULES
    assert len(blocks()) >= 8
    for line in RULES.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        assert indent in {0, 2, 4, 6, 8, 10}, line
