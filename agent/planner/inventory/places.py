"""Whose and where: clouds, regions, accounts, namespaces; engines, runtimes, GPUs, spot, encryption."""

from __future__ import annotations

from agent.planner.inventory.asked import Asked
from agent.planner.inventory.facts import is_plural, set_of
from agent.planner.inventory.families import read_families
from agent.planner.inventory.had import after_with
from agent.planner.inventory.labels import raw
from agent.planner.inventory.sizes import types_said
from agent.planner.inventory.versions import read_runtime, read_versions
from agent.planner.language import language
from agent.planner.sentence import Span

_INSIDE = frozenset(("in", "inside", "within"))


def read_owners(a: Asked) -> None:
    """Accounts and namespaces: the word beside them is their name, whatever else it may be."""
    for index, _ in a.all("account_word"):
        _account(a, index)
    for index, span in a.all("account"):
        a.put("account", span.get("account"), index)
    for index, _ in a.all("namespace_word"):
        _beside(a, index, "namespace")
    for index, span in a.all("=name"):
        # `pods in kube-system`: what a pod is in is a namespace, unless something of that name is known.
        inside = (lead := a.s.at(a.skip(index - 1, -1, leads=False))) is not None and lead.text in _INSIDE
        known = str(span.get("=name")).lower() in a.s.known_names
        if inside and not known and types_said(a) == ["pod"]:
            a.put("namespace", span.get("=name"), index)


def read_places(a: Asked) -> None:
    """Clouds and regions, or what is left out of them."""
    for index, span in a.all("provider"):
        if span.plays("service") or (span.plays("total") and not _led(a, index)):
            continue
        if span.get("provider") == "kubernetes" and not _led(a, index) and types_said(a):
            # `clusters running kubernetes`: of which kind they are, not where.
            a.s.use(index)
            continue
        _listed(a, index, "providers", "provider", str(span.get("provider")))
    for index, span in a.all("region"):
        if span.text == "in" and a.s.plays(index + 1, "region") and "India" not in a.s.text:
            # `more in the us than in europe`: no country.
            a.s.use(index)
            continue
        if span.text == "gb" and not _led(a, index):
            # `sum gb by cloud`: what it is told in.
            a.s.use(index)
            continue
        _listed(a, index, "region", "region", str(span.get("region")))


def read_kinds(a: Asked) -> None:
    """Engines, runtimes, instance types, GPUs and flags."""
    for index, span in a.all("engine"):
        _simple(a, index, "engine", str(span.get("engine")))
    read_versions(a)
    for index, span in a.all("runtime", "shy_runtime"):
        read_runtime(a, index, span)
    for index, span in a.all("=runtime"):
        a.put("runtime", span.get("=runtime"), index)
    for index, span in a.all("=instance_type"):
        a.put("instance_type", span.get("=instance_type"), index)
    read_families(a)
    for index, span in a.all("gpu"):
        _gpu(a, index, span)
    for index, _ in a.all("wants_gpu"):
        if a.takes("gpu"):
            a.found.arguments["resource_type"] = ["gpu_instance"]
            a.s.use(index)
    _with_gpus(a)
    for index, _ in a.all("wants_no_gpu"):
        if a.takes("gpu"):
            a.where("gpu", "known", False, index)
    _flags(a)
    for role, argument in (("anywhere", "region"), ("any_seller", "providers"), ("any_spot", "spot")):
        for index, _ in a.all(role):
            a.found.cleared.add(argument)
            a.s.use(index)


def _flags(a: Asked) -> None:
    """Encryption and public addresses, there or not."""
    for index, span in a.all("encrypted"):
        without = a.s.plays(index - 1, "lacks")
        if span.text == "encryption" and not without:
            continue
        a.put(
            "encrypted", span.get("encrypted") != ("true" if index in a.denied or without else "false"), index
        )
        a.s.use(*((index - 1,) if without else ()))
    for index, span in a.all("public"):
        kinds = types_said(a)
        if kinds and set(kinds) <= set_of("without_address"):
            a.found.refused.append(
                f"{span.text}: whether a {kinds[0].replace('_', ' ')} is public is not known"
            )
            a.s.use(index)
        else:
            a.where("public_ip", "known", span.get("public") == "true", index)
    _has_address(a)


def _has_address(a: Asked) -> None:
    """`machines that have both a public ip and …`: whether there is one."""
    machines = any(span.get("type") in _ADDRESSED or span.text.startswith(_ALL) for span in a.s.spans)
    for index, span in enumerate(a.s.spans):
        if span.used or span.text not in _ADDRESS or not machines or not a.tool.has("missing_tag"):
            continue
        at = index - 1
        while (lead := a.s.at(at)) is not None and lead.text in set_of("articles") | {"both"}:
            at -= 1
        if lead is not None and (lead.text.split()[-1] in _HAVING or (lead.plays("lacks") and not lead.used)):
            lacks = lead.plays("lacks")
            passed = lacks or lead.text.startswith(_ALL)
            a.where("public_ip", "known", not lacks, index, *((at,) if passed else ()))


_ADDRESSED = ("instance", "gpu_instance", "node", "load_balancer", "database", "container")
_ADDRESS = frozenset(
    ("public ip", "public ips", "public ip address", "public address", "external ip", "public ip addresses")
)
_ALL = ("anything", "everything")
_HAVING = frozenset(("have", "has", "having", "with", "got"))


def _with_gpus(a: Asked) -> None:
    """`vms with nvidia gpus`: those that have any, whoever makes them."""
    for index, span in enumerate(a.s.spans):
        if span.used or not after_with(a.s, index):
            continue
        if a.takes("gpu") and a.found.arguments.get("resource_type") in (None, ["instance"]):
            a.found.arguments["resource_type"] = ["gpu_instance"]
            a.s.use(index)


def read_values(a: Asked) -> None:
    """Values of arguments that only this tool has: its spec says what people call them."""
    for index, span in enumerate(a.s.spans):
        if span.used:
            continue
        for argument, value in span.values:
            if argument in ("name", "id", "ip", "name_contains", "instance_type") or not a.takes(argument):
                continue
            if argument == "check" and span.plays("everything") and a.takes("scope"):
                argument = "scope"
            accepted = a.tool.values(argument)
            if accepted and value not in accepted:
                continue
            if isinstance(value, bool) and index in a.denied:
                value = not value
            if _against(a, index, argument, value):
                break
            if a.put(argument, value, index):
                break


def _against(a: Asked, index: int, argument: str, value: object) -> bool:
    """`spot versus on demand`, `how many of each`: both sides are asked about."""
    first = a.found.arguments.get(argument)
    both = isinstance(value, bool) and isinstance(first, bool) and first is not value
    if not both or a.found.sides or index in a.denied:
        return False
    del a.found.arguments[argument]
    a.found.sides = [{argument: first}, {argument: value}]
    a.found.then = {"op": "compare", "by": argument, "values": [first, value]}
    a.s.use(index)
    return True


def _led(a: Asked, index: int) -> bool:
    """`on together`: the cloud of that name; `the size of all buckets together` is one figure."""
    before = a.s.at(index - 1)
    return before is not None and before.text in set_of("place_leads")


def _listed(a: Asked, index: int, argument: str, row_field: str, value: str) -> None:
    if index in a.denied:
        a.where(row_field, "ne", value, index)
    else:
        a.put(argument, value, index)


def _simple(a: Asked, index: int, argument: str, value: str) -> None:
    if index in a.denied:
        a.where(argument, "ne", value, index)
    else:
        a.put(argument, value, index)


def _account(a: Asked, index: int) -> None:
    """`in account sandbox`, `the sandbox account`; `per account` groups."""
    asked = (lead := a.s.at(index - 1)) is not None and lead.text in ("which", "what")
    if a.s.plays(index - 1, "per", "sort_by") or (asked and not a.s.plays(index + 1, "named")):
        return
    span = a.s.spans[index]
    if span.text.endswith(" of"):
        # `the prod account of Oracle`
        if a.takes("account") and a.s.plays(index - 1, "env", "tag_value", "account"):
            a.put("account", raw(a, index - 1), index - 1, index)
        return
    _beside(a, index, "account")


def _beside(a: Asked, index: int, argument: str) -> None:
    """The word behind (or in front, where none is) that names one."""
    at = index + 1
    if (sign := a.s.at(at)) is not None and sign.text in ("=", ":", "is", "named", "called"):
        at += 1
    if not a.takes(argument):
        if not _names(a, at) and _names(a, index - 1):
            at = index - 1
        if _names(a, at):
            a.found.refused.append(f"{argument} {raw(a, at)}: {a.tool.title.lower()} takes no {argument}")
            a.s.use(index, at)
        return
    denied = a.skip(index - 1, -1)
    if a.s.plays(at, "neg") and _names(a, at + 1) and a.takes(argument):
        # `in accounts other than prod`
        a.where(argument, "ne", raw(a, at + 1), index, at, at + 1)
    elif a.s.plays(denied, "neg") and denied >= 0 and _names(a, at):
        a.where(argument, "ne", raw(a, at), denied, index, at)
    elif _names(a, at):
        a.put(argument, raw(a, at), index, at)
        a.s.use(*(one for one in (index - 1,) if a.s.plays(one, "owned_by")))
    elif (
        _names(a, index - 1)
        and not a.s.plays(index - 2, "op")
        and not a.s.plays(index - 1, "mine", "provider")
        and not a.s.plays(index - 2, "per", "sort_by")
        and not (a.s.spans[index - 1].number is not None and is_plural(a.s.spans[index].text))
    ):
        a.put(argument, raw(a, index - 1), index - 1, index)


def _names(a: Asked, at: int) -> bool:
    """Whether a word can be the name of an account or namespace."""
    span = a.s.at(at)
    if span is None or span.used or not span.text[0].isalnum():
        return False
    if span.plays("env", "=name", "tag_value", "quoted", "account") or span.number is not None:
        return True
    if span.plays("dim") and not is_plural(span.text):
        return True
    if span.plays("aside", "pronoun"):
        return False
    taken = span.text in language().stop | set_of("articles") | set_of("place_leads") | set_of("which")
    return not taken and not span.plays(*set_of("no_names"))


def _gpu(a: Asked, index: int, span: Span) -> None:
    if not a.takes("gpu"):
        return
    for name in span.get("gpu"):
        if index in a.denied:
            a.where("gpu", "ne", name)
        else:
            a.put("gpu", name)
    a.s.use(index)
    kinds = [
        one for one in a.s.spans if one.plays("type", "shy_type", "service") and not one.plays("ip_word")
    ]
    if not kinds and not a.found.arguments.get("resource_type"):
        a.put("resource_type", "gpu_instance")
