"""Every word that can mean something in a question, out of the server's resource and the catalogues.

A new tool brings its words in its spec (`nl`: cues, and values of its arguments under `words`), its
arguments by their `kind` and `enum`; a new provider its title and aliases. No code here knows a tool by name.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from agent.planner.inventory import words as inventory
from agent.planner.language import Meaning, Phrases, language, later_subjects
from agent.planner.tokens import Known, words_of
from agent.planner.tool import Tool
from cloudtop import gpus, regions


@dataclass(frozen=True)
class Lexicon:
    """All words of one server at one revision. Build it once and plan many questions with it.

    `account`: the same words as they are meant of what one runs; None in that one itself. `every_word`: those
    of both, and of everyday English.
    """

    revision: str
    tools: Mapping[str, Tool]
    titles: Mapping[str, str]
    phrases: Mapping[tuple[str, ...], tuple[Meaning, ...]]
    longest: Mapping[str, int]
    cues: Mapping[tuple[str, ...], tuple[tuple[str, float], ...]]
    longest_cue: Mapping[str, int]
    gpus: Mapping[str, tuple[str, ...]]
    known: Known
    vocabulary: Mapping[str, tuple[str, ...]] = field(repr=False)
    instances: Mapping[str, str] = field(repr=False)
    gpu_machines: Container[str] = field(repr=False)
    live: inventory.Live = field(repr=False)
    account: Lexicon | None = field(default=None, repr=False)
    every_word: Container[str] = field(default=frozenset(), repr=False)

    @cached_property
    def gpu_beginnings(self) -> frozenset[str]:
        """With what letters the name of a GPU can begin: most words are looked at no further."""
        return frozenset(name[:size] for name in self.gpus for size in range(1, len(name) + 1))

    @staticmethod
    def of(resource: Mapping[str, Any]) -> Lexicon:
        """Build it from the JSON of `cloudtop://lexicon`."""
        return _built(resource)


_INSTANCE = re.compile(
    r"[a-z]{1,5}\d{1,2}[a-z]*(?:-[a-z0-9]+)*\.(?:\d*x?large|metal(?:-\d+xl)?|nano|micro|small|medium)"
    r"|standard_[a-z0-9_]+|n[cdvg]{1,2}\d+[a-z]*(?:_[a-z0-9]+)*_v\d+"
    r"|(?:a2|a3|a4|a4x|g2|g4|ct\w+|n1|tpu7x)-(?:standard|highgpu|ultragpu|megagpu|edgegpu|maxgpu|highmem|hightpu|highcpu)-[a-z0-9-]+"
    r"|gpu_\d+x_[a-z0-9_]+|(?:bm|vm)\.gpu[a-z0-9._-]*\d[a-z0-9._-]*|gpu-[a-z0-9]+x\d+-\d+gb"
)
_REGION = re.compile(
    r"(?:us|eu|ap|ca|sa|me|af|il|mx|uk|na|cn)-(?:gov-)?[a-z]+-?\d+[a-z]?|[a-z]+-(?:north|south|east|west|central|northeast|southeast|northwest|southwest)\d+(?:-[a-z])?"
)


_COMPASS = re.compile(r"(north|south|east|west|central)")
"""Ids such as westeurope are said in two words."""


def _built(resource: Mapping[str, Any]) -> Lexicon:
    tools = dict(_tools(resource.get("tools", {})))
    phrases: Phrases = dict(language().phrases)
    spoken = _gpu_words()
    _add(phrases, _value_words(tools, resource.get("tools", {})))
    _add(phrases, _provider_words(resource.get("providers", ())))
    _add(phrases, _region_words())
    live = inventory.Live.of(resource)
    names = live.names.keys()
    words = {word for phrase in phrases for word in phrase} | set(spoken)
    cues = _cues({name: tool for name, tool in tools.items() if tool.of_market})
    words |= {word for cue in cues for word in cue}
    words |= language().stop | set(language().numbers) | set(language().scales) | inventory.time_words()
    suffixes = {
        phrase[0] for phrase, meanings in phrases.items() if len(phrase) == 1 and _is_suffix(meanings)
    }
    made = Lexicon(
        revision=str(resource.get("revision", "")),
        tools=tools,
        titles={tool.name: tool.title for tool in tools.values()},
        phrases=phrases,
        longest=_longest(phrases),
        cues=cues,
        longest_cue=_longest(cues),
        gpus=spoken,
        known=Known(words, spoken.keys(), suffixes, names, phrases.keys(), _INSTANCE, _REGION),
        vocabulary=_by_first_letter(words),
        instances=(instances := _instances()),
        gpu_machines=instances.keys(),
        live=live,
    )
    account, account_words = _of_account(made, resource)
    return replace(made, account=account, every_word=words | account_words | language().common)


def _of_account(made: Lexicon, resource: Mapping[str, Any]) -> tuple[Lexicon, set[str]]:
    """The lexicon of questions about what one runs, and every word of it."""
    phrases = inventory.phrases_of(resource, made.tools, made.live)
    _add(phrases, _provider_words(resource.get("providers", ())))
    _add(phrases, _region_words())
    cues = _cues({name: tool for name, tool in made.tools.items() if not tool.market})
    words = inventory.vocabulary((*phrases, *cues)) | set(made.gpus) | language().stop
    words |= set(language().numbers) | set(language().scales) | inventory.time_words()
    suffixes = {phrase[0] for phrase, said in phrases.items() if len(phrase) == 1 and _is_suffix(said)}
    known = replace(
        made.known,
        words=words,
        suffixes=suffixes,
        phrases=phrases.keys(),
        apart=frozenset(inventory.plurals()) | suffixes,
    )
    account = replace(
        made,
        phrases=phrases,
        longest=_longest(phrases),
        cues=cues,
        longest_cue=_longest(cues),
        known=known,
        vocabulary=_by_first_letter(words),
        instances={**made.instances, **inventory.instance_types(resource)},
    )
    return account, words


def _is_suffix(meanings: Iterable[Meaning]) -> bool:
    """What may stand glued to a number or a GPU's name: units and forms."""
    return any(m.role == "unit" or m.role == "=form" for m in meanings)


def _longest(phrases: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """First word -> how many words the longest phrase has that begins with it."""
    found: dict[str, int] = {}
    for phrase in phrases:
        if phrase and len(phrase) > found.get(phrase[0], 0):
            found[phrase[0]] = len(phrase)
    return found


def _tools(given: Mapping[str, Any]) -> Iterator[tuple[str, Tool]]:
    """The server's tools, then the subjects of tools that are not there yet."""
    for name, body in given.items():
        nl = body.get("nl") or {}
        cues = frozenset(words_of(cue) for cue in nl.get("cues", ()))
        yield (
            name,
            Tool(
                name,
                body.get("title", name),
                body.get("parameters") or {},
                body.get("later") or {},
                cues,
                market=nl.get("about") == "market",
                words=nl.get("words") or {},
                feed=nl.get("feed") or {},
                fields=tuple(body.get("fields") or ()),
            ),
        )
    for name, body in later_subjects().items():
        if name not in given:
            cues = frozenset(words_of(str(cue)) for cue in (*body["strong"], *body["weak"]))
            yield name, Tool(name, body["title"], {}, {}, cues, here=False)


def _cues(tools: Mapping[str, Tool]) -> dict[tuple[str, ...], tuple[tuple[str, float], ...]]:
    """Cue -> tools it speaks for, with its weight: a longer cue weighs more, a weak one less."""
    found: dict[tuple[str, ...], list[tuple[str, float]]] = {}
    extra = language().hints["cues"]
    later = later_subjects()
    for tool in tools.values():
        weak = {words_of(str(w)) for w in later[tool.name]["weak"]} if not tool.here else set()
        own = {cue: 1 + 0.5 * (len(cue) - 1) for cue in tool.cues}
        for strength, words in (extra.get(tool.name) or {}).items():
            own |= {words_of(str(w)): float(strength) for w in words}
        for cue, weight in own.items():
            weight = weight if tool.here else 0.7 if cue in weak else weight + 2
            found.setdefault(cue, []).append((tool.name, weight))
    return {cue: tuple(sorted(pairs)) for cue, pairs in found.items() if cue}


def _add(phrases: Phrases, more: Iterable[tuple[tuple[str, ...], Meaning]]) -> None:
    for phrase, meaning in more:
        if phrase and meaning not in phrases.get(phrase, ()):
            phrases[phrase] = (*phrases.get(phrase, ()), meaning)


def _value_words(
    tools: Mapping[str, Tool], given: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], Meaning]]:
    """Values of arguments: those of every spec, the planner's synonyms, a spec's own `words`."""
    tools = {name: tool for name, tool in tools.items() if tool.of_market}
    given = {name: body for name, body in given.items() if name in tools}
    taken = {name for tool in tools.values() for name in tool.parameters}
    for argument, values in language().values.items():
        for value, said in values.items():
            for phrase in said:
                yield phrase, Meaning(f"={argument}", _typed(value))
    for argument in sorted(taken - {"format", "rank_by", "group_by", "scope", "status", "interconnect"}):
        for tool in tools.values():
            for value in tool.values(argument):
                yield words_of(str(value)), Meaning(f"={argument}", value)
    for body in given.values():
        for argument, values in ((body.get("nl") or {}).get("words") or {}).items():
            for value, said in values.items():
                for word in said:
                    yield words_of(word), Meaning(f"={argument}", _typed(value))


def _typed(value: str) -> Any:
    return {"true": True, "false": False}.get(value, value)


def _provider_words(providers: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, ...], Meaning]]:
    """Ids, titles and aliases of every seller."""
    for entry in providers:
        for word in {entry["id"], entry.get("title") or entry["id"], *(entry.get("aliases") or ())}:
            phrase = words_of(word)
            owners = ("my", "our", "own") if " ".join(phrase) in language().hints["owned_providers"] else ()
            for spoken in [(owner, *phrase) for owner in owners] or [phrase]:
                yield spoken, Meaning("provider", entry["id"])


@cache
def _region_words() -> tuple[tuple[tuple[str, ...], Meaning], ...]:
    """Names of places as people say them, and the region ids that are known."""
    found = [(words_of(word), Meaning("region", value)) for word, value in regions.known_words().items()]
    for ident in regions.known_ids():
        found.append((words_of(ident), Meaning("region", ident)))
        if (apart := _COMPASS.sub(r" \1 ", ident).split()) and len(apart) > 1 and ident.isalnum():
            found.append((tuple(apart), Meaning("region", ident)))
    return tuple(found)


@cache
def _gpu_words() -> dict[str, tuple[str, ...]]:
    """Squashed spelling -> what a plan prints for it: one name, the family's, or all that it may be."""
    values = {
        "".join(phrase) for said in language().values.values() for some in said.values() for phrase in some
    }
    known = gpus.catalogue().gpus
    found: dict[str, tuple[str, ...]] = {}
    for phrase, meaning in gpus.words().items():
        key = "".join(words_of(phrase))
        if key not in values:
            found[key] = (meaning,) if meaning in known else gpus.resolve(meaning).names
    for name in known:
        # `a2`, `p4`: too short for a seller's text, plain in a question.
        if name.lower() not in values:
            found.setdefault(name.lower(), (name,))
    return found


def _instances() -> dict[str, str]:
    """Instance type in lower case -> as its cloud writes it."""
    from cloudtop.compiled import DATA, load

    facts = load(DATA / "instance_gpus.yaml")["types"]
    return {
        name.lower(): name
        for by_gpu in facts.values()
        for by_count in by_gpu.values()
        for names in by_count.values()
        for name in names
    }


def _by_first_letter(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Words that a typo may be corrected to: letters only, five or more, by their first letter."""
    found: dict[str, list[str]] = {}
    for word in sorted(set(words)):
        if len(word) >= 5 and word.isalpha() and word.isascii():
            found.setdefault(word[0], []).append(word)
    return {letter: tuple(group) for letter, group in found.items()}
