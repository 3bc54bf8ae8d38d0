"""What systemd itself says of the units; skipped where it isn't installed."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from imgsort.daemon.units import Account, UnitPlan, folders_of, install, rendered

EXPOSURE = 0.5
pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.fixture
def plan(tmp_path: Path) -> UnitPlan:
    """Of a workspace and a program with all that needs escaping in their paths."""
    root = tmp_path / 'my "photos" 100% $HOME \\ ä'
    program = tmp_path / "$HOME 100% ä" / "img sort %n"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folders = tuple(root / name for name in ("inbox", "sorted", "unsure", "rejected"))
    return UnitPlan("imgsort", "system", root, folders, program, Account("daemon", "daemon"))


def analysed(*arguments: str | Path, runtime: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_RUNTIME_DIR": str(runtime)}
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["owner", "shared", "gpu", "loopback", "user", "review"])
def test_verify_has_nothing_to_say(plan: UnitPlan, tmp_path: Path, kind: str) -> None:
    """It returns 0 for a misspelt key, so its stderr has to be empty."""
    if kind in {"user", "review"}:
        plan = replace(plan, scope="user", review=kind == "review")
    elif kind != "owner":
        plan = replace(plan, **{kind: True})  # type: ignore[arg-type]
    out = tmp_path / "out"
    placed = install(plan, rendered(plan), folders_of(out), force=False)
    units = [one.path for one in placed if one.path.suffix in {".service", ".timer"}]
    assert len(units) == (4 if kind == "review" else 3)
    scope = ["--user"] if kind in {"user", "review"} else []
    done = analysed("verify", *scope, *units, runtime=tmp_path)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip(f"systemd-analyze can't work here: {done.stderr.strip()}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_verify_sees_a_misspelt_key(plan: UnitPlan, tmp_path: Path) -> None:
    """So an empty stderr means something."""
    placed = install(plan, rendered(plan), folders_of(tmp_path / "out"), force=False)
    unit = placed[0].path
    unit.write_text(unit.read_text().replace("PrivateTmp=", "PrivateTemp="))
    assert "PrivateTemp" in analysed("verify", unit, runtime=tmp_path).stderr


@pytest.mark.parametrize("shared", [False, True], ids=["owner", "shared"])
def test_little_is_exposed(plan: UnitPlan, tmp_path: Path, shared: bool) -> None:
    """`systemd-analyze security` finds 0.5 of 10 at most, for the daemon and for training."""
    plan = replace(plan, shared=shared)
    placed = install(plan, rendered(plan), folders_of(tmp_path / "out"), force=False)
    for one in placed:
        if one.path.suffix == ".service":
            done = analysed("security", "--offline=true", one.path, runtime=tmp_path)
            found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
            if found is None:
                pytest.skip(f"this systemd-analyze knows no --offline: {done.stderr.strip()}")
            assert float(found[1]) <= EXPOSURE, done.stdout
