"""Vast.ai: a marketplace of other people's machines; what an account rents there, and what can be rented.

An instance is priced with its disk, and pays for that while it is stopped; its load, memory and temperature
are those of now. Credit and balance stand with the health of the key.

An offer is one slice of one machine, and its prices are for all GPUs of the slice. The price that the site
shows (`dph_total`) holds the disk that the search named (`allocated_storage`), so here the GPUs (`dph_base`,
or `min_bid` when interruptible) and the disk (`storage_cost`, a month of 720 hours) are told apart. Memory
is `gpu_ram`; the name does not tell it. A search has no pages, only a limit: it is walked upwards by price.
Searching works without a key; what it leaves out by default (unverified machines) is left out here.
Paths end with a slash. Imported late: json.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any

from cloudtop import gpus, regions
from cloudtop.errors import CloudError, Invalid, RateLimited, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.text import clean
from cloudtop.units import MONTH_HOURS, gib_from_mib, number, positive
from connectors import vast_inventory
from connectors.base import public
from connectors.rows import inner

SEARCH = "/api/v0/bundles/"
WHO_AM_I = "/api/v0/users/current/"
PAGE = 1000
DISK_GB = 8
ON_DEMAND, BID = "on-demand", "bid"


class Vast(vast_inventory.Inventory):
    """Everything that cloudtop asks of Vast.ai."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One search for the rented and one for the interruptible."""
        import json

        account = self.account()
        kinds = {None: (ON_DEMAND, BID), False: (ON_DEMAND,), True: (BID,)}[wanted.spot]
        scopes = []
        for kind in kinds:
            query = {"gpu": sorted(wanted.gpus), "type": kind} if wanted.gpus else {"type": kind}
            text = json.dumps(query, sort_keys=True, separators=(",", ":"))
            scopes.append(Scope(self.id, account, kind="gpu_offers", query=text))
        return scopes

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """Walk upwards by price: each search starts at the last price; what was seen is left out."""
        import json

        query = json.loads(scope.query)
        body: dict[str, Any] = {
            "type": query["type"],
            "rentable": {"eq": True},
            "rented": {"eq": False},
            "order": [["dph_total", "asc"]],
            "limit": PAGE,
            "allocated_storage": DISK_GB,
        }
        if "gpu" in query:
            body["gpu_name"] = {"in": names_at_vast(query["gpu"])}
        walk = Walk()
        while True:
            found = await self._search({**body, **walk.onward()}, scope)
            named = walk.stuck
            fresh = walk.taken(found)
            yield self._rows(fresh, query["type"] == BID)
            if len(found) < PAGE:
                break
            if named and not fresh:
                raise Invalid(
                    f"{self.facts.title} repeats the same offers instead of going on.", "Try again."
                )
        self.nameless(scope, walk.nameless)

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether the key is accepted, and what is left; without one, whether a search is answered."""
        if self.http.key(scope.account):
            yield await self.probe(scope, self._accepted(scope), None)
            return
        search = self._search({"type": ON_DEMAND, "limit": 1, "allocated_storage": DISK_GB}, scope)
        yield await self.probe(scope, search, "No key is set. It works without a key: prices only.")

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """Vast says 404 for a wrong key, and now and then 200 over a failure."""
        if not isinstance(answer, Mapping) or (status < 300 and answer.get("success") is not False):
            return None
        told = f"{answer.get('error')} {answer.get('msg')} {answer.get('message')}".lower()
        if "auth_error" in told or "invalid user key" in told:
            return Unauthorized
        if status < 300:
            return RateLimited if "too frequent" in told else Invalid
        return None

    async def _accepted(self, scope: Scope) -> str:
        who = await self.http.json("GET", WHO_AM_I, operation="who am I", account=scope.account)
        # What was paid in counts as credit; a balance is what is owed or owned beside it.
        left = {name: number(inner(who, name)) for name in ("credit", "balance")}
        said = [f"{name} ${value:.2f}" for name, value in left.items() if value is not None]
        return f"The key is accepted: {', '.join(said)}." if said else "The key is accepted."

    async def _search(self, body: Mapping[str, Any], scope: Scope) -> list[Mapping[str, Any]]:
        answer = await self.http.json(
            "POST", SEARCH, body=body, repeatable=True, operation="search offers", account=scope.account
        )
        return self.records(answer, "offers")

    def _rows(self, offers: Iterable[Mapping[str, Any]], bid: bool) -> list[GpuOffer]:
        at, source = self.now(), self.http.url(SEARCH)
        free = (one for one in offers if one.get("rentable") is not False and one.get("rented") is not True)
        return [gpu_offer(one, bid, at, source) for one in free]


class Walk:
    """Where a search that is walked upwards by price has come to."""

    def __init__(self) -> None:
        self.nameless = 0
        self.stuck = False
        self._seen: dict[str, float | None] = {}
        self._price: float | None = None

    def onward(self) -> dict[str, Any]:
        """The conditions of the next search."""
        conditions: dict[str, Any] = {}
        if self._price is not None:
            conditions["dph_total"] = {"gte": self._price}
        if self.stuck:
            # A whole page of one price: only naming what was seen gets past it.
            here = [id for id, price in self._seen.items() if price is None or price == self._price]
            conditions["id"] = {"notin": [int(id) for id in here if id.isdigit()]}
        return conditions

    def taken(self, offers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The offers not seen before."""
        fresh, before = [], self._price
        for offer in offers:
            price = number(offer.get("dph_total"))
            if price is not None:
                self._price = max(price, self._price or 0.0)
            if not (key := offer_id(offer)):
                self.nameless += 1
            elif key not in self._seen:
                self._seen[key] = price
                fresh.append(offer)
        self.stuck = self._price == before
        return fresh


def names_at_vast(wanted: Iterable[str]) -> list[str]:
    """What Vast calls these GPUs, with blanks; one that it never sold is asked for by its plain name."""
    known = gpus.catalogue().gpus
    found: set[str] = set()
    for name in wanted:
        gpu = known.get(name)
        aliases = gpu.aliases.get("vast", ()) if gpu else ()
        found.update(aliases or ({gpu.title, name} if gpu else {name}))
    return sorted(found)


def offer_id(offer: Mapping[str, Any]) -> str | None:
    """What one rents; both fields hold the same."""
    value = offer.get("id") or offer.get("ask_contract_id")
    return str(value) if value else None


def gpu_offer(offer: Mapping[str, Any], bid: bool, at: datetime, source_url: str) -> GpuOffer:
    """One offer as a row. Any field but the id may be missing."""
    raw_name = clean(str(offer.get("gpu_name") or "")).strip()
    memory = positive(offer.get("gpu_ram"))
    gpu = gpus.identify("vast", raw_name, gib_from_mib(memory) if memory else None)
    where = offer.get("geolocation")
    # ", US": the city is not told.
    place = regions.place("vast", clean(where).strip(" ,") if isinstance(where, str) else None)
    count = gpu_count(offer)
    price, price_raw = price_of(offer, bid)
    return GpuOffer(
        seller="vast",
        offer_id=offer_id(offer) or "",
        gpu_raw=raw_name,
        # Without a count no price per GPU can be told, so there is none.
        gpu_count=count or 1.0,
        usd_per_hour=price if count else None,
        price_raw=price_raw,
        spot=bid,
        gpu=gpu.name,
        gpu_memory_gib=gpu.memory_gib if memory else None,
        region=place.region,
        country=place.country,
        form=gpu.form,
        vcpus=positive(offer.get("cpu_cores_effective")),
        ram_gib=ram_share_gib(offer),
        tier=tier_of(offer),
        available=True if offer.get("rentable") is True else None,
        interconnect=interconnect_of(offer),
        fractional=gpu.fractional or (count is not None and count % 1 != 0),
        modified=gpu.modified,
        reliability=_share(offer.get("reliability"), offer.get("reliability2")),
        disk_usd_per_gb_month=number(offer.get("storage_cost")),
        egress_usd_per_gb=number(offer.get("inet_up_cost")),
        source_url=source_url,
        as_of=at,
        raw=public(offer),
    )


def price_of(offer: Mapping[str, Any], bid: bool) -> tuple[float | None, str]:
    """Dollars per hour for all GPUs of the offer without disk, and the figure it was read from."""
    plain = "min_bid" if bid else "dph_base"
    # A total is of the kind that the search asked for; without a word that it is, a bid is not guessed.
    if plain in offer or (offer.get("is_bid") is True) != bid:
        value = offer.get(plain)
        return positive(value), f"{plain}={value}"
    search = offer.get("search")
    searched = search if isinstance(search, Mapping) else {}
    for name, total in (
        ("search.totalHour", searched.get("totalHour")),
        ("dph_total", offer.get("dph_total")),
    ):
        whole, disk = positive(total), _disk_per_hour(offer, searched)
        if whole is not None and disk is not None:
            rest = round(whole - disk, 9)
            return (rest if rest > 0 else None), f"{name}={total} less {disk:.6g} of disk"
    return None, f"{plain}="


def gpu_count(offer: Mapping[str, Any]) -> float | None:
    """GPUs in the offer: told, or from the memory of all over that of one, or counted."""
    if (count := positive(offer.get("num_gpus"))) is not None:
        return count
    each, whole = positive(offer.get("gpu_ram")), positive(offer.get("gpu_total_ram"))
    if each and whole:
        return float(max(1, round(whole / each)))
    ids = offer.get("gpu_ids")
    return float(len(ids)) if isinstance(ids, list) and ids else None


def ram_share_gib(offer: Mapping[str, Any]) -> float | None:
    """Host memory of the offer: the machine's, in the proportion of the CPU cores."""
    ram, mine, whole = (positive(offer.get(n)) for n in ("cpu_ram", "cpu_cores_effective", "cpu_cores"))
    return round(ram * mine / whole / 1024, 2) if ram and mine and whole else None


def tier_of(offer: Mapping[str, Any]) -> str:
    """Datacenter and verified, verified, or neither. What is not told is not assumed to be good."""
    told = offer.get("verification")
    if told is None:
        flag = offer.get("verified", offer.get("vericode"))
        told = "verified" if flag or (flag is None and offer.get("hosting_type") == 1) else "unverified"
    if told != "verified":
        return "marketplace"
    return "datacenter" if offer.get("hosting_type") == 1 else "community"


def interconnect_of(offer: Mapping[str, Any]) -> str | None:
    """NVLink where a speed of it is told, none where that is zero."""
    speed = number(offer.get("bw_nvlink"))
    return None if speed is None else "nvlink" if speed > 0 else "none"


def _disk_per_hour(offer: Mapping[str, Any], searched: Mapping[str, Any]) -> float | None:
    told, month = number(searched.get("diskHour")), number(offer.get("storage_cost"))
    return told if told is not None or month is None else month * DISK_GB / MONTH_HOURS


def _share(*values: Any) -> float | None:
    return next((share for one in values if (share := number(one)) is not None and share <= 1), None)
