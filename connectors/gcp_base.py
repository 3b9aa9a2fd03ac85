"""How Google is listed: Compute Engine through its own package, every other API as REST through our way out.

Most listings tell all regions of a project at once, in pages. A zone or region that Google could not reach
is named beside the rows of the others: then the listing fails at its end, and old rows stay as they were.
An API that a project has not switched on lists nothing there, which is noted. A page that holds records
without an id counts them. Imported late: connectors.gcp_door, connectors.gcp_identity.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop.errors import (
    Invalid,
    NotConfigured,
    NotEnabled,
    Unavailable,
)
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.base import Connector
from connectors.gcp_errors import refusal
from connectors.gcp_rows import last
from connectors.rows import Record, each

if TYPE_CHECKING:
    from connectors.gcp_door import GoogleDoor
    from connectors.gcp_identity import Identities

T = TypeVar("T")
Row = Callable[[Record], Resource | None]
PAGE = 500
MOST_PROJECTS = 10
EXTRA_RETRIES = 1
"""How often something is asked again that a listing can do without."""


class Google(Connector):
    """A project of Google Cloud."""

    _open: Callable[..., Any]
    _google: GoogleDoor | None = None
    _identities: Identities | None = None
    _projects: Mapping[str, str] = MappingProxyType({})
    refusal = staticmethod(refusal)

    def stand(self, door: Callable[..., Any]) -> None:
        """Take what opens a door: Google's package gets one of its own when it is first used."""
        self._open = door

    @property
    def google(self) -> GoogleDoor:
        """Google's packages behind the door."""
        if self._google is None:
            from connectors.gcp_door import GoogleDoor

            self._google = GoogleDoor(self.facts, self.settings, self.http, self._open)
        return self._google

    @property
    def identities(self) -> Identities:
        """Who asks, by account."""
        if self._identities is None:
            from connectors.gcp_identity import Identities

            self._identities = Identities(self.facts, self.settings, self.http, self.google)
        return self._identities

    def account(self) -> str:
        """The first account with an API key, else the first with an identity: prices are for all the same."""
        names = [one.name for one in self.settings.accounts]
        keyed = (one for one in names if self.http.key(one))
        return next(keyed, next((one for one in names if self.has_credentials(one)), "public"))

    async def aclose(self) -> None:
        """Close the connections of both doors."""
        await super().aclose()
        if self._google is not None:
            await self._google.aclose()

    async def proof(self, account: str) -> dict[str, str]:
        """The headers that say who asks."""
        return (await self.identities.of(account)).headers

    async def project(self, account: str) -> str:
        """The project of an account; where none is configured, the only one that its identity may see."""
        found = await self.identities.project(account) or self._projects.get(account)
        if found is None:
            found = await self._only_project(account)
            self._projects = {**self._projects, account: found}
        return found

    async def _only_project(self, account: str) -> str:
        answer = await self.http.json(
            "GET",
            "/v3/projects:search",
            params={"query": "state:ACTIVE", "pageSize": MOST_PROJECTS},
            headers=await self.proof(account),
            operation="projects search",
            account=account,
            base="projects",
        )
        names = [str(one["projectId"]) for one in each(answer, "projects") if one.get("projectId")]
        if len(names) == 1:
            return names[0]
        step = f"Set options.project_id to one of {', '.join(names)}." if names else "Set options.project_id."
        raise NotConfigured(
            f"{self.facts.title} was not asked: no project is configured for {account}.", step
        )

    async def rest(
        self, scope: Scope, base: str, path: str, *, method: str = "GET", body: Any = None, **params: Any
    ) -> Any:
        """One answer of an API by its name among the addresses; `{project}` in the path is the scope's."""
        headers = await self.proof(scope.account)
        named = path.format(project=await self.project(scope.account))
        answer = await self.http.json(
            method,
            named,
            body=body,
            params={name: value for name, value in params.items() if value is not None},
            headers=headers,
            repeatable=True,
            operation=f"{base} {path.rpartition('/')[2]}",
            account=scope.account,
            base=base,
        )
        if not isinstance(answer, Mapping):
            # Nothing in it would read as a listing of nothing.
            raise Invalid(f"{self.facts.title} answered with something else than an object.", "Try again.")
        return answer

    async def compute(
        self, scope: Scope, client: str, method: str, *, retries: int | None = None, **request: Any
    ) -> dict[str, Any]:
        """One answer of Compute Engine: a page of a listing, or one thing."""
        about = {"project": await self.project(scope.account), **request}
        headers = await self.proof(scope.account)
        return await self.google.compute(client, method, scope.account, headers, about, retries)

    async def aggregated(self, scope: Scope, client: str, key: str) -> AsyncIterator[list[Record]]:
        """The records of all zones and regions, in pages, and at the end those that could not be reached."""

        async def ask(token: str | None) -> Any:
            more: dict[str, Any] = {"page_token": token} if token else {}
            return await self.compute(scope, client, "aggregated_list", max_results=PAGE, **more)

        lost: dict[str, None] = {}
        async for page in self.turned(scope, ask):
            parts = page.get("items") or {}
            lost |= dict.fromkeys((*unreached(parts), *named_lost(page)))
            yield [one for part in parts.values() for one in each(part, key)]
        self.reached(lost)

    async def plain(self, scope: Scope, client: str, method: str = "list") -> AsyncIterator[list[Record]]:
        """The records of a listing that belongs to no region, in pages."""

        async def ask(token: str | None) -> Any:
            more: dict[str, Any] = {"page_token": token} if token else {}
            return await self.compute(scope, client, method, max_results=PAGE, **more)

        async for page in self.turned(scope, ask):
            yield each(page, "items")

    async def pages(
        self, scope: Scope, base: str, path: str, key: str, **params: Any
    ) -> AsyncIterator[list[Record]]:
        """The records of a listing of another API, in pages, and at the end what could not be reached."""

        async def ask(token: str | None) -> Any:
            return await self.rest(scope, base, path, pageToken=token, **params)

        lost: dict[str, None] = {}
        async for page in self.turned(scope, ask):
            lost |= dict.fromkeys(named_lost(page))
            # An empty list is left out of an answer.
            yield self.records(page, key) if key in page else []
        self.reached(lost)

    async def turned(self, scope: Scope, ask: Callable[[str | None], Awaitable[Any]]) -> AsyncIterator[Any]:
        """Every page of a listing; none where the project has not switched its API on."""
        try:
            async for page in self.paged(ask, next_token):
                yield page
        except NotEnabled as error:
            self.note_once(scope, f"Nothing is listed there. {error.message}", error)

    async def listed(
        self, scope: Scope, pages: AsyncIterator[list[Record]], row: Row, noun: str
    ) -> AsyncIterator[list[Resource]]:
        """The rows of a listing: `row` of every record, None for one without an id."""
        nameless = 0
        async for page in pages:
            made = [row(one) for one in page]
            rows = [one for one in made if one is not None]
            nameless += len(made) - len(rows)
            yield self.wanted(scope, rows)
        self.nameless(scope, nameless, noun)

    def wanted(self, scope: Scope, rows: Sequence[Resource]) -> list[Resource]:
        """Those in the regions that are configured, or in several or none."""
        own = next((one.regions for one in self.settings.accounts if one.name == scope.account), ())
        regions = own or self.settings.regions
        return [one for one in rows if not regions or _in(one.region, regions)]

    def reached(self, lost: Iterable[str]) -> None:
        """Fail when places could not be reached: what is there is not known."""
        if names := sorted(lost):
            message = f"{self.facts.title} could not reach {', '.join(names)} itself; the rest was read."
            raise Unavailable(message, "Ask again later.")


def _in(region: str | None, regions: Sequence[str]) -> bool:
    return region is None or "-" not in region or region in regions


def next_token(answer: Any) -> str | None:
    """The token of the next page; empty on the last."""
    token = answer.get("nextPageToken") if isinstance(answer, Mapping) else None
    return token if isinstance(token, str) else None


def unreached(parts: Mapping[str, Any]) -> Iterator[str]:
    """The zones and regions of an aggregated page that could not be reached."""
    for name, part in parts.items():
        warning = part.get("warning") if isinstance(part, Mapping) else None
        if isinstance(warning, Mapping) and warning.get("code") == "UNREACHABLE":
            yield last(name) or name


def named_lost(page: Mapping[str, Any]) -> Iterator[str]:
    """The places that a page of another API says it could not reach."""
    for key in ("unreachable", "unreachables", "missingZones"):
        for name in page.get(key) or ():
            yield last(name) or str(name)
    for warning in each(page, "warnings"):
        if warning.get("code") == "REGION_UNREACHABLE":
            yield str(warning.get("region") or warning.get("message"))
