"""check_health: whether each connection works, by asking it, and how old what it told before is; and how the
resources behind it are.

A cloud that cannot be asked for want of credentials is neither healthy nor not: `unknown`, with what to set.
Quota is reported where a cloud says what is left of it; nothing is invented where it does not. What narrows
to resources asks for them alone; a bare `status` is looked for in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudtop.errors import ArgumentError
from cloudtop.models import PriceQuery, Scope, Trouble, iso
from mcp_server.fleet import LISTS, PRICES
from mcp_server.result import Rows
from mcp_server.tools._resource_health import add, check_row, resource_health, wanted

if TYPE_CHECKING:
    from datetime import datetime

    from mcp_server.fleet import Fleet, Harvest
    from mcp_server.result import Ctx

HEALTH, PERMISSIONS, RESOURCES, CONNECTORS = "health", "permissions", "resources", "connectors"
STATES = {"unreachable": "down", "too_slow": "degraded", "rate_limited": "degraded"}


async def run(
    ctx: Ctx,
    *,
    providers: list[str] | None,
    scope: str | None,
    check: list[str] | None,
    name: list[str] | None,
    resource_type: list[str] | None,
    region: list[str] | None,
    status: list[str] | None,
    tag: list[str] | None,
    max_age: float | None,
    limit: int,
) -> Rows:
    """Ask all connections, or for all resources, at once; one row per check."""
    narrowed = bool(name or resource_type or region or tag or check == [RESOURCES])
    if scope == CONNECTORS and narrowed:
        raise ArgumentError(
            "scope", "is connectors, and what narrows to resources stands beside it", RESOURCES
        )
    both = status and not (scope or narrowed or check)
    found = Rows(rows=[])
    if not (scope == RESOURCES or narrowed):
        found = await _connections(ctx, providers, check, status, max_age)
    if scope == RESOURCES or narrowed or both:
        given = {
            "providers": providers,
            "name": name,
            "resource_type": resource_type,
            "region": region,
            "tag": tag,
        }
        add(found, await resource_health(ctx, given, status, max_age))
    found.applied |= {"scope": scope} if scope else {}
    found.total = len(found.rows)
    found.rows = found.rows[ctx.offset : ctx.offset + limit]
    return found


async def _connections(
    ctx: Ctx,
    providers: list[str] | None,
    check: list[str] | None,
    status: list[str] | None,
    max_age: float | None,
) -> Rows:
    """One row per check of each connection."""
    named = await ctx.fleet.ids(providers or (), "providers")
    asked = list(named or ctx.fleet.facts)
    scopes = [one for provider in asked for one in _scopes(ctx.fleet, provider, check)]
    harvest = await ctx.fleet.read(
        scopes, max_age_s=max_age, deadline_s=ctx.deadline_s, progress=ctx.progress
    )
    lists = await _lists(ctx, asked, check)
    rows = list(_once(row for provider in asked for row in _rows(ctx, provider, scopes, harvest, lists)))
    kept = [row for row in rows if (not check or row["check"] in check) and wanted(row, status)]
    uncovered = ctx.fleet.standing.uncovered(
        HEALTH, tuple(one for one in named if one not in ctx.fleet.facts)
    )
    return Rows(
        rows=kept,
        sources=harvest.sources,
        missing=[*_unasked(harvest), *uncovered.values()],
        applied=_applied(named, check, status, max_age),
        expires_at=harvest.expires_at,
    )


def _once(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A key that is refused is found out by each thing that is asked with it, and told once."""
    failed: set[tuple[Any, ...]] = set()
    for row in rows:
        key = row["provider"], row["account"], row["check"], row["message"]
        if row["healthy"] is not False or key not in failed:
            yield row
        if row["healthy"] is False:
            failed.add(key)


def _scopes(fleet: Fleet, provider: str, check: list[str] | None) -> Iterator[Scope]:
    """One per account with credentials, and one for its permissions; the public side of a cloud without."""
    if fleet.standing.can(provider, HEALTH) and check != [PERMISSIONS]:
        for account in fleet.standing.accounts(provider) or ("public",):
            yield fleet.here(Scope(provider, account, kind=HEALTH))
    if fleet.standing.can(provider, PERMISSIONS) and (not check or PERMISSIONS in check):
        for account in fleet.standing.accounts(provider, PERMISSIONS):
            yield fleet.here(Scope(provider, account, kind=PERMISSIONS))


async def _lists(ctx: Ctx, asked: list[str], check: list[str] | None) -> Harvest | None:
    """Price lists are healthy when their files can be read, so they are read."""
    if LISTS not in asked or (check and not {"api", "freshness"} & set(check)):
        return None
    return await ctx.fleet.prices(PriceQuery(), (LISTS,), deadline_s=ctx.deadline_s)


def _rows(
    ctx: Ctx, provider: str, scopes: list[Scope], harvest: Harvest, lists: Harvest | None
) -> Iterator[dict[str, Any]]:
    mine = [one for one in scopes if one.provider == provider]
    for scope in mine:
        yield from _checks(ctx, scope, harvest)
    if provider == LISTS:
        yield from _files(ctx, lists)
    elif provider in ctx.fleet.facts:
        if not mine:
            yield _closed(ctx, provider)
        yield from _freshness(ctx, provider)


def _checks(ctx: Ctx, scope: Scope, harvest: Harvest) -> Iterator[dict[str, Any]]:
    """What the connector found out, or that it could not even find out."""
    trouble = _trouble(harvest, scope)
    if trouble is not None and trouble.severity == "error":
        yield _failed(ctx, scope, trouble)
        return
    for one in ctx.store.rows(scope):
        checked_at = one["checked_at"]
        read_at = _moment(checked_at)
        yield check_row(
            scope.provider,
            scope.account,
            one["check"],
            one["status"],
            one["message"],
            checked_at,
            name=one["name"],
            region=one["region"],
            healthy=one["healthy"],
            latency_ms=one["latency_ms"],
            uid=one["resource"],
            source=harvest.label(scope, read_at, ctx.clock.now()),
        )


def _failed(ctx: Ctx, scope: Scope, trouble: Trouble) -> dict[str, Any]:
    """That a cloud did not answer is the answer here."""
    check = "credentials" if trouble.code in ("unauthorized", "forbidden") else "api"
    now = iso(ctx.clock.now()) or ""
    status = STATES.get(trouble.code, "failing")
    message = f"{trouble.message} {trouble.next_step}".strip()
    title = ctx.fleet.standing.title(scope.provider)
    return check_row(scope.provider, scope.account, check, status, message, now, name=title, healthy=False)


def _closed(ctx: Ctx, provider: str) -> dict[str, Any]:
    reason = ctx.fleet.standing.reason(provider) or "It has no health check."
    title, now = ctx.fleet.standing.title(provider), iso(ctx.clock.now()) or ""
    return check_row(provider, "default", "credentials", "unknown", reason, now, name=title, source="cache")


def _freshness(ctx: Ctx, provider: str) -> Iterator[dict[str, Any]]:
    """How old the newest prices of each account are. Old ones are no fault while nobody asked for newer."""
    now = ctx.clock.now()
    newest: dict[str, Any] = {}
    failed: list[Any] = []
    for one in ctx.store.cache_list():
        known, best = one["known"], newest.get(one["account"])
        if (one["provider"], one["kind"]) != (provider, PRICES) or not _read_here(ctx.fleet, one):
            continue
        if known.fetched_at is None:
            failed += [known] if known.trouble and known.tried_at else []
            continue
        if best is None or known.fetched_at > best[1].fetched_at:
            newest[one["account"]] = (Scope(provider, one["account"], one["region"], PRICES), known)
    title = ctx.fleet.standing.title(provider)
    if not newest and ctx.fleet.standing.can(provider, PRICES):
        bulk = PRICES in ctx.fleet.facts[provider].bulk
        reader = f"`cloudtop sync {provider}` will" if bulk else "the first question will"
        yield _unread(provider, title, failed, iso(now) or "", reader)
    for account, (scope, known) in sorted(newest.items()):
        status, message = _aged(known, ctx.fleet.ttl_s(scope), now)
        yield check_row(
            provider,
            account,
            "freshness",
            status,
            message,
            iso(now) or "",
            name=title,
            healthy={"healthy": True, "unknown": None}.get(status, False),
            source="cache",
            fetched_at=iso(known.fetched_at),
        )


def _read_here(fleet: Fleet, listed: dict[str, Any]) -> bool:
    """Whether a listing in the store is from where the provider is asked now."""
    scope = Scope(*(listed[name] for name in ("provider", "account", "region", "kind", "query")))
    return fleet.here(scope) == scope


def _unread(provider: str, title: str, failed: list[Any], now: str, reader: str) -> dict[str, Any]:
    """Nothing is there yet: since nobody asked, or since every try failed."""
    status, healthy, message = "unknown", None, f"No prices have been read yet; {reader}."
    if failed:
        last = max(failed, key=lambda known: known.tried_at)
        status, healthy = "degraded", False
        message = f"No prices have been read yet. The last try failed: {last.trouble.message}"
    return check_row(
        provider, "public", "freshness", status, message, now, name=title, healthy=healthy, source="cache"
    )


def _aged(known: Any, ttl_s: float, now: datetime) -> tuple[str, str]:
    age_s = (now - known.fetched_at).total_seconds()
    said = f"The newest prices are {_span(age_s)} old; they count as fresh for {_span(ttl_s)}"
    if age_s <= ttl_s and known.trouble is None:
        return "healthy", f"{said}."
    if known.trouble is not None:
        return "degraded", f"{said}. The last try failed: {known.trouble.message}"
    return "unknown", f"{said}. The next question reads them anew."


def _files(ctx: Ctx, lists: Harvest | None) -> Iterator[dict[str, Any]]:
    """One row for each list that is read, good or not."""
    if lists is None:
        return
    now = iso(ctx.clock.now()) or ""
    title = ctx.fleet.standing.title(LISTS)
    for trouble in lists.missing:
        status = "failing" if trouble.severity == "error" else "degraded"
        message = f"{trouble.message} {trouble.next_step}".strip()
        account = trouble.account or "own"
        yield check_row(LISTS, account, "api", status, message, now, name=title, healthy=False, source="list")
    bad = {trouble.account for trouble in lists.missing}
    for one in lists.sources:
        if one.account not in bad:
            message = f"{one.rows} prices were read from the {one.account} list."
            fetched_at = iso(one.fetched_at)
            yield check_row(
                LISTS,
                one.account,
                "api",
                "healthy",
                message,
                now,
                name=title,
                healthy=True,
                source="list",
                fetched_at=fetched_at,
            )


def _unasked(harvest: Harvest) -> Iterable[Trouble]:
    """Troubles that are not themselves the finding: those of clouds that were not asked at all."""
    return [one for one in harvest.missing if one.severity != "error"]


def _trouble(harvest: Harvest, scope: Scope) -> Trouble | None:
    about = (scope.provider, scope.account)
    return next((one for one in harvest.missing if (one.provider, one.account) == about), None)


def _applied(
    named: tuple[str, ...], check: list[str] | None, status: list[str] | None, max_age: float | None
) -> dict[str, Any]:
    given = {"providers": list(named), "check": check, "status": status, "max_age": max_age}
    return {name: value for name, value in given.items() if value not in (None, [])}


def _span(seconds: float) -> str:
    """A length of time in its largest whole unit."""
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"


def _moment(text: str) -> datetime:
    from datetime import datetime

    return datetime.fromisoformat(text)
