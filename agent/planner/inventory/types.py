"""What kinds of resource are meant, and which are left out: `s3 buckets`, `everything but volumes`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import hint, is_plural, set_of
from agent.planner.language import word_set
from agent.planner.sentence import Span

_HOSTS = frozenset(("instance", "gpu_instance", "node", "cluster", "container"))


def read_types(a: Asked) -> None:
    """Types of the question; a noun before another only says more of it: `volume snapshots`."""
    places = [i for i, span in a.all("type", "service")]
    places = [i for i in places if not _modifies(a, i)]
    places += [i for i, _ in a.all("shy_type") if places and _listed(a, i)]
    if set(places) <= a.denied and not a.found.arguments.get("resource_type"):
        places += [i for i, span in a.all("shy_type") if _stands(a, i)]
    named, sold = _named(a), bool(a.found.arguments.get("providers"))
    services = [i for i in places if i not in a.denied and a.s.plays(i, "service")]
    asked = {(a.s.spans[i].get("service"), _engine(a.s.spans[i])) for i in services}
    alone = len(asked) == 1 and not _beside_engine(a, services)
    for index in places:
        span = a.s.spans[index]
        service = span.get("service")
        kind = service[1] if service else span.get("type") or span.get("shy_type")
        if _belongs(a, index):
            continue
        if index in a.denied:
            _left_out(a, index, str(kind))
            continue
        where = _where(a, index)
        if where is not None and not service:
            a.s.use(index)
            a.found.refused.append(f"{where} {span.text}: nothing is filtered by what it is a part of")
            continue
        if service is not None and not sold:
            a.put("providers", service[0])
        if service is not None:
            _one_service(a, span, service[2], alone=alone)
        inside = span.text == "gpus" and any(one[:4] == "gpu_" for one in a.found.arguments.get("metric", ()))
        if where is not None or (named and not service and (inside or not _plural(a, index))):
            a.s.use(index)
        else:
            a.put("resource_type", kind, index)
    _implied(a)


def _beside_engine(a: Asked, services: list[int]) -> bool:
    """`rds and dynamodb`, `aurora and rds`: an engine in one list with a service narrows nothing either."""
    for index in services:
        for step in (-1, 1):
            join, other = a.s.at(index + step), a.s.at(index + 2 * step)
            if join is None or other is None or join.text not in word_set("joins"):
                continue
            if other.plays("engine") and (engines := a.found.arguments.pop("engine", None)):
                a.found.refused.append(f"{engines[0]} alone: of several services everything is listed")
                return True
    return False


def _engine(span: Span) -> str | None:
    """What databases a service is of, where its cloud has others."""
    found: str | None = hint("service_engines").get(span.text.split()[0])
    return found


def _one_service(a: Asked, span: Span, known_as: str | None, *, alone: bool) -> None:
    """`rds databases` are not those of other services; of several services, all of their types are listed."""
    engine = _engine(span)
    if not alone and (engine is not None or known_as):
        a.found.refused.append(f"{span.text} alone: of several services everything of their types is listed")
    elif engine is not None:
        a.put("engine", engine)
    elif known_as:
        a.where("service", "eq", known_as)


def _where(a: Asked, index: int) -> str | None:
    """`nodes in the prod clusters`, `pods on gke`: the second noun says where; only a cloud is taken."""
    at = index - 1
    while (span := a.s.at(at)) is not None and (span.text in set_of("articles") or span.used):
        at -= 1
    known = span is not None and span.text in _ON and bool(a.found.arguments.get("resource_type"))
    return span.text if known and span is not None else None


_ON = frozenset(("on", "in", "at", "from", "within", "inside"))


def _modifies(a: Asked, index: int) -> bool:
    """`kubernetes pods`, `volume snapshots`: of adjacent nouns the last; the cloud of a service stays."""
    after = a.s.at(index + 1)
    if after is None or after.used or not after.plays("type", "service", "shy_type"):
        return False
    if after.text in word_set("joins") or (
        after.plays("shy_type") and not after.plays("type") and not _plural(a, index + 1)
    ):
        return False
    service = a.s.spans[index].get("service")
    if service is not None:
        a.put("providers", service[0])
    if after.get("shy_type") and not after.plays("type"):
        a.s.mean(after, (*after.meanings, type(after.meanings[0])("type", after.get("shy_type"))))
    a.s.use(index)
    return True


def _listed(a: Asked, index: int) -> bool:
    """`snapshots and images`: with a noun that is sure, in one list."""
    before = a.s.at(index - 1)
    return index in a.denied or (
        _plural(a, index)
        and before is not None
        and before.text in word_set("joins")
        and a.s.plays(index - 2, "type", "service")
    )


def _stands(a: Asked, index: int) -> bool:
    """Whether a word with other uses is the noun of the question."""
    span, before = a.s.spans[index], a.s.at(index - 1)
    others = any(one is not span and one.plays("type", "service", "shy_type") for one in a.s.spans)
    every = before is not None and before.text == "every" and not others and not a.tool.has("metric")
    if span.used or (a.s.plays(index - 1, "per", "sort_by") and not every):
        return False
    if (
        span.text == "gpu"
        and a.s.plays(index - 1, "anything")
        and any(one.startswith("gpu_") for one in a.found.arguments.get("metric", ()))
    ):
        # `any gpu hotter than 80 degrees`: what the metric is of anyway.
        a.s.use(index)
        return False
    if a.s.plays(index + 1, "size_of", "unit") and span.plays("size_of"):
        return False
    lead = before is None or before.text in set_of("articles") | set_of("which") | set_of(
        "place_leads"
    ) | set_of("joins")
    lead = lead or before is None or bool(before.meanings) or before.number is not None
    return lead or _plural(a, index)


def _plural(a: Asked, index: int) -> bool:
    return is_plural(a.s.spans[index].text) or a.s.spans[index].text == "gpus"


def _named(a: Asked) -> bool:
    """One resource is named, so that its type only repeats what it is."""
    return bool({"name", "id"} & set(a.found.arguments))


_LACKING = frozenset(("no", "without", "with no", "w/o", "having no"))


def _belongs(a: Asked, index: int) -> bool:
    """`machines with no security group`, `snapshots without a volume`: what they lack is no filter."""
    at = a.skip(index - 1, -1, leads=False)
    neg = a.s.at(at)
    if neg is None or at < 1 or not (neg.text in _LACKING or neg.plays("lacks")):
        return False
    others = any(a.s.plays(one, "type", "service") and one not in a.denied for one in range(at))
    if not others or not a.s.spans[at - 1].text[0].isalnum():
        return False
    a.s.use(at, index)
    a.found.refused.append(f"{neg.text} {a.s.spans[index].text}: nothing is filtered by what belongs to it")
    return True


def _left_out(a: Asked, index: int, kind: str) -> None:
    neg = a.s.at(a.skip(index - 1, -1, leads=False))
    none = neg is not None and neg.text in _LACKING | {"have no", "has no"}
    asks = a.s.words()[0] in ("which", "what") and "group_by" in a.found.arguments
    if neg is not None and none and asks and not a.found.arguments.get("resource_type"):
        # `which accounts have no databases`
        a.put("resource_type", kind, index)
        a.found.refused.append(f"{neg.text} {a.s.spans[index].text}: of groups only those that have any")
        return
    if not a.put("exclude_resource_type", kind, index):
        a.where("type", "ne", kind, index)
    a.s.use(*(i for i, _ in a.all("everything", "anything")))


def _implied(a: Asked) -> None:
    """`mysql servers` are databases; a runtime is of functions."""
    kinds = a.found.arguments.get("resource_type") or []
    if a.found.arguments.get("engine") and set(kinds) <= _HOSTS and a.takes("resource_type"):
        a.found.arguments["resource_type"] = ["database"]
    versions = any(one[0] == "version" for one in a.found.where)
    kubernetes = any(span.get("provider") == "kubernetes" for span in a.s.spans)
    if versions and kubernetes and not kinds and "engine" not in a.found.arguments:
        a.put("resource_type", "cluster")
    if a.found.arguments.get("runtime") and not kinds and a.takes("resource_type"):
        a.put("resource_type", "function")
    if a.found.arguments.get("resource_type") == []:
        del a.found.arguments["resource_type"]
