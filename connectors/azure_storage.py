"""Blob containers of storage accounts.

What others call a bucket is a container within an account here. The account has the region, the tier and the
tags, which are shown with its containers; they bear none of their own. Azure measures and bills accounts, so
nobody tells the size of one container. Keys of an account are never asked for.
Source: the REST API of Microsoft.Storage, 2026-09-01.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.azure_base import Microsoft
from connectors.azure_rows import common, moment, places, prop, region, tags, text
from connectors.rows import Record, inner, told

ACCOUNTS, VERSION = "Microsoft.Storage/storageAccounts", "2026-09-01"
CONTAINERS = "blobServices/default/containers"
WITHOUT_BLOBS = "FileStorage"
"""Accounts of this kind keep files alone, and answer the question for their containers with an error."""
ACCOUNT = "_account"
"""Where the record of its account stands beside a container."""


class Storage(Microsoft):
    """What keeps bytes."""

    async def buckets(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Blob containers, account by account."""

        async def inside(account: Record) -> list[Mapping[str, Any]]:
            found = await self.whole(scope, f"{account['id']}/{CONTAINERS}", VERSION)
            return [{**one, ACCOUNT: account} for one in found]

        async def pages(subscription: str) -> AsyncIterator[Sequence[Record]]:
            where = f"/subscriptions/{subscription}/providers/{ACCOUNTS}"
            async for accounts in self.pages(scope, where, VERSION):
                able = [one for one in accounts if one.get("id") and one.get("kind") != WITHOUT_BLOBS]
                for found in await self.each(able, inside):
                    yield found

        async for rows in self.rows(scope, pages, bucket, "container"):
            yield rows


def bucket(one: Record) -> Resource:
    """One blob container, with what its account says."""
    account: Record = one.get(ACCOUNT) or {}
    own = {name: value for name, value in one.items() if name != ACCOUNT}
    changed = moment(prop(one, "lastModifiedTime"))
    about = common(own) | {"region": region(account), "tags": tags(account), "updated_at": changed}
    return Resource(
        **about,
        type="bucket",
        status="available",
        storage_class=text(prop(account, "accessTier")),
        details=told(
            **places(own),
            account=text(account.get("name")),
            redundancy=text(inner(account, "sku", "name")),
            public_access=text(prop(one, "publicAccess")),
            immutable=prop(one, "hasImmutabilityPolicy"),
        ),
    )
