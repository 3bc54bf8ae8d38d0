"""The units' text: the templates in systemd/ filled in for a plan. Pure but for reading those."""

import re
from importlib.resources import files
from pathlib import Path

from imgsort.daemon.units.escape import command, plain, quoted, quoted_optional
from imgsort.daemon.units.plan import UnitPlan

_WORD = re.compile(r"@([A-Z_]+)@")
_FOR_THE_PAGE = "AF_UNIX AF_INET"
_GAP = re.compile(r"\n{3,}")


def rendered(plan: UnitPlan) -> dict[Path, str]:
    """Each file's text by its path below the folder that systemd reads (see ``folders_of``)."""
    words = _words(plan)
    units = Path("user" if plan.scope == "user" else "system")
    texts = {
        units / f"{plan.name}.service": _filled("imgsort.service", words),
        units / f"{plan.name}-retrain.service": _filled("imgsort-retrain.service", words),
        units / f"{plan.name}-retrain.timer": _filled("imgsort-retrain.timer", words),
    }
    if plan.review:
        inet = _sandbox(plan, words | {"ADDRESS_FAMILIES": _FOR_THE_PAGE})
        texts[units / plan.review_service] = _filled("imgsort-review.service", words | inet)
    if plan.gpu:
        for service in (plan.name, f"{plan.name}-retrain"):
            text = _filled("gpu.conf", words | {"NAME": service})
            if service != plan.name:  # a oneshot has no watchdog to feed
                text = re.sub(r"^WatchdogSec=.*\n", "", text, flags=re.MULTILINE)
            texts[units / f"{service}.service.d" / "gpu.conf"] = text
    if plan.shared:
        texts[Path("sysusers.d") / f"{plan.name}.conf"] = _filled("sysusers.conf", words)
        texts[Path("tmpfiles.d") / f"{plan.name}.conf"] = _filled("tmpfiles.conf", words)
    return texts


def _words(plan: UnitPlan) -> dict[str, str]:
    words = {
        "NAME": plan.name,
        "WORKSPACE": quoted(plan.workspace),
        "WORKSPACE_TEXT": plain(plan.workspace),
        "PROGRAM": command(plan.program),
        "NEW_LABELS": str(plan.new_labels),
        "TARGET": "default.target" if plan.scope == "user" else "multi-user.target",
        "IDENTITY": _identity(plan),
        "WRITABLE": "\n".join(f"ReadWritePaths={quoted_optional(p)}" for p in plan.writable),
        "PROTECT_HOME": "read-only" if plan.in_a_home else "yes",
        "NETWORK": _network(plan),
        "ADDRESS_FAMILIES": "AF_UNIX AF_INET AF_INET6" if plan.loopback else "AF_UNIX",
        "REMOVE_IPC": _remove_ipc(plan),
        "SHARED_FOLDERS": "\n".join(_shared(folder) for folder in plan.picture_folders),
    }
    return words | _sandbox(plan, words)


def _sandbox(plan: UnitPlan, words: dict[str, str]) -> dict[str, str]:
    sandbox = "sandbox-user.conf" if plan.scope == "user" else "sandbox.conf"
    return {"SANDBOX": _filled(sandbox, words).rstrip("\n")}


def _identity(plan: UnitPlan) -> str:
    if plan.scope == "user":
        return "# It runs as you: the pictures that you move are the labels, and it moves yours."
    who = f"User={plan.account.user}\nGroup={plan.account.group}\n"
    if plan.shared:
        return (
            f"# Members of the group move the pictures; what is made here they can move too.\n"
            f"{who}UMask=0002"
        )
    return (
        f"# The owner of the workspace: whose moves are the labels must be able to move what is\n"
        f"# made here. UMask: as files of that user usually are.\n{who}UMask=0022"
    )


def _network(plan: UnitPlan) -> str:
    if plan.loopback:
        return (
            "# This machine's own network and no other, for metrics by HTTP. It needs cgroup v2;\n"
            "# without that systemd says so and goes on.\n"
            "IPAddressDeny=any\nIPAddressAllow=localhost\n"
            "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"
        )
    return (
        "# No network at all, not even this machine's own; imgsort never downloads anything here\n"
        "# (`imgsort init` does, typed by you). For metrics by HTTP set metrics.port in\n"
        "# config.toml and type `imgsort service install` again: that opens loopback.\n"
        "PrivateNetwork=yes\nIPAddressDeny=any\nRestrictAddressFamilies=AF_UNIX"
    )


def _remove_ipc(plan: UnitPlan) -> str:
    if plan.shared:
        return "# Nobody else is this user, so this removes nothing of anybody's.\nRemoveIPC=yes"
    return (
        "# Not RemoveIPC: the user's other programs have shared memory too, and would lose it\n"
        "# when this service stops."
    )


def _shared(folder: Path) -> str:
    path = quoted(folder)
    return (
        f"d {path} 2775 imgsort imgsort\n"
        f"a+ {path} - - - - default:user::rwx,default:group::rwx,default:other::r-x"
    )


def _filled(template: str, words: dict[str, str]) -> str:
    text = (files("imgsort") / "systemd" / template).read_text(encoding="utf-8")
    return _GAP.sub("\n\n", _WORD.sub(lambda match: words[match[1]], text))
