"""Where an offer or a resource is, and where a person wants it: one vocabulary of tokens for both.

`place` reads what a seller calls its region; `wanted` reads what a person asks for. A row keeps
`Place.places` ("|us-east-2|us|us-east|north-america|ohio|columbus|"): a word is looked for as "|word|",
the beginning of an id as "|word". The facts and the decisions behind them are in data/regions.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from cloudtop.errors import ArgumentError
from cloudtop.gazetteer import COMPASS, Entry, gazetteer

# Two letters that are also words, endings or units; then names that are also words.
_AMBIGUOUS = (
    "ad ae af al am ao ar as at au az ba bb bd be bf bg bh bj bm bn bo br bs bt bw by bz ca cd cg ch ci "
    "cl cm cn co cr cu cv cw cy cz de dk do dz ec ee eg es et fi fj fo fr ga ge gg gh gi gl gr gt gu gy "
    "hk hn hr ht hu id ie il im in iq ir is it je jm jo ke kg kh kp kr kw ky kz la lb li lk lt lu lv ly "
    "ma mc md me mg mk ml mm mn mo mt mu mv mw mx my mz na nc ne ng ni nl no np nz om or pa pe pf pg ph "
    "pk pl pr ps pt py qa re ro rs ru rw sa sc sd se sg si sk sm sn so sr sv sy td tg th tj tl tm tn to "
    "tr tt tw tz ua ug us uy uz ve vn xk ye za zm zw anz casper chad dc gulf jersey jordan mali mesa "
    "nice nova phoenix polish providence quincy reading sterling turkey victoria "
)
AMBIGUOUS_WORDS = frozenset(_AMBIGUOUS.split())
"""Words that mean a place only after "in", "from", "region" and the like."""


@dataclass(frozen=True, slots=True)
class Place:
    """A seller's region understood: `country` in two letters (uk for GB), `tokens` what it answers to."""

    region: str | None
    country: str | None
    city: str | None
    tokens: tuple[str, ...]

    @property
    def places(self) -> str:
        """The tokens as a row keeps them."""
        return f"|{'|'.join(self.tokens)}|" if self.tokens else "|"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a person wants things: any of `tokens`, whole or (with `prefix`) as the beginning of an id.

    `known` is False for a word that no fact explains: it may still begin an id that a seller uses.
    """

    tokens: tuple[str, ...]
    prefix: bool
    label: str
    known: bool = True

    @property
    def needles(self) -> tuple[str, ...]:
        """The strings of which one must be in a row's `places`."""
        return tuple(f"|{token}" if self.prefix else f"|{token}|" for token in self.tokens)

    def matches(self, places: str) -> bool:
        """The rule of the store, for a `places` string."""
        return any(needle in places for needle in self.needles)


def place(provider: str, region_text: str | None, country: str | None = None) -> Place:
    """What a seller's region (and the country it may name beside it) says about where that is."""
    return _placed(provider, region_text, country)


@lru_cache(maxsize=8192)
def _placed(provider: str, region_text: str | None, country: str | None) -> Place:
    facts = gazetteer()
    region = " ".join((region_text or "").split())
    ident = region.lower().replace("|", "/")
    found = _Found()
    if ident.strip(", ") not in facts.placeless:
        _read(provider, ident, found)
    named = facts.code(country) if country else None
    if named and named != found.country:
        found.country, found.area = named, None
        found.city = found.state = None
    return Place(region or None, found.country, _titled(found.city), tuple(_tokens(ident, found)))


class _Found:
    """What has been learned about one region so far."""

    def __init__(self) -> None:
        self.country: str | None = None
        self.area: str | None = None
        self.state: str | None = None
        self.city: str | None = None
        self.more: list[str] = []

    def take(self, entry: Entry) -> None:
        """Learn a name, unless it contradicts the country that is known."""
        if entry.kind in ("area", "group"):
            self.area = self.area or entry.token
            return
        if self.country and entry.country != self.country:
            return
        self.country = entry.country
        if entry.kind == "state":
            self.state = self.state or entry.token
        elif entry.kind == "city":
            self.city, self.state = entry.token, entry.state or self.state


def _read(provider: str, ident: str, found: _Found) -> None:
    """Try the seller's own table, then what the text says by its shape."""
    known = gazetteer().clouds.get(provider, {})
    base = ident if ident in known else _zone_of(ident)
    if base in known:
        found.take(gazetteer().named(known[base]))
        if base != ident:
            found.more.append(base)
        return
    cloud, dash, rest = ident.partition("-")
    if dash and rest in gazetteer().clouds.get(cloud, {}):
        found.more.append(rest)
        _read(cloud, rest, found)
    elif provider == "aws" and _read_local_zone(ident, found):
        return
    elif "," in ident:
        _read_commas(ident, found)
    else:
        _read_words(ident, found)


@cache
def _zone() -> re.Pattern[str]:
    return re.compile(r"(.*[a-z]-?\d+)-?[a-f]")


def _zone_of(ident: str) -> str:
    """us-east-1a -> us-east-1, us-central1-b -> us-central1: the region of an availability zone."""
    match = _zone().fullmatch(ident)
    return match[1] if match else ident


@cache
def _local_zone() -> re.Pattern[str]:
    return re.compile(r"([a-z]{2}(?:-gov)?-[a-z]+-\d)-(?:wl\d+-?)?([a-z]{3})?-?\d*[a-z]?")


def _read_local_zone(ident: str, found: _Found) -> bool:
    """us-west-2-lax-1, eu-west-2-wl1-man1: a city by its airport, maybe not in its parent's country."""
    facts = gazetteer()
    match = _local_zone().fullmatch(ident)
    parent = facts.clouds["aws"].get(match[1]) if match else None
    if match is None or parent is None:
        return False
    city = facts.codes.get(match[2] or "")
    if city:
        found.take(city)
    else:
        found.country = facts.named(parent).country
    return True


def _read_commas(ident: str, found: _Found) -> None:
    """ "Oregon, US, NA", ", US", "CN, AS", "Ashburn, VA, US": the last part that is one is the country."""
    facts = gazetteer()
    parts = [part.strip() for part in ident.split(",")]
    if len(parts) > 1 and facts.is_continent(parts[-1]) and facts.code(parts[-2]):
        parts.pop()
    found.country = facts.code(parts[-1])
    if found.country:
        parts.pop()
    for part in parts:
        state = facts.state_codes.get((found.country or "us", part))
        entry = facts.find(part, found.country) or state
        if entry:
            found.take(entry)
        elif part and not facts.find(part):
            found.more.append(part)


@cache
def _letters() -> re.Pattern[str]:
    return re.compile(r"[\W\d_]+")


def _read_words(ident: str, found: _Found) -> None:
    """us-ashburn-1, EU-RO-1, helsinki-finland-5, US, "Oregon", germanywestcentral: whatever its words say."""
    facts = gazetteer()
    whole = facts.find(ident)
    words = [word for word in _letters().split(ident) if word]
    if whole or not words:
        _take_all([whole] if whole else [], found)
        return
    first, rest = words[0], words[1:]
    if first in facts.id_areas and (rest or not (facts.code(first) or first in facts.codes)):
        found.area = facts.id_areas[first]
    else:
        found.country = facts.code(first)
        rest = rest if found.country else words
    _take_all(_named(rest), found)
    _take_all(_coded(rest, found), found)
    if not (found.country or found.area):
        bare = re.sub(
            r"^(?:north|south|east|west|central)+|(?:north|south|east|west|central)+\d*$", "", ident
        )
        _take_all(_named([bare]), found)


def _named(words: Sequence[str]) -> list[Entry]:
    """Names made of neighbouring words, countries first so that a city is taken in the right one."""
    facts = gazetteer()
    runs = (words[at : at + size] for size in (3, 2, 1) for at in range(len(words) - size + 1))
    found = [facts.find(" ".join(run)) for run in runs if len(run) > 1 or run[0] not in COMPASS]
    whole = [facts.code(word) for word in words if len(word) > 2]
    countries = [Entry("country", code, code) for code in whole if code]
    return countries + sorted((entry for entry in found if entry), key=lambda entry: entry.kind == "state")


def _coded(words: Sequence[str], found: _Found) -> Iterator[Entry]:
    """Airports, states and countries by their codes, as far as they lie in the country that is known."""
    facts = gazetteer()
    for word in words:
        if word in facts.codes:
            yield facts.codes[word]
        elif found.country and (found.country, word) in facts.state_codes:
            yield facts.state_codes[found.country, word]
        elif found.area and not found.country and len(word) == 2 and (code := facts.code(word)):
            yield Entry("country", code, code)


def _take_all(entries: Sequence[Entry] | Iterator[Entry], found: _Found) -> None:
    for entry in entries:
        found.take(entry)


def _tokens(ident: str, found: _Found) -> Iterator[str]:
    """Each word a place answers to, once, the id itself first."""
    facts = gazetteer()
    area = facts.area_of.get(found.country) if found.country else found.area
    all_of = [ident if ident not in facts.placeless else "", *found.more, found.country]
    if found.country == "us":
        all_of += [_side_of_id(ident), facts.side_of.get(found.state or "")]
    elif area in ("us-west", "us-east"):
        all_of += ["us", area, "north-america"]
    members = facts.groups.get(area, []) if area else []
    all_of += [area] if area and not members else [member for member in members if member in facts.titles]
    all_of += [found.state, found.city]
    seen: set[str] = set()
    for token in all_of:
        if token and token not in seen:
            seen.add(token)
            yield token


@cache
def _american() -> re.Pattern[str]:
    return re.compile(r"(?:.*\b)?us-(?:gov-)?([a-z]+)")


def _side_of_id(ident: str) -> str | None:
    """The side that an American id names itself, whatever its state."""
    match = _american().match(ident)
    return COMPASS.get(match[1]) if match else None


def wanted(text: str) -> Wanted:
    """What a region argument asks for: an id or the beginning of one, a city, state, country or area."""
    low = " ".join(text.lower().replace("|", " ").split())
    if not low.strip(",;/ "):
        raise ArgumentError(
            "region", "is empty", "a region id or the beginning of one, a city, state, country or area"
        )
    alone = _one(low)
    if alone.known:
        return alone
    parts = [part for part in re.split(r"\s+or\s+|\s+and\s+|\s*[/;]\s*", low) if part]
    if len(parts) > 1 and all(_one(part).known for part in parts):
        all_of = [_one(part) for part in parts]
        tokens = tuple(dict.fromkeys(token for one in all_of for token in one.tokens))
        return Wanted(tokens, False, " or ".join(one.label for one in all_of))
    if "," in low:
        there = place("", low)
        names = [entry for token in there.tokens if (entry := gazetteer().find(token, there.country))]
        inside = [entry.token for entry in names if entry.kind in ("state", "city")]
        if there.country and inside:
            return _one(inside[-1])
    return alone


@lru_cache(maxsize=1024)
def _one(low: str) -> Wanted:
    facts = gazetteer()
    low = low.removeprefix("the ") if facts.find(low) is None else low
    # Azure's eastus is one region; only with a blank is it a side of the country.
    entry = None if low.isalnum() and low in known_ids() and _is_side(low) else facts.find(low)
    if entry and entry.kind == "group":
        return Wanted(tuple(facts.groups[entry.token]), False, facts.titles[entry.token])
    if entry:
        return Wanted((entry.token,), False, label(entry.token))
    code = facts.code(low) if len(low) == 2 else None
    if code:
        return Wanted((code,), False, facts.titles[code])
    for spelled in (low, low.replace(" ", "-"), low.replace(" ", ""), low.replace("_", "-")):
        if spelled in known_ids() and not _begins_others(spelled):
            return Wanted((spelled,), False, spelled)
    dashed = low if "," in low else low.replace(" ", "-").replace("_", "-")
    known = any(ident.startswith(dashed) for ident in known_ids()) or _reads_as_id(dashed)
    return Wanted((dashed,), True, f"{dashed}*", known)


def _is_side(low: str) -> bool:
    """Whether a word is the name of an area, run together."""
    entry = gazetteer().find(low)
    return entry is not None and entry.kind == "area"


def _begins_others(ident: str) -> bool:
    """Whether one seller's id is the common beginning of others' (eu-west, but not eastus or us-east-1)."""
    if "-" not in ident or ident[-1].isdigit():
        return False
    return any(other.startswith(ident) and other != ident for other in known_ids())


def _reads_as_id(text: str) -> bool:
    """Whether an id that no table lists says by itself where it is: EU-RO-1, helsinki-finland-5."""
    return any(c.isdigit() for c in text) and len(place("", text).tokens) > 1


@cache
def known_ids() -> frozenset[str]:
    """Region ids that the facts file lists, of all clouds."""
    return frozenset(ident for cloud in gazetteer().clouds.values() for ident in cloud)


@cache
def known_words() -> dict[str, str]:
    """Spoken name -> the argument's value: a country's two letters, an area, a city's or state's name."""
    facts = gazetteer()
    words = dict(facts.words)
    for code in facts.area_of:
        words[code] = code
    for word, value in words.items():
        if value in facts.area_of and _one(value).tokens != (value,):
            # Two letters that people take for something else (na): the name itself is the value.
            words[word] = facts.titles[value].lower()
    words["na"] = "north-america"
    return words


def label(token: str) -> str:
    """How a token is called in a sentence: de -> Germany, us-west -> US West, ohio -> Ohio."""
    facts = gazetteer()
    if token in facts.titles:
        return facts.titles[token]
    entry = facts.find(token)
    if entry is None or token in known_ids():
        return token
    return facts.titles.get(entry.token) or _titled(entry.token) or token


def nearest_places(text: str, n: int = 3) -> list[str]:
    """Known names that look like a misspelled one."""
    from cloudtop.text import nearest

    return nearest(text.lower(), [*known_words(), *known_ids()], n)


def _titled(name: str | None) -> str | None:
    if name is None:
        return None
    return " ".join(
        "DC" if word == "dc" else "-".join(map(str.capitalize, word.split("-"))) for word in name.split()
    )
