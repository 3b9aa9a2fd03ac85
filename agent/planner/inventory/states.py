"""States: `running`, `not stopped`, `unattached`; and of health: `unhealthy`, `down`."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import hint, set_of
from agent.planner.inventory.sizes import types_said


def read_states(a: Asked) -> None:
    """What state resources are in, for tools that can tell states of that kind apart."""
    known = set(a.tool.values("status")) or (
        set(a.feeder.values("status")) if a.feeder is not None else set()
    )
    if "unhealthy" in known:
        _health(a)
        return
    if a.feeder is not None and a.takes("status"):
        known |= set(a.feeder.values("status"))
    for index, span in a.all("state"):
        value = str(span.get("state"))
        if value not in known:
            continue
        if span.text == "in use" and set(types_said(a)) & set(hint("attachable")):
            a.put("status_not", "unattached", index)
            continue
        if value == "running" and not _filters(a, index):
            a.s.use(index)
            continue
        _state(a, index, value)
    for index, span in a.all("ask_health"):
        _told_of_state(a, index, span.text, known)
    for index, _ in a.all("unused"):
        if set(types_said(a)) & set(hint("attachable")) and "unattached" in known:
            _state(a, index, "unattached")


_IS = frozenset(("is", "are", "=", ":", "of", "being"))
_THAT = frozenset(("that", "which", "that are", "which are", "currently"))
_CALLED = frozenset(("state", "status", "states", "in state", "in status"))


def _told_of_state(a: Asked, index: int, value: str, known: set[str]) -> None:
    """`not available`, `whose state is available`: a word of health that is a state as well."""
    if value not in known or a.tool.has("metric"):
        return
    at, places = index - 1, [index]
    while (span := a.s.at(at)) is not None and (span.text in _IS or span.plays("neg", "negates")):
        places.append(at)
        at -= 1
    denied = any(a.s.plays(place, "neg", "negates") for place in places[1:])
    named = span is not None and span.text in _CALLED
    which = span is not None and span.text in _THAT
    if not (denied or named or which):
        return
    if named:
        places.append(at)
    a.put("status_not" if denied else "status", value, *places)


def _state(a: Asked, index: int, value: str) -> None:
    if index in a.denied:
        if not a.put("status_not", value, index):
            a.where("status", "ne", value, index)
    else:
        a.put("status", value, index)


_RUNS = ("engine", "runtime", "shy_runtime", "=runtime", "=name", "metric_op", "threshold")
"""What `running` is the verb of."""


def _filters(a: Asked, index: int) -> bool:
    """`running instances`, `what is running`; not `running postgres`, `instances running hot`."""
    after, behind = a.s.at(index + 1), a.s.at(a.skip(index + 1))
    if after is not None and after.plays(*_RUNS):
        return False
    if after is not None and after.get("provider") == "kubernetes":
        return False
    if behind is not None and behind.plays("runtime", "shy_runtime", "=runtime"):
        return False
    return not a.tool.has("metric")


def _health(a: Asked) -> None:
    """A state of health filters where it is asked which are in it, not whether this one is."""
    for index, span in a.all("health_state"):
        # `degraded databases`: before its noun it says which.
        if _asks_whether(a) and not (
            a.s.plays(index + 1, "type", "service") and "name" not in a.found.arguments
        ):
            a.s.use(index)
        elif index in a.denied:
            value = span.get("health_state")
            a.put("status", "unhealthy" if value == "healthy" else "healthy", index)
        else:
            a.put("status", span.get("health_state"), index)
    a.s.use(*(index for index, _ in a.all("ask_health")))


def _asks_whether(a: Asked) -> bool:
    """`is cache-01 down`, `are all pods healthy`."""
    first = a.s.spans[0].text.split()[0] if a.s.spans else ""
    if {"name", "id"} & set(a.found.arguments):
        return True
    words = a.s.words()
    if "any" in words or "anything" in words or "which" in words or "something" in words:
        return False
    return first in set_of("yes_no") and first != "any"
