"""Names of places as lookups over data/regions.yaml; `regions` is the door to it.

Imported late: unicodedata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cloudtop.compiled import DATA, load

COMPASS = {
    **dict.fromkeys(("west", "northwest", "southwest"), "us-west"),
    **dict.fromkeys(("east", "northeast", "southeast"), "us-east"),
    **dict.fromkeys(("central", "midwest", "north", "south", "northcentral", "southcentral"), "us-central"),
}
"""What the second word of an American id says about the side; elsewhere these words name no place."""

_CONTINENTS = frozenset(("af", "an", "as", "eu", "na", "oc", "sa"))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name can mean: kind is area, group, country, state or city; rows carry `token`."""

    kind: str
    token: str
    country: str | None = None
    state: str | None = None


class Gazetteer:
    """Every name of the facts file, by letters and digits alone (`st. louis` = `St Louis` = `stlouis`)."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.names: dict[str, Entry] = {}
        self.words: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        self.area_of: dict[str, str] = {}
        self.side_of: dict[str, str] = {}
        self.state_codes: dict[tuple[str, str], Entry] = {}
        self.groups: Mapping[str, list[str]] = facts["groups"]
        self.id_areas: Mapping[str, str] = facts["id_areas"]
        self.id_countries: Mapping[str, str] = facts["id_countries"]
        self.placeless = frozenset(facts["placeless"])
        self.clouds: Mapping[str, Mapping[str, str]] = facts["clouds"]
        self._read_areas(facts)
        self._read_countries(facts["countries"])
        self._read_states(facts["states"])
        self._read_cities(facts["cities"])
        self.codes = {code: self.named(name) for code, name in facts["codes"].items()}

    def named(self, token: str) -> Entry:
        """The entry that the facts file itself calls by this token; a KeyError is a mistake in that file."""
        if token in self.area_of:
            return Entry("country", token, token)
        return self.names[squeezed(token)]

    def find(self, name: str, country: str | None = None) -> Entry | None:
        """What a name means, if it lies in `country`; a country's two letters are not a name."""
        entry = self.names.get(squeezed(name))
        if entry is None or (country and entry.country != country):
            return None
        return entry

    def code(self, text: str) -> str | None:
        """The country of two letters (GB is uk), of a seller's own code, or of a name."""
        low = text.lower()
        if low == "gb":
            return "uk"
        if low in self.area_of:
            return low
        entry = self.names.get(squeezed(low))
        return entry.country if entry and entry.kind == "country" else self.id_countries.get(low)

    def is_continent(self, text: str) -> bool:
        """Whether this is one of the continent codes that some sellers write after the country."""
        return text.lower() in _CONTINENTS

    def _add(self, names: Iterator[str], entry: Entry) -> None:
        for name in names:
            self.names.setdefault(squeezed(name), entry)
            self.words.setdefault(name.lower(), entry.token)

    def _read_areas(self, facts: Mapping[str, Any]) -> None:
        for token, line in facts["areas"].items():
            names = list(_names(line))
            self.titles[token] = names[0]
            self._add(iter((token, token.replace("-", " "), *names)), Entry("area", token))
        for token in self.groups:
            names = list(_names(facts["group_words"].get(token, token)))
            self.titles[token] = token.upper() if len(token) <= 5 else token.replace("-", " ").title()
            self._add(iter((token, *names)), Entry("group", token))

    def _read_countries(self, areas: Mapping[str, Mapping[str, str]]) -> None:
        for area, countries in areas.items():
            for code, line in countries.items():
                self.area_of[code] = area
                names = list(_names(line))
                self.titles[code] = names[0]
                self._add(iter(names), Entry("country", code, code))

    def _read_states(self, groups: Mapping[str, Mapping[str, str]]) -> None:
        for group, states in groups.items():
            country = "us" if group in self.titles and group.startswith("us-") else group
            for name, line in states.items():
                entry = Entry("state", name, country)
                code, *more = _names(line)
                self.state_codes[country, code] = entry
                self._add(iter((name, *more)), entry)
                if country == "us":
                    self.side_of[name] = group

    def _read_cities(self, homes: Mapping[str, str]) -> None:
        for home, line in homes.items():
            above = self.named(home)
            state = above.token if above.kind == "state" else None
            for names in line.split(", "):
                first, *more = _names(names)
                self._add(iter((first, *more)), Entry("city", first, above.country, state))
                if state == first:
                    # New York is in New York: the city is the better reading of an id, the token is the same.
                    self.names[squeezed(first)] = Entry("city", first, above.country, state)


@cache
def gazetteer() -> Gazetteer:
    """The facts that ship with the package, read once per process."""
    return Gazetteer(load(DATA / "regions.yaml"))


@cache
def _odd() -> re.Pattern[str]:
    return re.compile(r"[\W_]+")


def squeezed(name: str) -> str:
    """A name's letters and digits in lower case and without accents."""
    low = name.casefold()
    if not low.isascii():
        import unicodedata

        low = "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))
        low = low.replace("ð", "d").replace("ø", "o").replace("ł", "l").replace("ı", "i")
    return low if low.isalnum() else _odd().sub("", low)


def _names(line: str) -> Iterator[str]:
    return iter(line.split("/"))
