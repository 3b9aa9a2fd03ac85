"""The store as the other rooms see it. Reads take microseconds, writes go to the writer's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudtop.errors import StoreError
from cloudtop.models import GpuOffer, Scope, Trouble
from cloudtop.store import faults, points, rows, schema, scopes, trends
from cloudtop.store.journal import Journal
from cloudtop.store.neighbours import DownHosts, Leases
from cloudtop.store.observation import Look, Observation
from cloudtop.store.offer_table import OfferTable
from cloudtop.store.resource_table import ResourceTable, keep_prices
from cloudtop.store.roster import Roster
from cloudtop.store.rows import Changes, Row, RowTable
from cloudtop.store.scopes import Known
from cloudtop.store.shelf import Shelf
from cloudtop.store.talks import Talks
from cloudtop.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cloudtop.inventory import Resource
    from cloudtop.models import AuditRecord
    from cloudtop.ports import Audit, Clock, Conversations, Hosts
    from cloudtop.store.connections import Place, Reader
    from cloudtop.store.offers import OfferFilter, OfferPage
    from cloudtop.store.resources import ResourceFilter, ResourcePage
    from cloudtop.store.writer import Steps


class Store:
    """One home's memory: what was read from the clouds and when, price history, and what processes share.

    When its disk is full it goes on in memory, and the write that found this out may have to be repeated.
    """

    def __init__(self, place: Place, reader: Reader, clock: Clock, *, max_size: int | None) -> None:
        self.writer = Writer(place)
        self._place, self._reader, self._clock, self._max_size = place, reader, clock, max_size
        self._shelf = Shelf(reader)
        self.roster = Roster(reader)
        self._leases = Leases(self.writer, clock)
        self._journal = Journal(reader, self.writer)
        self.hosts: Hosts = DownHosts(reader, self.writer, clock)
        self.audit: Audit = self._journal
        self.conversations: Conversations = Talks(reader, self.writer, clock)

    @property
    def read_only(self) -> str | None:
        """None, or the sentence that says why nothing is kept beyond this process."""
        return self._place.unkept

    def examined(self) -> StoreError | None:
        """What is wrong with the file, after reading all of it; None when nothing is."""
        try:
            found = self._reader.all("PRAGMA quick_check(1)")
            with self._reader.snapshot() as db:
                fits = schema.layout(db) == schema.LAYOUT
        except StoreError as error:
            return error
        if found != [("ok",)]:
            return faults.damaged(self._place.name)
        return None if fits else faults.outdated(self._place.name)

    def freshness(self, asked: Sequence[Scope]) -> dict[Scope, Known | None]:
        """What is known of each scope; None for one that was never tried."""
        return scopes.freshness(self._reader, asked)

    def observation(
        self, scope: Scope, *, fetched_at: datetime, stamp: str | None = None
    ) -> Observation[GpuOffer]:
        """Begin to look at a scope's offers: `with ... as seen: seen.add(page); seen.finish()`."""
        look = Look(scope, fetched_at, stamp)
        return Observation(self.writer, look, OfferTable(look), self._max_size)

    def replace_offers(
        self,
        scope: Scope,
        offers: Iterable[GpuOffer],
        *,
        fetched_at: datetime,
        complete: bool,
        stamp: str | None = None,
    ) -> bool:
        """One whole look at a scope's offers; whether it now counts as complete."""
        with self.observation(scope, fetched_at=fetched_at, stamp=stamp) as seen:
            seen.add(offers)
            return seen.finish() if complete else False

    def offers(self, query: OfferFilter) -> OfferPage:
        """One page of offers in the asked order, with the count of all and of what default rules left out."""
        return self._shelf.page(query)

    def group_offers(self, query: OfferFilter, by: str, *, each_gpu: bool = False) -> list[dict[str, Any]]:
        """{group, count, min, median, offer_id} of every group, cheapest first; limit is not used.

        `each_gpu`: a group for every GPU in it, with its name as `gpu`.
        """
        return self._shelf.groups(query, by, each_gpu=each_gpu)

    def raw(self, scope_id: int, offer_id: str, spot: bool) -> dict[str, Any] | None:
        """The seller's own record of an offer; `scope_id` is the row's `_scope_id`."""
        return self._shelf.raw(scope_id, offer_id, spot)

    def price_points(
        self,
        query: OfferFilter,
        start: datetime,
        end: datetime,
        *,
        shape: str = "offer",
        origins: Sequence[str] | None = None,
    ) -> OfferPage:
        """Points of history in force at any moment of [start, end), as rows like offers or as points."""
        return points.price_points(self._reader, query, start, end, shape=shape, origins=origins)

    def price_origins(self) -> list[str]:
        """Every place that prices were ever read from; `history.Origin.of` takes one apart."""
        return trends.origins(self._reader)

    def price_lines(
        self, query: OfferFilter, start: datetime, end: datetime, origins: Sequence[str] | None = None
    ) -> list[trends.Line]:
        """The price series that match and had begun before `end`, each with how it stood then."""
        return trends.lines(self._reader, query, start, end, origins)

    def price_steps(self, ids: Iterable[int], start: datetime, end: datetime) -> dict[int, list[trends.Step]]:
        """The points of these series in force at any moment of [start, end), in the order of time."""
        return trends.steps(self._reader, ids, start, end)

    def price_page(
        self,
        ids: Iterable[int],
        start: datetime,
        end: datetime,
        *,
        sort: str | None,
        descending: bool,
        limit: int,
        offset: int,
    ) -> list[trends.Point]:
        """One page of those points; without `sort` series by series, the newest first."""
        return trends.page(
            self._reader, ids, start, end, sort=sort, descending=descending, limit=limit, offset=offset
        )

    def resource_observation(self, scope: Scope, *, fetched_at: datetime) -> Observation[Resource]:
        """Begin to look at one listing of resources."""
        look = Look(scope, fetched_at, None)
        return Observation(self.writer, look, ResourceTable(look), self._max_size)

    def keep_instance_prices(
        self, provider: str, region: str, prices: Mapping[str, float | None], at: datetime
    ) -> None:
        """Keep what instance types cost by the hour on demand in a region; None for no price."""
        rows = [(provider, region, kind, usd, at.timestamp()) for kind, usd in prices.items()]
        self.writer.run(lambda db: keep_prices(db, rows))

    def instance_prices(self, provider: str, region: str) -> dict[str, datetime]:
        """When the price of each instance type was read that is kept of a region, priced or not."""
        return self.roster.prices_read(provider, region)

    def resources(self, query: ResourceFilter) -> ResourcePage:
        """One page of resources in the asked order, with the count of all."""
        return self.roster.page(query)

    def row_observation(
        self, scope: Scope, *, fetched_at: datetime, stamp: str | None = None
    ) -> Observation[Row]:
        """Begin to look at a scope whose rows are dicts with a `uid`."""
        look = Look(scope, fetched_at, stamp)
        return Observation(self.writer, look, RowTable(look), self._max_size)

    def replace_rows(
        self,
        scope: Scope,
        found: Iterable[Row],
        *,
        fetched_at: datetime,
        complete: bool,
        stamp: str | None = None,
    ) -> Changes:
        """One whole look at such a scope, and what it found different."""
        look = Look(scope, fetched_at, stamp)
        table = RowTable(look)
        with Observation(self.writer, look, table, self._max_size) as seen:
            seen.add(found)
            if complete:
                seen.finish()
        return table.changes

    def rows(self, scope: Scope) -> list[Row]:
        """Every row of such a scope, in the order of their uids."""
        return rows.rows(self._reader, scope)

    def trouble(self, scope: Scope, trouble: Trouble) -> None:
        """Remember that a try failed just now; rows and their times stay."""
        at = self._clock.now().timestamp()
        self.writer.run(lambda db: scopes.note_trouble(db, scope, trouble, at))

    def lease(self, scope: Scope, seconds: float) -> str | None:
        """The right to ask for a scope, shared by all processes of this home; None while another has it."""
        return self._leases.take(scope, seconds)

    async def leased(self, scope: Scope, seconds: float) -> str | None:
        """`lease` for coroutines."""
        return await self._leases.taken(scope, seconds)

    def let_go(self, scope: Scope, token: str) -> None:
        """End a lease without waiting for the file."""
        self._leases.let_go(scope, token)

    def give_back(self, scope: Scope, token: str) -> bool:
        """End a lease; False when it had run out and gone to another."""
        return self._leases.give_back(scope, token)

    def audit_records(self, limit: int | None = 100) -> list[AuditRecord]:
        """The latest audit records, newest first."""
        self.writer.flush()
        return self._journal.records(limit)

    def cache_list(self) -> list[dict[str, Any]]:
        """One dict per scope: provider, account, region, kind, query, known."""
        return scopes.listed(self._reader)

    def cache_clear(self, provider: str | None = None) -> int:
        """Forget the scopes of one provider, or all; how many. History, audit and conversations stay."""
        return self.writer.submit_steps(self._clearing(provider)).result()

    def _clearing(self, provider: str | None) -> Steps[int]:
        chosen = self.writer.connection.execute(
            "SELECT id FROM scope WHERE ?1 IS NULL OR provider=?1", (provider,)
        ).fetchall()
        for (scope_id,) in chosen:
            yield from scopes.cleared(self.writer, scope_id)
        return len(chosen)

    def revision(self) -> int:
        """A number that grows with every change of the cached data, whichever process made it."""
        found: int = self._reader.all("SELECT value FROM state WHERE name='generation'")[0][0]
        return found

    def flush(self) -> None:
        """Wait until everything handed to the writer is in the file."""
        self.writer.flush()

    def close(self) -> None:
        """Write what is waiting and let the file go."""
        self.writer.close()
        self._reader.close()
        self._place.forget()
