"""Every word that can mean something of what one runs: types, metrics, services, names, tags, accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent.planner.inventory.facts import facts, hint, spoken
from agent.planner.language import Meaning, Phrases, everyday, language
from agent.planner.tokens import words_of
from cloudtop import metrics, resource_types

_BETWEEN = re.compile(r"[^a-z0-9]+")
Said = Iterator[tuple[tuple[str, ...], Meaning]]


@dataclass(frozen=True)
class Live:
    """What the store holds, by lower case: names as they are written, tag keys, tag values, accounts."""

    names: Mapping[str, str]
    keys: Mapping[str, str]
    values: Mapping[str, tuple[tuple[str, str], ...]]
    accounts: Mapping[str, str]

    @cached_property
    def parts(self) -> frozenset[str]:
        """What names are made of: every word, and two words that begin one (`training-node`)."""
        split = [[one for one in _BETWEEN.split(name) if one] for name in self.names]
        begun = {"-".join(words[:2]) for words in split if len(words) > 2}
        return frozenset(word for words in split for word in words) | begun

    @staticmethod
    def of(resource: Mapping[str, Any]) -> Live:
        """Build it from the JSON of `cloudtop://lexicon`."""
        tags = dict(resource.get("tags") or {})
        values: dict[str, list[tuple[str, str]]] = {}
        for key, some in tags.items():
            for value in some if key.lower() != "name" else ():
                values.setdefault(str(value).lower(), []).append((str(key), str(value)))
        return Live(
            {str(name).lower(): str(name) for name in resource.get("names", ())},
            {str(key).lower(): str(key) for key in tags},
            {value: tuple(pairs) for value, pairs in values.items()},
            {str(one).lower(): str(one) for one in resource.get("accounts", ()) if one != "default"},
        )


def phrases_of(resource: Mapping[str, Any], tools: Mapping[str, Any], live: Live) -> Phrases:
    """All phrases with what they can mean; live words never displace those of the language."""
    found: Phrases = dict(spoken())
    for said in (_types(), _services(resource), _metrics(), _labels(), _values(tools), _groups()):
        for phrase, meaning in said:
            if phrase and meaning not in found.get(phrase, ()):
                found[phrase] = (*found.get(phrase, ()), meaning)
    known = {word for phrase in found for word in phrase} | everyday()
    for phrase, meaning in _live(live):
        if phrase and phrase not in found and not (len(phrase) == 1 and phrase[0] in known):
            found[phrase] = (meaning,)
    return found


def plurals() -> Iterator[str]:
    """The last word of every type's plural: what a compound may end in and still come apart."""
    for name, about in {**resource_types.types(), **resource_types.facts()["filters"]}.items():
        for one in (resource_types.title(name, 2), *map(_plural, about["words"])):
            yield words_of(one)[-1]


def _types() -> Said:
    shy = frozenset(words_of(word) for word in facts()["shy_types"])
    for name, about in {**resource_types.types(), **resource_types.facts()["filters"]}.items():
        plural = resource_types.title(name, 2)
        with_gpus = resource_types.types()[about["type"]]["words"] if about.get("gpus") else ()
        made = (f"gpu {word}" for word in with_gpus)
        for word in (about["title"], plural, *about["words"], *made, *hint("type_words").get(name, ())):
            for phrase in {words_of(word), words_of(_plural(word))}:
                yield phrase, Meaning("shy_type" if phrase in shy else "type", name)
    for alias, name in resource_types.facts()["aliases"].items():
        phrase = words_of(alias.replace("_", " "))
        yield phrase, Meaning("shy_type" if phrase in shy else "type", name)


def _plural(word: str) -> str:
    if word.endswith("s") and not word.endswith("ss"):
        return word
    if word.endswith(("x", "ch", "sh", "ss")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _groups() -> Said:
    """`storage`, `compute resources`: all types of a group."""
    for group in resource_types.facts()["groups"]:
        for noun in ("resources", "resource", "services", "stuff", "things", "objects", "items"):
            yield words_of(f"{group} {noun}"), Meaning("type", group)
        for word in (
            f"everything to do with {group}",
            f"anything to do with {group}",
            f"everything about {group}",
        ):
            yield words_of(word), Meaning("type", group)
            yield words_of(f"{word}s"), Meaning("type", group)
        if group not in resource_types.types() and group != "network":
            yield (group,), Meaning("shy_type", group)


def _services(resource: Mapping[str, Any]) -> Said:
    """Names that say cloud and type at once: those of the clouds' own files, and the language's."""
    generic = {word for phrase, _ in (*_types(), *_groups()) for word in phrase}
    sellers = {words_of(one["id"]) for one in resource.get("providers", ())}
    for one in resource.get("providers", ()):
        for service in one.get("services") or ():
            for phrase in {words_of(service["id"]), words_of(service["name"])}:
                common = len(phrase) == 1 and phrase[0] in everyday()
                # `lambda` alone is the seller of that name; Amazon's service says what it is of.
                if phrase in sellers or common:
                    continue
                if len(service["types"]) == 1 and not set(phrase) <= generic:
                    kind = service["types"][0]
                    yield phrase, Meaning("service", (one["id"], kind, _one_of_several(one, kind, phrase)))
    known = {one["id"]: one for one in resource.get("providers", ())}
    for provider, by_type in hint("services").items():
        for kind, words in by_type.items():
            for word in words:
                service = _one_of_several(known.get(provider, {}), kind, words_of(word))
                yield words_of(word), Meaning("service", (provider, kind, service))


def _one_of_several(provider: Mapping[str, Any], kind: str, phrase: tuple[str, ...]) -> str | None:
    """The service that a phrase begins with, where its cloud keeps things of that type in others as well."""
    if phrase[0] == provider.get("id"):
        phrase = phrase[1:]
    having = [one for one in provider.get("services") or () if kind in one["types"]]
    if len(having) < 2:
        return None
    for one in having:
        names = (words_of(name) for name in (one["id"], one["name"], *one["words"]))
        if any(name and phrase[: len(name)] == name for name in names):
            return str(one["id"])
    return None


def _metrics() -> Said:
    shy = frozenset(words_of(word) for word in facts()["shy_metrics"])
    said = [
        (name, (name, *about.get("aliases", ()), *about.get("words", ()), about["title"]))
        for name, about in metrics.facts()["metrics"].items()
    ]
    for name, words in (*said, *hint("metric_words").items()):
        for word in words:
            phrase = words_of(word.replace("_", " "))
            yield phrase, Meaning("shy_metric" if phrase in shy else "metric", name)


def _labels() -> Said:
    for role, section in (
        ("env", "environments"),
        ("tag_key", "tag_keys"),
        ("engine", "engines"),
        ("runtime", "runtimes"),
        ("shy_runtime", "shy_runtimes"),
    ):
        for value, words in hint(section).items():
            for word in words:
                yield words_of(word), Meaning(role, value)


def _values(tools: Mapping[str, Any]) -> Said:
    """Values of arguments that have a closed list, with the words that their own specs add."""
    nouns = {phrase[-1] for phrase, meaning in _types() if meaning.role == "type"}
    for tool in tools.values():
        if tool.market:
            continue
        for argument, values in tool.words.items():
            for value, words in values.items():
                for word in words:
                    yield words_of(str(word)), Meaning(f"={argument}", _typed(value))
        for argument, values in language().values.items():
            if tool.has(argument) and argument not in ("status", "vendor", "architecture"):
                for value, phrases in values.items():
                    for phrase in phrases:
                        if len(phrase) == 1 or phrase[-1] not in nouns:
                            yield phrase, Meaning(f"={argument}", _typed(value))
        for argument in tool.parameters:
            if argument in _BY_ROLES or tool.parameters[argument].get("kind") in ("status", "sort"):
                continue
            for value in tool.values(argument):
                yield words_of(str(value)), Meaning(f"={argument}", value)


_BY_ROLES = ("agg", "op", "unit", "format", "scope", "group_by", "granularity", "period", "max_age")
"""Arguments whose values are ordinary words: rules of their own read them."""


def _typed(value: str) -> Any:
    return {"true": True, "false": False}.get(value, value)


def _live(live: Live) -> Said:
    for raw in live.names.values():
        phrase = words_of(raw)
        if len(phrase) > 1 or phrase == (raw.lower(),):
            yield phrase, Meaning("=name", raw)
    for key in live.keys.values():
        yield words_of(key.replace("_", " ")), Meaning("tag_key", key)
    for value, pairs in live.values.items():
        yield words_of(value), Meaning("tag_value", pairs)
    for account in live.accounts.values():
        yield words_of(account), Meaning("account", account)


FAMILY = re.compile(r"(?:[a-z]{1,3}\d{1,2}[a-z]{0,4})")
"""A family of instance types: t3, m5, p4d, g5, c6gn."""


def instance_types(resource: Mapping[str, Any]) -> dict[str, str]:
    """Live instance types in lower case -> as their cloud writes them."""
    return {str(one).lower(): str(one) for one in resource.get("instance_types", ())}


def time_words() -> set[str]:
    """Words of time, whose typing mistakes are mended."""
    return set(facts()["time_words"])


def vocabulary(phrases: Iterable[tuple[str, ...]]) -> set[str]:
    """Every word of the phrases."""
    return {word for phrase in phrases for word in phrase}
