"""What could not be asked, in as few lines as say it: clouds that fail alike share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MANY = 3
"""From so many on, their own sentences differ in their names alone."""

ALIKE = {
    "not_configured": ("no credentials are configured", "`cloudtop providers` says what to set."),
    "unauthorized": ("the credentials are not accepted", "`cloudtop doctor` says which."),
    "unreachable": ("could not be reached", "Check the network connection, and HTTPS_PROXY if you need one."),
    "too_slow": ("did not answer in time", "Ask again with a longer --timeout."),
    "rate_limited": ("ask to slow down", "Ask again in a minute."),
    "unavailable": ("are in trouble", "Ask again later."),
}
"""What is said of many at once, and what to do; other codes are always told one by one."""

OFFLINE = ("not asked, because cloudtop is offline", "Ask again without --offline.")


def told(missing: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each trouble, or for many of one kind."""
    groups: dict[tuple[Any, Any], list[Mapping[str, Any]]] = {}
    for one in missing:
        groups.setdefault((one["code"], one["severity"]), []).append(one)
    lines = []
    for (code, _), group in groups.items():
        names = _names(group)
        if code in ALIKE and len(names) >= MANY:
            offline = all("offline" in one["message"] for one in group)
            what, step = OFFLINE if offline else ALIKE[code]
            lines.append(f"{', '.join(names)}: {what}. {step}")
        else:
            lines += [
                f"{_names([one])[0]}: {one['message']} {one['next_step'] or ''}".strip() for one in group
            ]
    return lines


def _alone(one: Mapping[str, Any]) -> str:
    return f"{_names([one])[0]}: {one['message']} {one['next_step'] or ''}".strip()


def _names(group: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each account once, with its regions where there are any: by name, or how many."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for one in group:
        account = one.get("account")
        known = found.setdefault(
            (str(one["provider"]), None if account in ("public", "default") else account), []
        )
        known += [name for name in str(one.get("region") or "global").split(", ") if name != "global"]
    return [_name(provider, account, regions) for (provider, account), regions in found.items()]


def _name(provider: str, account: str | None, regions: Sequence[str]) -> str:
    where = f"{len(regions)} regions" if len(regions) > MANY else ", ".join(regions)
    more = [text for text in (account, where) if text]
    return provider + (f" ({', '.join(more)})" if more else "")
