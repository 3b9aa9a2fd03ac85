"""What an account of Cloudflare has: Workers, models, storage, zones, Pages projects and queues.

R2 keeps a list of buckets for each jurisdiction; what a bucket or a namespace holds stands in the analytics
only, and the size of a D1 database in its own record. All of these are asked for beside the list: whoever
may not read them is shown the rest. Source: the SDK's types, version 5.9.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope, iso
from connectors import cloudflare_rows as made
from connectors.cloudflare_base import PAGE, Edge
from connectors.rows import Record, each, inner

BUCKETS = 1000
JURISDICTIONS = ("default", "eu", "us", "fedramp", "fedramp-high")
RECENT = timedelta(days=4)
"""How far back the newest figure of what is stored is looked for: it stands once a day, and may be late."""
R2_STORAGE = """query ($accountTag: string!, $start: Time!, $end: Time!) {
  viewer { accounts(filter: {accountTag: $accountTag}) {
    r2StorageAdaptiveGroups(
      limit: 10000, filter: {datetime_geq: $start, datetime_leq: $end}, orderBy: [datetime_DESC]
    ) { max { objectCount payloadSize metadataSize } dimensions { bucketName datetime } }
  } }
}"""
KV_STORAGE = """query ($accountTag: string!, $start: Date!, $end: Date!) {
  viewer { accounts(filter: {accountTag: $accountTag}) {
    kvStorageAdaptiveGroups(
      limit: 10000, filter: {date_geq: $start, date_leq: $end}, orderBy: [date_DESC]
    ) { max { keyCount byteCount } dimensions { namespaceId date } }
  } }
}"""


class Listings(Edge):
    """The kinds of things in an account."""

    async def workers(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Workers: one answer, without pages."""
        answer = await self.call(
            scope, lambda sdk, account: sdk.workers.scripts.with_raw_response.list(account_id=account)
        )
        tags = await self.tags(scope, "worker")
        pages = _alone(self.records(answer, "result"))
        async for rows in self.rows(scope, pages, lambda one: made.worker(one, tags), "Worker"):
            yield rows

    async def models(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """The models of Workers AI that an account may run."""
        pages = self.numbered(
            scope,
            lambda sdk, account, page: sdk.ai.models.with_raw_response.list(
                account_id=account, page=page, per_page=PAGE
            ),
        )
        async for rows in self.rows(scope, pages, made.model, "model", "name"):
            yield rows

    async def buckets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """R2 buckets, jurisdiction by jurisdiction; only the default one is everybody's."""
        pages = self._buckets(scope, JURISDICTIONS[0])
        first = [one async for page in pages for one in page]
        storage = await self.beside(scope, "Sizes", self._stored(scope))
        tags = await self.tags(scope, "r2_bucket")

        def row(one: Record) -> Resource:
            return made.bucket(one, tags, storage)

        async for rows in self.rows(scope, _alone(first), row, "bucket", "name"):
            yield rows
        for jurisdiction in JURISDICTIONS[1:]:
            what = f"Buckets in the jurisdiction {jurisdiction}"
            found = await self.beside(scope, what, self._within(scope, jurisdiction))
            async for rows in self.rows(scope, _alone(found or []), row, "bucket", "name"):
                yield rows

    async def _within(self, scope: Scope, jurisdiction: str) -> list[Record]:
        found = [one async for page in self._buckets(scope, jurisdiction) for one in page]
        return [{**one, "jurisdiction": jurisdiction} for one in found]

    async def _buckets(self, scope: Scope, jurisdiction: str) -> AsyncIterator[list[Record]]:
        async def ask(cursor: str | None) -> Any:
            more = {"cursor": cursor} if cursor else {}
            return await self.call(
                scope,
                lambda sdk, account: sdk.r2.buckets.with_raw_response.list(
                    account_id=account, cf_r2_jurisdiction=jurisdiction, per_page=BUCKETS, **more
                ),
            )

        async for answer in self.paged(ask, lambda one: inner(one, "result_info", "cursor")):
            yield self.records(answer, "result", "buckets")

    async def _stored(self, scope: Scope) -> Mapping[str, Record]:
        now = self.now()
        told = await self.graphql(scope, R2_STORAGE, start=iso(now - RECENT), end=iso(now))
        return newest(each(told, "r2StorageAdaptiveGroups"), "bucketName", "datetime")

    async def d1_databases(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """D1 databases; each is asked for its size."""
        tags = await self.tags(scope, "d1_database")

        async def sized(one: Record) -> Record:
            if not one.get("uuid"):
                return one
            asked = self.call(
                scope,
                lambda sdk, account: sdk.d1.database.with_raw_response.get(one["uuid"], account_id=account),
            )
            answer = await self.beside(scope, "Sizes", asked)
            about = inner(answer, "result")
            return {**one, **about} if isinstance(about, Mapping) else one

        async def pages() -> AsyncIterator[list[Record]]:
            async for found in self.numbered(
                scope,
                lambda sdk, account, page: sdk.d1.database.with_raw_response.list(
                    account_id=account, page=page, per_page=PAGE
                ),
            ):
                yield await self.each(found, sized)

        async for rows in self.rows(
            scope, pages(), lambda one: made.d1_database(one, tags), "database", "uuid"
        ):
            yield rows

    async def namespaces(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Namespaces of Workers KV."""
        today = self.now().date()
        asked = self.graphql(scope, KV_STORAGE, start=f"{today - RECENT}", end=f"{today}")
        told = await self.beside(scope, "Sizes", asked)
        storage = (
            None if told is None else newest(each(told, "kvStorageAdaptiveGroups"), "namespaceId", "date")
        )
        tags = await self.tags(scope, "kv_namespace")
        pages = self.numbered(
            scope,
            lambda sdk, account, page: sdk.kv.namespaces.with_raw_response.list(
                account_id=account, page=page, per_page=PAGE, order="title"
            ),
        )
        async for rows in self.rows(
            scope, pages, lambda one: made.namespace(one, tags, storage), "namespace"
        ):
            yield rows

    async def zones(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Zones of the account; a token may see those of others too."""
        tags = await self.tags(scope, "zone")
        pages = self.numbered(
            scope,
            lambda sdk, account, page: sdk.zones.with_raw_response.list(
                account={"id": account}, page=page, per_page=PAGE
            ),
        )
        async for rows in self.rows(scope, pages, lambda one: made.zone(one, tags), "zone"):
            yield rows

    async def pages_projects(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Pages projects, with how their last deployment went."""
        tags = await self.tags(scope, "pages_project")
        pages = self.numbered(
            scope,
            lambda sdk, account, page: sdk.pages.projects.with_raw_response.list(
                account_id=account, page=page, per_page=PROJECTS
            ),
        )
        async for rows in self.rows(scope, pages, lambda one: made.project(one, tags), "project", "name"):
            yield rows

    async def queues(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Queues, each with what waits in it."""
        answer = await self.call(
            scope, lambda sdk, account: sdk.queues.with_raw_response.list(account_id=account)
        )
        tags = await self.tags(scope, "queue")

        async def filled(one: Record) -> Record:
            if not one.get("queue_id"):
                return one
            asked = self.call(
                scope,
                lambda sdk, account: sdk.queues.with_raw_response.get_metrics(
                    one["queue_id"], account_id=account
                ),
            )
            return {**one, made.BACKLOG: inner(await self.beside(scope, "Backlogs", asked), "result")}

        found = await self.each(self.records(answer, "result"), filled)
        async for rows in self.rows(
            scope, _alone(found), lambda one: made.message_queue(one, tags), "queue", "queue_id"
        ):
            yield rows


PROJECTS = 10
"""Pages takes no more."""


def newest(groups: list[Record], by: str, at: str) -> dict[str, Record]:
    """The newest maximum of each thing: groups of a dataset by what names it."""
    found: dict[str, Record] = {}
    for one in sorted(groups, key=lambda group: str(inner(group, "dimensions", at))):
        told = inner(one, "max")
        if isinstance(told, Mapping):
            found[str(inner(one, "dimensions", by))] = told
    return found


async def _alone(page: list[Record]) -> AsyncIterator[list[Record]]:
    """A listing that came in one piece."""
    yield page
