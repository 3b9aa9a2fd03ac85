"""A question about resources understood: what to ask the clouds, what to look for, what was applied.

Shared by every tool that narrows the inventory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.models import iso
from cloudtop.store.resources import ResourceFilter, Tag
from mcp_server.inventory import Asked

if TYPE_CHECKING:
    from cloudtop.regions import Wanted
    from cloudtop.resource_types import Meant
    from mcp_server.harvest import Harvest
    from mcp_server.result import Ctx

MUTED = ("max_age",)
"""Arguments that say how to ask, not what."""


@dataclass(slots=True)
class Question:
    """One question about resources. `now`: it is about today, so clouds are asked."""

    asked: Asked
    filter: ResourceFilter
    now: bool = True
    applied: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


async def question(ctx: Ctx, given: Mapping[str, Any]) -> Question:
    """Make one out of a tool's arguments, any of which may be missing; what contradicts itself is refused."""
    from cloudtop import resource_types

    providers = await ctx.fleet.ids(given.get("providers") or (), "providers") or None
    meant = _in_terms(ctx, providers, resource_types.meant(given.get("resource_type") or ()))
    without = resource_types.meant(given.get("exclude_resource_type") or (), "exclude_resource_type")
    places = _places(given.get("region"))
    readings, notices = _gpus(given.get("gpu"))
    at, within = _then(ctx, given)
    made = Question(
        Asked(providers, _wanted(meant.types, without.types), tuple(given.get("account") or ()), places),
        ResourceFilter(
            types=meant.types,
            exclude_types=without.types,
            places_any=places,
            statuses=tuple(given.get("status") or ()),
            exclude_statuses=tuple(given.get("status_not") or ()),
            ids=uids(given.get("id") or ())[0],
            names=tuple(given.get("name") or ()),
            name_contains=tuple(given.get("name_contains") or ()),
            search=given.get("search"),
            tags=_tags("tag", given.get("tag")),
            exclude_tags=_tags("tag_not", given.get("tag_not")),
            missing_tags=tuple(given.get("missing_tag") or ()),
            instance_types=tuple(given.get("instance_type") or ()),
            gpus=readings,
            with_gpus=meant.gpus,
            spot=given.get("spot"),
            engines=tuple(given.get("engine") or ()),
            runtimes=tuple(given.get("runtime") or ()),
            encrypted=given.get("encrypted"),
            ip=given.get("ip"),
            namespace=given.get("namespace"),
            min_vcpu=given.get("min_vcpu"),
            min_ram=given.get("min_ram"),
            min_memory=given.get("min_memory"),
            min_size_gb=given.get("min_size_gb"),
            max_price=given.get("max_price"),
            created_since=_moment(ctx, given, "created_since"),
            created_before=_created_before(ctx, given),
            at=at,
            within=within,
        ),
        notices=list(notices),
    )
    made.now = (at is None and within is None) or (within is not None and within[1] >= ctx.now)
    made.applied = _applied(given, providers, made.filter)
    return made


async def harvested(ctx: Ctx, asked: Question, max_age_s: float | None) -> Harvest:
    """The listings that the question takes, brought up to date; for an earlier time nobody is asked."""
    return await ctx.fleet.inventory.resources(
        asked.asked,
        ask=asked.now,
        max_age_s=max_age_s,
        deadline_s=ctx.deadline_s,
        progress=ctx.progress,
    )


def known_since(ctx: Ctx, asked: Question, harvest: Harvest) -> list[str]:
    """That an earlier time is asked about than cloudtop has looked at."""
    early = asked.filter.at or (asked.filter.within[0] if asked.filter.within else None)
    if early is None:
        return []
    since = ctx.store.roster.known_since(harvest.scopes) if harvest.scopes else None
    if since is None:
        return ["Nothing has been read of these accounts yet, so nothing is known of earlier times."]
    if since <= early:
        return []
    return [f"What was before {iso(since)} is not known: that is when cloudtop first looked."]


def uids(given: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The native ids that these are or end in, and the whole uids by native id.

    A uid is split at its first four colons: what follows them may hold more.
    """
    found: dict[str, str] = {}
    for text in given:
        parts = text.split(":", 4)
        if len(parts) == 5 and _is_uid(parts):
            found[parts[4]] = text
    return tuple(text.split(":", 4)[4] if text in found.values() else text for text in given), found


def _is_uid(parts: Sequence[str]) -> bool:
    from cloudtop import resource_types

    return parts[3] in resource_types.types() and not parts[0].startswith(("arn", "ocid"))


def _in_terms(ctx: Ctx, providers: Sequence[str] | None, meant: Meant) -> Meant:
    """The types as the clouds that are named have them: a pod of RunPod is an instance."""
    clouds = [one for one in providers or () if one in ctx.fleet.facts]
    terms = [ctx.fleet.facts[one].terms for one in clouds]

    def own(kind: str) -> str:
        known = {one.get(kind, kind) for one in terms}
        return known.pop() if len(known) == 1 else kind

    return meant._replace(types=tuple(dict.fromkeys(map(own, meant.types))))


def _wanted(types: tuple[str, ...], without: tuple[str, ...]) -> tuple[str, ...]:
    """The types that listings are read for."""
    from cloudtop import resource_types

    if not without:
        return types
    left = tuple(one for one in types or tuple(resource_types.types()) if one not in without)
    if not left:
        raise ArgumentError("exclude_resource_type", "leaves nothing of resource_type.", "other types")
    return left


def _places(asked: Sequence[str] | None) -> tuple[Wanted, ...]:
    if not asked:
        return ()
    from cloudtop.regions import wanted

    return tuple(wanted(text) for text in asked)


def _gpus(asked: Sequence[str] | None) -> tuple[Any, Sequence[str]]:
    if not asked:
        return (), ()
    from mcp_server.tools._price_models import models

    meant = models(asked, None, None, None, None, None)
    return meant.readings, meant.notices


def _tags(argument: str, asked: Sequence[str] | None) -> tuple[Tag, ...]:
    made = []
    for text in asked or ():
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise ArgumentError(argument, f"{text[:60]!r} is no tag", "key=value, such as env=prod")
        made.append((key.strip(), value.strip()))
    return tuple(made)


def _then(ctx: Ctx, given: Mapping[str, Any]) -> tuple[datetime | None, tuple[datetime, datetime] | None]:
    """The moment or the time that a question is about, when it is not now."""
    from cloudtop.times import interval

    at = within = None
    if given.get("as_of"):
        at = min(interval(given["as_of"], ctx.now, past_only=True, argument="as_of").end, ctx.now)
    if given.get("time"):
        found = interval(given["time"], ctx.now, past_only=True)
        within = (found.start, min(found.end, ctx.now))
    if at and within:
        raise ArgumentError("as_of", "cannot stand beside time", "one of the two")
    return at, within


def _moment(ctx: Ctx, given: Mapping[str, Any], name: str) -> datetime | None:
    if not given.get(name):
        return None
    from cloudtop.times import interval

    return interval(given[name], ctx.now, argument=name).start


def _created_before(ctx: Ctx, given: Mapping[str, Any]) -> datetime | None:
    before = _moment(ctx, given, "created_before")
    if given.get("older_than") is None:
        return before
    aged = ctx.now - timedelta(seconds=given["older_than"])
    return aged if before is None else min(aged, before)


def _applied(
    given: Mapping[str, Any], providers: tuple[str, ...] | None, made: ResourceFilter
) -> dict[str, Any]:
    """The filters that took effect, as they were understood."""
    applied = {
        name: value
        for name, value in given.items()
        if value is not None and value != [] and name not in MUTED
    }
    if providers:
        applied["providers"] = list(providers)
    for name, moment in (
        ("created_since", made.created_since),
        ("created_before", made.created_before),
        ("as_of", made.at),
    ):
        if moment is not None:
            applied[name] = iso(moment)
    if made.within:
        applied["time"] = f"{iso(made.within[0])}/{iso(made.within[1])}"
    applied.pop("older_than", None)
    return applied
