"""What one local cloud is made of, and which there are: the modules of the folder `clouds`.

A module there holds `CLOUD`: its app, its error bodies, its credentials, and how its price listing is built.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from cloudtop.sandbox.faults import Layer
from cloudtop.sandbox.speech import Speech, Words

FOLDER = Path(__file__).with_name("clouds")


@dataclass(frozen=True)
class State:
    """What every local cloud is told: the time, and whether prices move with it or are those of its file."""

    now: Callable[[], datetime]
    moving: bool = True


@dataclass(frozen=True)
class Cloud:
    """One provider's local server.

    `auth` is what the configuration holds for it, empty where no key is needed; `settings` what else.
    `records` is the dotted path to the records in an answer with prices: a list, or a mapping of them ("."
    where the answer is their list, "" where it is no JSON); all listings of a scope have them at one place.
    `more` is the path to the token or link of the next page, or to the number of this one; "" for none.
    `links` tells that it is a link, `walked` that there are pages without any of these. `keys` are the
    fields, dotted within fields, without which a record may be lost: its id, and what holds several rows.
    `part` is a text that only one of its scopes and that scope's requests hold, "" when there is one scope;
    `regional` tells that it is a region. `cannot` says why a fault cannot happen to it, by its column. `sdk`
    tells that an SDK asks it, whose first use takes its time. `accounts`: its accounts by name, each with its
    own credentials, where there are several; `auth` is the first's; those in `plain` are names, no secrets.
    `signs` tells that requests are signed with an account's first credential, and for a region where there
    are any. `listings`: (records, more) of other listings than those of prices, by the beginning of their
    paths; `speech` is what takes its answers apart where they are not JSON. `unpaged` are types of
    resources that its API lists in one answer. `always`: by type of resource, columns that its document lets
    it leave out of none. `texts` are listings that are no JSON, read line by line. `leads` are fields by
    which a listing is led to others: without one nobody can go on.
    """

    app: Callable[[State], Any]
    words: Words
    records: str
    auth: Mapping[str, str] = field(default_factory=dict)
    more: str = ""
    links: bool = False
    walked: bool = False
    keys: tuple[str, ...] = ("id",)
    part: str = ""
    regional: bool = False
    cannot: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    sdk: bool = False
    accounts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    plain: tuple[str, ...] = ()
    signs: bool = False
    listings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    speech: Speech | None = None
    unpaged: tuple[str, ...] = ()
    always: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every credential that it accepts and nobody else may see."""
        every = (self.auth, *self.accounts.values())
        told = (value for auth in every for name, value in auth.items() if name not in self.plain)
        return tuple(dict.fromkeys(told))

    def layer(self, state: State) -> Layer:
        """Its app behind a fault layer."""
        usual = Speech(self.words, self.records, self.more, self.listings)
        return Layer(self.app(state), self.speech or usual, self.secrets)

    def config(self, url: str) -> dict[str, Any]:
        """The part of a configuration that has cloudtop ask it at `url`."""
        made: dict[str, Any] = {"enabled": True, "options": {"endpoint": url}, **self.settings}
        if not self.accounts:
            return {**made, "auth": {"method": "api_key", **self.auth}}
        own = self.settings.get("accounts", {})
        return {
            **made,
            "accounts": {
                name: {"auth": dict(auth), **own.get(name, {})} for name, auth in self.accounts.items()
            },
        }


@cache
def clouds() -> dict[str, Cloud]:
    """Every local cloud by the id of its provider."""
    names = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    return {name: importlib.import_module(f"cloudtop.sandbox.clouds.{name}").CLOUD for name in names}
