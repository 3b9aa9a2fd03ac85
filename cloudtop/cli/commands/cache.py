"""`cache list|clear`: what is kept, how old it is, and away with it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from cloudtop.cli import views
from cloudtop.cli.build import build
from cloudtop.errors import StoreError
from cloudtop.models import iso
from cloudtop.sellers import provider_id
from cloudtop.text import plural

if TYPE_CHECKING:
    import argparse

    from cloudtop.store.open import Store


def run(options: argparse.Namespace) -> int:
    """Do what `action` says; `provider` narrows it."""
    house = build(options.config, options.home, offline=True)
    try:
        provider = (
            provider_id(options.provider, connectors=house.facts, argument="provider")
            if options.provider
            else None
        )
        if options.action == "clear":
            gone = _cleared(house.store, provider)
            said = views.dumps({"cleared": gone}) if options.json else f"Cleared {plural(gone, 'listing')}."
            sys.stdout.write(f"{said}\n")
            return 0
        rows = [_shown(row) for row in house.store.cache_list() if provider in (None, row["provider"])]
    finally:
        asyncio.run(house.aclose())
    if options.json:
        sys.stdout.write(views.dumps(rows) + "\n")
    elif not rows:
        sys.stdout.write("Nothing is kept.\n")
    else:
        columns = list(rows[0])
        views.table(columns, [[views.cell(row[name]) for name in columns] for row in rows], house.settings)
    return 0


def _cleared(store: Store, provider: str | None) -> int:
    """How many listings are gone; an error when the file cannot be changed, for only a copy would be."""
    gone = 0 if store.read_only else store.cache_clear(provider)
    if store.read_only:
        step = "Free some space or get the right to write there; or delete the store's file yourself."
        raise StoreError(f"Nothing was cleared. {store.read_only}", step)
    return gone


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """One listing: what it is of, how many rows, when it was read, and what went wrong since."""
    known = row.pop("known")
    return {
        **row,
        "rows": known.rows,
        "complete": known.complete,
        "fetched_at": iso(known.fetched_at),
        "tried_at": iso(known.tried_at),
        "trouble": known.trouble.code if known.trouble else None,
    }
