"""Verda, until 2025 DataCrunch: its own machines in Finland and Iceland.

An instance type has one price everywhere, on demand and as spot, in dollars for the whole instance; figures
are strings. What is free where is told by two other lists, one for each way of renting: a row is a type in a
location that has it, or the type without a location where none has. `gpu_memory` is of all GPUs together.
Disks cost extra, at a price that these lists do not hold. Requests carry a token that an id and a secret buy
for a while. Facts: the public API reference and the Python SDK of Verda (instance types, availability).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cloudtop import gpus, regions
from cloudtop.errors import CloudError, Invalid, NotConfigured, Unauthorized
from cloudtop.models import GpuOffer, Health, PriceQuery, Scope
from cloudtop.text import clean
from cloudtop.units import number, positive
from connectors.base import Connector, public

TOKEN = "/v1/oauth2/token"
TYPES = "/v1/instance-types"
FREE = "/v1/instance-availability"
BALANCE = "/v1/balance"
CURRENCY = "usd"
SPARE_S = 60
"""A token is not used in the last minute of its time, lest it ends on the way."""

LONGEST_S = 86_400

Stock = Mapping[str, tuple[str, ...]]
"""An instance type -> the locations that have it."""


class Verda(Connector):
    """Offers and health of Verda."""

    _kept: tuple[str, str, datetime] | None = None
    """The account, its token, and until when that is used."""

    def price_scopes(self, wanted: PriceQuery) -> list[Scope]:
        """One listing, whatever is asked for."""
        return [Scope(self.id, self.account())]

    async def gpu_offers(self, scope: Scope) -> AsyncIterator[list[GpuOffer]]:
        """The types with what is free of them, on demand and spot."""
        token, until = await self._token(scope.account)
        types = await self._list(TYPES, {"currency": CURRENCY}, "list instance types", token, scope)
        on_demand = await self._list(FREE, {}, "list availability", token, scope)
        spot = await self._list(FREE, {"is_spot": "true"}, "list spot availability", token, scope)
        free = {False: stock_of(on_demand), True: stock_of(spot)}
        # Only a token that has worked is used again.
        self._kept = scope.account, token, until
        at, source = self.now(), self.http.url(TYPES, scope.account)
        self.nameless(scope, sum(not type_id(one) for one in types))
        yield [
            gpu_offer(one, is_spot, place, available, at, source)
            for one in types
            if type_id(one) and carries_gpus(one)
            for is_spot in (False, True)
            for place, available in places_of(one, free[is_spot])
        ]

    async def health(self, scope: Scope) -> AsyncIterator[list[Health]]:
        """Whether id and secret buy a token, and whether that is accepted."""
        yield await self.probe(scope, self._who_am_i(scope), None)

    @staticmethod
    def refusal(status: int, answer: Any) -> type[CloudError] | None:
        """A wrong id or secret may come as 400; an error body is one under any status."""
        code = error_code(answer)
        if status in (200, 400) and code in ("unauthorized_request", "invalid_client", "unauthorized_client"):
            return Unauthorized
        return Invalid if status < 300 and code is not None else None

    async def _who_am_i(self, scope: Scope) -> None:
        token, until = await self._token(scope.account)
        await self._ask(BALANCE, {}, "who am I", token, scope)
        self._kept = scope.account, token, until

    async def _token(self, account: str) -> tuple[str, datetime]:
        """The token kept from before while it is good, else a new one. It is kept by who has used it."""
        (owner, token, until), self._kept = self._kept or ("", "", self.now()), None
        if owner == account and self.now() < until:
            return token, until
        told = {name: self.http.key(account, name) for name in self.facts.credentials}
        if not all(told.values()):
            names = " and ".join(variables[0] for variables in self.facts.credentials.values())
            message = f"{self.facts.title} was not asked: its id or its secret is not configured."
            raise NotConfigured(message, f"Set {names}.")
        asked_at = self.now()
        answer = await self.http.json(
            "POST",
            TOKEN,
            body={"grant_type": "client_credentials", **told},
            repeatable=True,
            operation="sign in",
            account=account,
            keyed=False,
        )
        bought = answer.get("access_token") if isinstance(answer, Mapping) else None
        if not isinstance(bought, str) or not bought or not (bought.isascii() and bought.isprintable()):
            message = f"{self.facts.title} answered a sign-in without a token."
            raise Invalid(message, "Try again; if it stays so, the interface may have changed.")
        lasts_s = min(number(answer.get("expires_in")) or 0.0, LONGEST_S) - SPARE_S
        return bought, asked_at + timedelta(seconds=lasts_s)

    async def _ask(self, path: str, params: Mapping[str, str], what: str, token: str, scope: Scope) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.http.json(
            "GET", path, params=params or None, headers=headers, operation=what, account=scope.account
        )

    async def _list(
        self, path: str, params: Mapping[str, str], what: str, token: str, scope: Scope
    ) -> list[Mapping[str, Any]]:
        answer = await self._ask(path, params, what, token, scope)
        # A mapping is no list of Verda's, so its values are no records.
        return self.records(answer if isinstance(answer, list) else None)


def error_code(answer: Any) -> str | None:
    """The code of an error body, Verda's (a code beside a message) or OAuth2's; None for any other answer."""
    if not isinstance(answer, Mapping):
        return None
    code, error = answer.get("code"), answer.get("error")
    if isinstance(code, str) and isinstance(answer.get("message"), str):
        return code
    return error if isinstance(error, str) else None


def stock_of(told: list[Mapping[str, Any]]) -> Stock:
    """Where each type is free, by what each location says it has."""
    found: dict[str, list[str]] = {}
    for one in told:
        place, names = one.get("location_code"), one.get("availabilities")
        if not isinstance(place, str) or not isinstance(names, list):
            continue
        for name in names:
            if isinstance(name, str) and place not in (places := found.setdefault(name, [])):
                places.append(place)
    return {name: tuple(places) for name, places in found.items()}


def places_of(record: Mapping[str, Any], stock: Stock) -> list[tuple[str | None, bool | None]]:
    """The locations that have the type; one row without a location where none has."""
    name = record.get("instance_type")
    if not isinstance(name, str) or not name:
        # Stock is told by that name alone.
        return [(None, None)]
    return [(place, True) for place in stock.get(name, ())] or [(None, False)]


def type_id(record: Mapping[str, Any]) -> str:
    """What one rents: the name of the type, else its number."""
    return str(record.get("instance_type") or record.get("id") or "")


def carries_gpus(record: Mapping[str, Any]) -> bool:
    """CPU types say that they have none; where nothing is said, their name does."""
    told = number(_part(record, "gpu").get("number_of_gpus"))
    return told > 0 if told is not None else not type_id(record).upper().startswith("CPU")


def gpu_offer(
    record: Mapping[str, Any],
    spot: bool,
    place: str | None,
    available: bool | None,
    at: datetime,
    source_url: str,
) -> GpuOffer:
    """One type in one location as a row. Any field but the name of the type may be missing."""
    raw_name, count = gpu_name(record), gpu_count(record)
    whole = positive(_part(record, "gpu_memory").get("size_in_gigabytes"))
    gpu = gpus.identify("verda", raw_name, whole / count if whole and count else None)
    where = regions.place("verda", place)
    price, price_raw = price_of(record, spot)
    name = type_id(record)
    return GpuOffer(
        seller="verda",
        offer_id=f"{name}@{place}" if place else name,
        gpu_raw=raw_name,
        # Without a count no price per GPU can be told, so there is none.
        gpu_count=count or 1.0,
        usd_per_hour=price if count else None,
        price_raw=price_raw,
        spot=spot,
        gpu=gpu.name,
        gpu_memory_gib=gpu.memory_gib,
        instance_type=name,
        region=where.region,
        country=where.country,
        form=gpu.form,
        vcpus=positive(_part(record, "cpu").get("number_of_cores")),
        ram_gib=positive(_part(record, "memory").get("size_in_gigabytes")),
        tier="datacenter",
        available=available,
        fractional=gpu.fractional,
        modified=gpu.modified,
        source_url=source_url,
        as_of=at,
        raw=public(record),
    )


def price_of(record: Mapping[str, Any], spot: bool) -> tuple[float | None, str]:
    """Dollars per hour of the whole instance, and the figure it was read from."""
    name = "spot_price" if spot else "price_per_hour"
    value, currency = record.get(name), record.get("currency")
    if isinstance(currency, str) and currency.lower() != CURRENCY:
        return None, f"{name}={value} {clean(currency)}"
    return positive(value), f"{name}={value}"


def gpu_name(record: Mapping[str, Any]) -> str:
    """The GPU as Verda writes it, without how many."""
    told = (_part(record, "gpu").get("description"), record.get("name"), record.get("model"))
    texts = (clean(one).strip() for one in told if isinstance(one, str))
    return next((re.sub(r"^\d+\s*x\s+", "", text) for text in texts if text), type_id(record))


def gpu_count(record: Mapping[str, Any]) -> float | None:
    """GPUs of the instance: told, or the number that its description or its name begins with."""
    gpu = _part(record, "gpu")
    if (count := positive(gpu.get("number_of_gpus"))) is not None:
        return count
    for text, before in (
        (gpu.get("description"), r"(\d+)\s*x\b"),
        (record.get("instance_type"), r"(\d+)[A-Z]"),
    ):
        if isinstance(text, str) and (match := re.match(before, text)):
            return positive(match[1])
    return None


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}
