"""Who sells: the ids of all providers, with a connector or without, and what people call them.

Imported late: difflib.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from cloudtop import compiled
from cloudtop.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Seller:
    """One provider: its id, its own name, other names people use, and whether it is asked directly."""

    id: str
    title: str
    aliases: tuple[str, ...] = ()
    connector: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it may be called."""
        return (self.id, self.title, *self.aliases)


class ConnectorFacts(Protocol):
    """What a connector's own file says of the provider's names."""

    @property
    def title(self) -> str:
        """The provider's own name."""
        ...

    @property
    def aliases(self) -> Iterable[str]:
        """Other names of it."""
        ...


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Seller]:
    facts = compiled.load(compiled.DATA / "sellers.yaml")
    return {
        seller: Seller(seller, told["title"], tuple(told.get("aliases", ())), told.get("connector", True))
        for seller, told in facts.items()
    }


def known(connectors: Mapping[str, ConnectorFacts] | None = None) -> dict[str, Seller]:
    """Every provider by id. Given what the connectors say of themselves, only those found have one."""
    sellers = dict(_shipped())
    if connectors is None:
        return sellers
    for seller in sellers.values():
        sellers[seller.id] = replace(seller, connector=seller.id in connectors)
    for found, told in connectors.items():
        shipped = sellers.get(found)
        aliases = (*(shipped.aliases if shipped else ()), *told.aliases)
        sellers[found] = Seller(found, told.title, tuple(dict.fromkeys(aliases)), connector=True)
    return sellers


def without_connector(connectors: Mapping[str, ConnectorFacts] | None = None) -> tuple[str, ...]:
    """The ids that only price lists speak for."""
    return tuple(seller.id for seller in known(connectors).values() if not seller.connector)


def provider_id(
    text: str,
    also: Iterable[str] = (),
    connectors: Mapping[str, ConnectorFacts] | None = None,
    argument: str = "providers",
) -> str:
    """The id a person means; `also` are ids met elsewhere, as in somebody's own price list."""
    sellers = known(connectors)
    asked = _plain(text)
    found = _index(sellers).get(asked) or next(
        (each for each in also if asked and _plain(each) == asked), None
    )
    if found:
        return found
    near = _nearest(asked, sellers, also)
    raise ArgumentError(
        argument, f"{text!r} is no provider that is known.", ", ".join((*sellers, *also)), near
    )


def seller_id(text: str) -> str:
    """The id for a seller named in a file: the known one, else the name itself as an id. None is refused."""
    known_as = _index(_shipped()).get(_plain(text))
    return known_as or "-".join("".join(char if char.isalnum() else " " for char in text.lower()).split())


def words(connectors: Mapping[str, ConnectorFacts] | None = None) -> dict[str, str]:
    """What people write for a provider, in lower case with single blanks -> its id."""
    phrases: dict[str, str] = {}
    for seller in known(connectors).values():
        phrases |= dict.fromkeys((" ".join(name.lower().split()) for name in seller.names), seller.id)
    return phrases


def _index(sellers: Mapping[str, Seller]) -> dict[str, str]:
    return {_plain(name): seller.id for seller in sellers.values() for name in seller.names}


def _nearest(asked: str, sellers: Mapping[str, Seller], also: Iterable[str]) -> str | None:
    import difflib

    names = _index(sellers) | {_plain(each): each for each in also}
    close = difflib.get_close_matches(asked, names, n=1, cutoff=0.6)
    return names[close[0]] if close else None
