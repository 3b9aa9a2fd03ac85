"""The columns of the table: each fault, how it is switched on, and what a cloudtop that bears it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudtop.sandbox.cloud import clouds
from connectors import discovery

from .families import PATIENT_S, methods

DEADLINE_S = 0.3
REFUSED_S = 0.9
"""A deadline for what fails at once: time for a busy machine, and none for a second try after a second."""

SLACK_S = 0.8
OK = "ok"


@dataclass(frozen=True)
class Case:
    """One fault and the outcome that is right.

    `offers` (of whatever is listed) and `health` are a trouble code or OK; `health` may also be read off the
    rows (`api degraded`).
    `tries`: requests of one scope that fails. `waits`: seconds that must have been waited, because asked for.
    `fewer`: rows may truly be gone.
    """

    what: str
    fault: str
    offers: str
    health: str
    how: Mapping[str, Any] = field(default_factory=dict)
    deadline_s: float = DEADLINE_S
    wall_s: float = DEADLINE_S + SLACK_S
    tries: int | None = 1
    waits: float | None = None
    one_scope: bool = True
    dead: bool = False
    fewer: bool = False


def _refusing(fault: str, what: str, offers: str, health: str, **more: Any) -> Case:
    return Case(what, fault, offers, health, deadline_s=REFUSED_S, wall_s=REFUSED_S + SLACK_S, **more)


def _waiting(fault: str, what: str, **more: Any) -> Case:
    return Case(what, fault, "too_slow", "too_slow", **more)


def _passing(fault: str, what: str, **more: Any) -> Case:
    return Case(what, fault, OK, OK, wall_s=5.0, deadline_s=PATIENT_S, **more)


CASES: Mapping[str, Case] = {
    "401": _refusing("401", "401", "unauthorized", "credentials failing"),
    "403": _refusing("403", "403", "forbidden", "credentials failing"),
    "404": _refusing("404", "404", "not_found", "api failing"),
    "409": _refusing("409", "409", "unavailable", "api failing"),
    "410": _refusing("410", "410", "changed", "api failing"),
    "429": _refusing("429", "429 without Retry-After", "rate_limited", "api degraded"),
    "429-s": _refusing("429-seconds", "429 with seconds", "rate_limited", "api degraded"),
    "429-date": _refusing("429-date", "429 with a date", "rate_limited", "api degraded"),
    "429-text": _refusing("429-text", "429 in plain text", "rate_limited", "api degraded"),
    "429-s-once": _passing(
        "429-seconds", "429 once, with seconds: waited for", how={"times": 1}, tries=2, waits=1.0
    ),
    "429-text-once": _passing(
        "429-text", "429 once, in plain text: waited for", how={"times": 1}, tries=2, waits=2.0
    ),
    "400-throttling": _refusing("400-throttling", "400 Throttling", "rate_limited", "api degraded"),
    "403-ratelimit": _refusing("403-ratelimit", "403 rateLimitExceeded", "rate_limited", "api degraded"),
    "500": _refusing("500", "500", "unavailable", "api failing"),
    "503-once": _passing("503", "503 once", how={"times": 1}, tries=2),
    "503": Case("503 for ever", "503", "unavailable", "api failing", deadline_s=PATIENT_S, tries=4),
    "200-error": _refusing("200-error", "200 with an error inside", "invalid", "api failing"),
    "refused": Case(
        "connection refused",
        "refused",
        "unreachable",
        "api down",
        deadline_s=PATIENT_S,
        one_scope=False,
        dead=True,
    ),
    "reset": Case(
        "reset in mid-body",
        "reset",
        "unreachable",
        "api down",
        deadline_s=REFUSED_S,
        wall_s=REFUSED_S + SLACK_S,
        one_scope=False,
    ),
    "silent": _waiting("silent", "no answer"),
    "drip": _waiting("drip", "a byte each 50 ms"),
    "unaccepting": _waiting("unaccepting", "never accepts, 0.3 s", one_scope=False),
    "unaccepting-1s": Case(
        "never accepts, 1 s",
        "unaccepting",
        "unreachable",
        "api down",
        deadline_s=PATIENT_S,
        wall_s=1.0 + SLACK_S,
        one_scope=False,
        dead=True,
    ),
    "truncated": _refusing("truncated", "half of the JSON", "invalid", "api failing"),
    "html": _refusing("html", "HTML with status 200", "invalid", "api failing"),
    "redirect": _refusing("redirect", "307 to another host", "invalid", "api failing"),
    "lost-page": _refusing("500", "the second page fails", "unavailable", "", how={"after": 1}, tries=2),
    "stuck-page": Case("the same page again", "stuck-page", "invalid", "", deadline_s=PATIENT_S, tries=None),
    "big-page": _passing("big-page", "a page of 10 MB"),
    "clock-off": _passing("clock-off", "a clock one day off"),
    "missing-field": _passing("missing-field", "any one field missing", tries=None),
    "empty-page-next": _passing(
        "empty-page-next", "an empty page that leads to a next one", tries=None, fewer=True
    ),
    "same-token": Case("the same token twice", "same-token", "invalid", "", deadline_s=PATIENT_S, tries=None),
    "other-host-next": _refusing("other-host-next", "a next link to another host", "invalid", "", tries=None),
    "region-denied": _refusing("403", "one region denied", "forbidden", ""),
}

PAGED = ("lost-page", "stuck-page", "empty-page-next", "same-token", "other-host-next")


def not_applicable(provider: str, method: str, column: str) -> str | None:
    """Why a fault cannot happen to a method of a provider, None when it can."""
    cloud, facts = clouds()[provider], discovery.found()[provider]
    if method in ("health", "permissions"):
        if column in PAGED:
            return "one request, no pages"
        if column == "region-denied":
            return "the account belongs to no region"
        return "all it tells is yes or no" if (method, column) == ("permissions", "missing-field") else None
    if column == "other-host-next" and not cloud.links:
        return "its next page is named by a token, not by a link"
    if column == "region-denied" and (not cloud.regional or method in facts.everywhere):
        return "its listing is not cut by regions"
    if method != "gpu_offers":
        return (
            "a point without its value is none" if (method, column) == ("metrics", "missing-field") else None
        )
    if column in cloud.cannot:
        return cloud.cannot[column]
    if column in PAGED and not (cloud.more or cloud.walked):
        return "its listing is one answer, without pages"
    if column == "missing-field" and not cloud.records:
        return "its answer is no JSON; its own tests drop each column"
    return None


ROWS = tuple((name, method) for name in clouds() for method in methods(name))
CELLS = tuple((provider, method, column) for provider, method in ROWS for column in CASES)
NOT_APPLICABLE = {cell: reason for cell in CELLS if (reason := not_applicable(*cell))}
