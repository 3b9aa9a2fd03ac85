"""Another model or seller than the one named: `alternatives to an H100`, `like a 4090 but cheaper`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.planner.found import Found
from agent.planner.sentence import Sentence
from agent.planner.tool import Tool
from cloudtop import gpus

_ARTICLES = frozenset(("a", "an", "the", "to", "for", "of", "single", "one", "nvidia", "amd", "as"))
_WISHES = frozenset(("would", "d", "id", "i", "we", "wed"))


def read_relation(s: Sentence, tool: Tool, found: Found) -> None:
    """What is named only to say what else is wanted is left out, and its memory kept."""
    for index, span in enumerate(s.spans):
        if span.used or not _speaks_of_another(s, index):
            continue
        place = _ahead(s, index)
        if place is None and span.plays("alternative"):
            place = next((at for at in (index - 1, index - 2) if s.plays(at, "gpu", "provider")), None)
        if place is None or s.spans[place].used:
            continue
        _left_out(s, index, place, tool, found)


def read_elsewhere(s: Sentence, tool: Tool, found: Found) -> None:
    """`a cheaper region than us-east`, `anyone cheaper than lambda`: all are shown."""
    for role in ("provider", "region"):
        places = [i for i, sp in s.all(role)]
        if len(places) != 1 or role not in tool.values("group_by"):
            continue
        at = places[0] - 1
        while s.at(at) is not None and s.spans[at].text in ("the", "in", "on", "at"):
            at -= 1
        lead = s.at(at)
        behind = lead is not None and lead.text == "than" and any(sp.plays("cheaper") for sp in s.spans[:at])
        if lead is not None and (behind or (lead.text in _CHEAPER_THAN and _no_model(s, at))):
            found.put("group_by", role)
            found.notices.append(f"Every {role} is shown, {s.spans[places[0]].text} among them.")
            s.use(places[0], at, *(i for i, sp in enumerate(s.spans[:at]) if sp.plays("cheaper")))


_CHEAPER_THAN = frozenset(("cheaper than", "less expensive than", "lower than", "beats", "undercuts"))


def _no_model(s: Sentence, at: int) -> bool:
    """`anyone cheaper than lambda`, not `an H100 cheaper than on lambda`."""
    return not (at and s.plays(at - 1, "gpu"))


def _speaks_of_another(s: Sentence, index: int) -> bool:
    """`alternatives to`, `instead of` where nothing else is named, `like … but cheaper`."""
    span = s.spans[index]
    if span.plays("alternative"):
        return not (index and s.spans[index - 1].text in ("or", "and"))
    if span.text in ("instead of", "rather than"):
        return sum(1 for sp in s.spans if sp.plays("gpu")) == 1
    before = s.at(index - 1)
    wish = before is not None and before.text in _WISHES
    return span.text == "like" and not wish and any(sp.plays("cheaper") for sp in s.spans[index:])


def _ahead(s: Sentence, index: int) -> int | None:
    """The model or seller behind the word, an article or a size between them allowed."""
    at = index + 1
    while (span := s.at(at)) is not None and at <= index + 4:
        if span.plays("gpu", "provider"):
            return at
        if not (span.text in _ARTICLES or span.number is not None or span.get("unit") == "gb"):
            return None
        at += 1
    return None


def _left_out(s: Sentence, index: int, place: int, tool: Tool, found: Found) -> None:
    named = s.spans[place]
    if named.plays("gpu") and tool.has("exclude_gpu"):
        for name in named.get("gpu"):
            found.add("exclude_gpu", name)
        found.like = (*found.like, *named.get("gpu"))
        s.use(index, place)
    elif named.plays("provider") and tool.has("exclude_providers"):
        found.add("exclude_providers", named.get("provider"))
        s.use(index, place)


def like_it(found: Found) -> None:
    """Another model should have the memory of the one it stands in for, or more; that is said."""
    if not found.like:
        return
    arguments = found.arguments
    for name in found.like:
        if name in arguments.get("gpu", ()):
            return
    if "memory" in arguments:
        arguments["min_memory"] = arguments.pop("memory")
    elif "min_memory" not in arguments and (size := _smallest(found.like)) is not None:
        arguments["min_memory"] = size
    if "min_memory" in arguments:
        least = f"{arguments['min_memory']:g} GB or more"
        found.notices.append(f"Like {found.like[0]} was read as: any other model with {least} each.")


def _smallest(names: tuple[str, ...]) -> float | None:
    known = gpus.catalogue().gpus
    sizes = [size for name in names if name in known for size in known[name].memory_gib]
    return min(sizes) if sizes else None


def like_the_one_before(s: Sentence, tool: Tool, found: Found, before: Mapping[str, Any]) -> None:
    """`any cheaper alternatives?`: to the model of the question before."""
    places = [index for index, span in s.all("alternative")]
    if not places or not before.get("gpu") or found.arguments.get("gpu") or not tool.has("exclude_gpu"):
        return
    s.use(*places)
    found.like = tuple(before["gpu"])
    for name in found.like:
        found.add("exclude_gpu", name)
    if "memory" in before:
        found.arguments.setdefault("min_memory", before["memory"])
    found.cleared |= {"gpu", "memory"}
    like_it(found)


def outdone(s: Sentence, found: Found) -> int | None:
    """The only model of the question where others are to be cheaper, faster or larger than it."""
    models = [index for index, span in enumerate(s.spans) if span.plays("gpu")]
    if len(models) != 1 or any(span.text in ("it", "that", "they", "those") for span in s.spans):
        return None
    if any(len(found.arguments.get(name) or ()) > 1 for name in ("providers", "region")):
        return None
    at = models[0] - 1
    while s.at(at) is not None and s.spans[at].text in _ARTICLES:
        at -= 1
    than = at > 0 and s.spans[at].text == "than" and s.plays(at - 1, "cheaper", "dearer")
    return models[0] if at >= 0 and (than or s.plays(at, "outdoing")) else None


def ask_how_outdone(s: Sentence, place: int) -> tuple[str, tuple[str, ...]]:
    """What has to be said where a model is only a measure: nothing is compared with its price."""
    names = s.spans[place].get("gpu")
    size = _smallest(names)
    memory = (f"cheapest GPU with at least {size:g} GB",) if size is not None else ()
    question = f"An offer cannot be measured against the {names[0]} itself. What should the others have?"
    return question, (f"alternatives to {names[0]}", *memory, f"cheapest {names[0]}")
