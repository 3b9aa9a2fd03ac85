"""What every connector stands on: its facts, its way out, and how it says that something was left out.

A capability is a method that exists; the fleet looks for these names:

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]
    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]
    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]
    async def permissions(self, scope: Scope) -> AsyncIterator[list[Health]]
    async def divisions(self, scope: Scope) -> AsyncIterator[list[Division]]
    async def <listing>(self, scope: Scope) -> AsyncIterator[list[Resource]]
    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]
    async def instance_prices(self, scope: Scope, types: Sequence[str]) -> AsyncIterator[list[InstancePrice]]
    def stamp(self, scope: Scope) -> str | None

An iterator of pages that ends by itself has read the scope to its proven end; one that raises has not. A page
that is `Unread` says of a part that it was not.
`stamp` is a cheap token of what a scope would give: while it equals the stored one, the rows are fresh.
A listing is a name under `services` in the facts (`instances`), and the kind of its scopes. `divisions` are
what an account is listed by; without it an account is listed once, or in the regions that are configured.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop.errors import CloudError, Forbidden, Invalid, RateLimited, TooSlow, Unauthorized, Unreachable
from cloudtop.models import Health, Scope, Trouble
from cloudtop.text import encoded, plural

if TYPE_CHECKING:
    from cloudtop.settings import ProviderSettings
    from connectors.http import Http

DEFAULT_TTL_S = 300.0
DIVISIONS_TTL_S = 3_600.0
"""Nobody switches regions on and off all day."""

SECRET = re.compile(r"key|token|secret|passw|ssh|email", re.IGNORECASE)
KNOWN_NAMES = 4_096
PASSING = (RateLimited, TooSlow, Unreachable)
"""Failures that pass by themselves: what they kept from being asked is known at the next look."""
NAMED = 3
"""So many parts that refuse are named in a remark."""
AT_ONCE = 16
"""Calls for single things that one listing makes side by side."""

S = TypeVar("S")
T = TypeVar("T")

Refusal = Callable[[int, Any], type[CloudError] | None]
"""Says which failure hides in an answer (status, parsed body), or None for what the status says."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a cloud: its listings with the types of resource in each, and its other names."""

    id: str
    name: str
    group: str
    lists: Mapping[str, tuple[str, ...]]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What `connectors/<id>.yaml` says about a provider; a person may correct it there.

    `optional` are credentials that not everybody has; one in `enough` does alone for the kinds named there.
    `key_header` takes the api_key in place of `Authorization: Bearer`. `bulk` are kinds too big to be read
    while somebody waits for an answer. `early` are modules that take seconds to import: a server begins with
    them when it starts, if an account is configured.
    `everywhere` are listings that hold all regions at once. `regions` are asked when an account's own cannot
    be read. `ambient`: where the provider's own tools keep credentials: `files` (each with the variable that
    names another place, or null), `variables` that name some, keys of `auth` that do, and `methods`, values
    of `auth.method` that do. `metrics`: type of resource to metric to how this cloud tells it; `untold`: why
    it does not; `momentary`: types of which it tells the present alone. `needs`: the permissions that each
    kind takes. `terms`: what a type of resource means here that this cloud has no other of.
    """

    id: str
    title: str
    file: Path
    module: str
    kinds: tuple[str, ...]
    keyless: tuple[str, ...]
    ttl_s: Mapping[str, float]
    aliases: tuple[str, ...] = ()
    docs_url: str | None = None
    base_urls: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    credentials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    enough: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key_header: str | None = None
    bulk: tuple[str, ...] = ()
    early: tuple[str, ...] = ()
    requests_per_second: float = 50.0
    burst: int = 10
    in_flight: int = 8
    services: Mapping[str, Service] = field(default_factory=dict)
    everywhere: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    ambient: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    untold: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    momentary: tuple[str, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def lists(self) -> dict[str, tuple[str, ...]]:
        """Every listing with the types of resource in it."""
        return {kind: types for one in self.services.values() for kind, types in one.lists.items()}

    def service_of(self, listing: str) -> str | None:
        """The service that a listing is of."""
        return next((one.id for one in self.services.values() if listing in one.lists), None)

    @property
    def credential_names(self) -> tuple[str, ...]:
        """What the cloud calls its credentials, by the names of the configuration (`api_key`)."""
        return tuple(self.credentials)

    @property
    def required(self) -> tuple[str, ...]:
        """The credentials without which an account cannot be used."""
        return tuple(name for name in self.credentials if name not in self.optional)

    @property
    def to_set(self) -> str:
        """The environment variables that have to be set, in words: `A or B` for one, `A and B` for two."""
        names = [self.credentials[name] for name in self.required]
        needed = " or ".join(names[0]) if len(names) == 1 else " and ".join(one[0] for one in names)
        alone = [
            f"{' or '.join(self.credentials[name])} (for {' and '.join(kinds)} alone)"
            for name, kinds in self.enough.items()
        ]
        return ", or ".join([*alone, needed])

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that may hold them, the usual one first."""
        return tuple(name for names in self.credentials.values() for name in names)


class Connector:
    """One cloud: where to ask, and what a row means. Subclasses add the nouns that it can answer."""

    def __init__(
        self, facts: Facts, settings: ProviderSettings, http: Http, now: Callable[[], datetime]
    ) -> None:
        self.facts, self.settings, self.http, self.now = facts, settings, http, now
        self.noted: dict[Scope, list[Trouble]] = {}
        http.refusal = getattr(self, "refusal", None)

    @property
    def id(self) -> str:
        """The provider's id."""
        return self.facts.id

    @property
    def notes(self) -> list[Trouble]:
        """The warnings about all scopes that nobody has taken yet."""
        return [note for notes in self.noted.values() for note in notes]

    def note(
        self, scope: Scope, message: str, next_step: str, code: str = "invalid", region: str | None = None
    ) -> None:
        """Keep a warning about what was left out of a scope, or of a region in it; the fleet takes it."""
        self.noted.setdefault(scope, []).append(
            Trouble(
                scope.provider,
                code,
                message,
                next_step,
                account=scope.account,
                region=region or scope.region,
                kind=scope.kind,
                severity="warning",
            )
        )

    def note_once(self, scope: Scope, message: str, error: CloudError, region: str | None = None) -> None:
        """Keep one warning of a kind about a region, however many resources it is about."""
        said, region = message.partition(". ")[0], region or scope.region
        known = {(one.message.partition(". ")[0], one.region) for one in self.noted.get(scope, ())}
        if (said, region) not in known:
            self.note(scope, message, error.next_step, error.code, region)

    def refused(
        self, scope: Scope, noun: str, refused: Sequence[tuple[str, CloudError]], every: Sequence[object]
    ) -> None:
        """Remark which of a scope's parts refused, by name; where all of them did, so does the scope."""
        if not refused:
            return
        error = refused[0][1]
        if len(refused) == len(every):
            raise error
        names = [name for name, _ in refused]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        which = f"{len(names)} of {len(every)} {noun} do not allow this: {', '.join(names[:NAMED])}{more}"
        self.note_once(scope, f"{which}. What was known of them stays as it was. {error.message}", error)

    async def beside(self, scope: Scope, what: str, asked: Awaitable[T]) -> T | None:
        """Something that a listing can do without: None and a note when it is refused.

        A cloud that asks to wait or does not answer fails the listing, so that old rows stay as they were.
        """
        try:
            return await asked
        except PASSING:
            raise
        except CloudError as error:
            self.note_once(scope, f"{what} not known. {error.message}", error)
            return None

    async def each(
        self, items: Iterable[S], ask: Callable[[S], Awaitable[T]], at_once: int = AT_ONCE
    ) -> list[T]:
        """The answers to one call for each of several things, a bounded number of them at once.

        Once one has failed none is begun any more; what is under way comes to its end.
        """
        import asyncio

        room = asyncio.Semaphore(at_once)
        failures: list[BaseException] = []

        async def one(item: S) -> T:
            async with room:
                if failures:
                    raise failures[0]
                try:
                    return await ask(item)
                except CloudError as error:
                    failures.append(error)
                    raise

        answers = await asyncio.gather(*map(one, items), return_exceptions=True)
        failures += [one for one in answers if isinstance(one, BaseException)]
        if failures:
            raise failures[0]
        return [one for one in answers if not isinstance(one, BaseException)]

    def bulk(self, scope: Scope) -> bool:
        """Whether a scope is too big to be read while somebody waits; `sync` reads it."""
        return scope.kind in self.facts.bulk

    def ttl_s(self, scope: Scope) -> float:
        """How long what a scope gave counts as fresh; a listing without a time of its own as `resources`."""
        told = self.facts.ttl_s
        usual = told.get("resources", DEFAULT_TTL_S) if scope.kind in self.facts.lists else DEFAULT_TTL_S
        return float(told.get(scope.kind, DIVISIONS_TTL_S if scope.kind == "divisions" else usual))

    def nameless(self, scope: Scope, count: int, noun: str = "offer") -> None:
        """Tell of records that came without what names them, if there were any."""
        if count:
            verb = "was" if count == 1 else "were"
            message = f"{plural(count, noun)} of {self.facts.title} came without an id and {verb} left out."
            others = plural(0, noun).partition(" ")[2]
            self.note(scope, message, f"Nothing to do; the other {others} are complete.")

    def account(self) -> str:
        """The first account with credentials, else `public`: for what is the same for everybody."""
        names = (one.name for one in self.settings.accounts if self.has_credentials(one.name))
        return next(names, "public") if self.facts.required else "public"

    def has_keys(self, account: str) -> bool:
        """Whether the settings hold every credential of an account."""
        return all(self.http.key(account, name) for name in self.facts.required)

    def has_credentials(self, account: str) -> bool:
        """Whether an account has every credential, or its provider's own tools keep some for it."""
        return self.has_keys(account) or self.settings.source(account) is not None

    async def paged(
        self, ask: Callable[[str | None], Awaitable[Any]], more: Callable[[Any], str | None]
    ) -> AsyncIterator[Any]:
        """The answers of a listing. `ask` takes the token or link of a page, None for the first; `more` finds
        the next one in an answer. One that comes twice is Invalid: such a listing would never end.
        """
        token, before = None, set()
        while True:
            answer = await ask(token)
            yield answer
            token = more(answer)
            if not token:
                return
            if token in before:
                message = f"{self.facts.title} repeats the same page instead of going on."
                raise Invalid(message, "Try again.")
            before.add(token)

    def records(self, answer: Any, *path: str) -> list[Mapping[str, Any]]:
        """The list of records at `path` in an answer; anything else there is Invalid."""
        return [one for one in self.list_at(answer, *path) if isinstance(one, Mapping)]

    def names(self, answer: Any, *path: str) -> list[str]:
        """The list of names at `path` in an answer; anything else there is Invalid."""
        return [str(one) for one in self.list_at(answer, *path) if one]

    def list_at(self, answer: Any, *path: str) -> Iterable[Any]:
        """What is listed at `path` in an answer, which may be read one by one; no list there is Invalid."""
        found = answer
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, list | Iterator):
            message = f"{self.facts.title} answered without a list of {path[-1] if path else 'records'}."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.")
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def probe(self, scope: Scope, call: Awaitable[Any], unlocked: str | None) -> list[Health]:
        """Two checks out of one request: does the API answer, and does it accept the credentials?

        `unlocked` is what to say of the credentials where none were sent; a text that `call` gives is said of
        accepted ones. A failure is the answer here, so nothing is raised.
        """
        started, error, answer = self.now(), None, None
        try:
            answer = await call
        except CloudError as raised:
            error = raised
        checked_at = self.now()
        took_ms = round((checked_at - started).total_seconds() * 1000, 1)
        title = self.facts.title

        def row(check: str, status: str, message: str) -> Health:
            healthy = None if status == "unknown" else status == "healthy"
            about = (scope.provider, scope.account, title, check, healthy, status, message)
            return Health(*about, latency_ms=took_ms, checked_at=checked_at)

        if isinstance(error, Unauthorized | Forbidden):
            return [row("credentials", "failing", str(error)), row("api", "healthy", f"{title} answers.")]
        if unlocked is not None:
            credentials = row("credentials", "unknown", unlocked)
        elif error is None:
            said = answer if isinstance(answer, str) else "The key is accepted."
            credentials = row("credentials", "healthy", said)
        else:
            credentials = row("credentials", "unknown", "Not known: the API did not answer.")
        if error is None:
            return [credentials, row("api", "healthy", f"{title} answers.")]
        return [credentials, row("api", _STATES.get(error.code, "failing"), str(error))]

    def permitted(
        self, scope: Scope, kind: str, needed: Sequence[str], allowed: Mapping[str, bool | None]
    ) -> Health:
        """What may be read of a kind; it cannot do without the first permission. None: not known."""
        missing = [action for action in needed if allowed.get(action) is False]
        unknown = [action for action in needed if allowed.get(action) is None]
        status, message = "healthy", f"Allowed: {', '.join(needed)}."
        if missing:
            status = "failing" if needed[0] in missing else "degraded"
            message = f"Not allowed: {', '.join(missing)}. Add them to what the key may do."
        elif needed[0] in unknown:
            status, message = "unknown", f"It could not be found out whether {', '.join(unknown)} is allowed."
        elif unknown:
            message = f"Allowed: {needed[0]}. Not known: {', '.join(unknown)}."
        healthy = None if status == "unknown" else status == "healthy"
        about = (scope.provider, scope.account, kind, "permissions", healthy, status, message)
        return Health(*about, latency_ms=None, checked_at=self.now())


_STATES = {"unreachable": "down", "rate_limited": "degraded", "too_slow": "degraded"}


def raw(record: Mapping[str, Any], secret: re.Pattern[str] = SECRET) -> str:
    """A record as it is kept beside a resource's row: JSON text without what may be a secret."""
    return encoded(public(record, secret))


def public(record: Mapping[str, Any], secret: re.Pattern[str] = SECRET) -> dict[str, Any]:
    """A record without what may be a secret, at any depth, to be kept beside the row.

    `secret` finds the names of such fields, for a cloud that calls harmless things so, or secrets otherwise.
    What has nothing to hide is not copied: read it only.
    """
    kept: dict[str, Any] = _public(record, _names(secret))
    return kept


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of fields seen so far: those that tell of a secret, and those that do not."""

    secret: re.Pattern[str]
    hidden: set[object] = field(default_factory=set)
    harmless: set[object] = field(default_factory=set)

    def hidden_in(self, value: Mapping[Any, Any]) -> set[object]:
        """The names in a record that tell of a secret."""
        if self.harmless.issuperset(value):
            return _NOTHING
        new = value.keys() - self.harmless - self.hidden
        found = {name for name in new if self.secret.search(str(name))}
        if new and len(self.harmless) + len(self.hidden) < KNOWN_NAMES:
            self.hidden.update(found)
            self.harmless.update(new - found)
        return found | self.hidden.intersection(value)


_NOTHING: set[object] = set()
_names = lru_cache(_Names)


def _public(value: Any, names: _Names) -> Any:
    """A dict or list without secrets: itself when it holds none."""
    kept: Any = None
    if isinstance(value, list):
        parts: Iterable[tuple[Any, Any]] = enumerate(value)
    else:
        if hidden := names.hidden_in(value):
            kept = {name: one for name, one in value.items() if name not in hidden}
        parts = (value if kept is None else kept).items()
    for place, one in parts:
        if type(one) in _DEEP and (inner := _public(one, names)) is not one:
            kept = value.copy() if kept is None else kept
            kept[place] = inner
    return value if kept is None else kept


_DEEP = (dict, list)
