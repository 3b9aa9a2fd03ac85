"""What holds of every tool and any arguments, drawn from the specs and sent by a real client.

Valid arguments never give a protocol error and the result is what the spec promises; invalid ones give a text
that names the argument; text and structured content say the same; pages unite to the whole without repeats.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import string
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mcp import Client

from cloudtop import metrics, resource_types
from cloudtop.gpus import catalogue
from cloudtop.regions import known_ids, known_words
from cloudtop.sellers import known
from mcp_server.arguments import folded
from mcp_server.specs import load
from tests.mcp_server import company
from tests.mcp_server.prices_server import served, stocked

SPECS = {name: spec for name, spec in load().items() if name != "ask"}
"""All but the one that answers any words at all: tests/cli/test_ask_tool.py."""
PREPARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ERAS = st.sampled_from(["auto", "legacy"])


INVENTORY = ("list_resources", "get_resource", "get_metrics", "list_services")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The server to ask for a tool: one that knows prices, or one over a small company."""
    prices = stocked(tmp_path_factory.mktemp("prices"))
    running = company.house(tmp_path_factory.mktemp("company"))
    asyncio.run(running.call("list_resources"))
    ask_prices, ask_company = served(prices), served(running)
    yield lambda tool: ask_company if tool in INVENTORY else ask_prices
    asyncio.run(prices.close())
    asyncio.run(running.close())


async def called(server, era, tool, arguments):
    """The result of one call; a protocol error is raised, which no test here expects."""
    async with Client(server(tool), mode=era) as client:
        return await client.call_tool(tool, arguments)


# --- arguments from the specs -----------------------------------------------------------------------------

GPUS = [gpu.name for gpu in catalogue().gpus.values()]
WORDS = {
    "gpu": st.sampled_from([*GPUS[:25], "A100", "H100", "h100 nvl", "4090", "RTX 6000", "A100 80GB"]),
    "provider": st.sampled_from([*known(), *(seller.title for seller in known().values())]),
    "region": st.sampled_from([*sorted(known_words()), *sorted(known_ids())]),
    "time": st.sampled_from(["last_24h", "last_7d", "this_month", "2026-11", "yesterday", "since_monday"]),
    "duration": st.sampled_from(["0", "30s", "5m", "24h", "7d", "3600"]),
    "instance_type": st.sampled_from(["p4d.24xlarge", "gpu_1x_a100", "Standard_ND96asr_v4"]),
    "resource_type": st.sampled_from([*resource_types.types(), *resource_types.facts()["groups"]]),
    "metric": st.sampled_from(sorted(metrics.metrics())),
    "tag": st.sampled_from(["env=prod", "team=core", "owner=", "a=b=c"]),
}


def value(spec, schema):
    """Any value that the spec of one parameter takes."""
    kind = schema.get("kind")
    if kind == "fields":
        names = spec.fields(spec.usual_shape)
        return st.lists(st.sampled_from(names), min_size=1, max_size=5, unique=True)
    if kind == "sort":
        names = spec.fields(spec.usual_shape)
        return st.builds("{}_{}".format, st.sampled_from([*names, "price"]), st.sampled_from(["asc", "desc"]))
    if schema["type"] == "array":
        inner = {**schema["items"], **({"kind": kind} if kind else {})}
        return st.lists(value(spec, inner), min_size=1, max_size=2, unique=True)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "boolean":
        return st.booleans()
    if schema["type"] == "string":
        return WORDS.get(kind, st.text(string.ascii_lowercase, min_size=1, max_size=9))
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    if schema["type"] == "integer":
        return st.integers(max(int(low), 1), int(schema.get("maximum", 64)))
    return st.floats(max(low, 0.01), min(schema.get("maximum", 500), 500)).map(
        lambda one: round(one, 2) + 0.01
    )


@st.composite
def questions(draw):
    """A tool and arguments that its spec allows; contradictions between two of them may be among them."""
    spec = SPECS[draw(st.sampled_from(sorted(SPECS)))]
    free = sorted(set(spec.parameters) - {"cursor"})
    names = draw(st.lists(st.sampled_from(free), unique=True, max_size=4))
    return spec, {name: draw(value(spec, spec.parameters[name])) for name in names}


def named(spec, said, arguments):
    """Whether a refusal begins with the name of an argument that was given."""
    lines = said.removeprefix(f"{spec.name}: ").splitlines()
    missing = [f"{name}: is missing" for name in spec.parameters if name not in arguments]
    starts = (*(f"{name}: " for name in arguments), *missing)
    return all(line.startswith(starts) for line in lines)


# --- reading a text back ----------------------------------------------------------------------------------


def told(text, form):
    """The rows and the other facts that a text block tells."""
    if form == "json":
        whole = json.loads(text)
        return whole.pop("rows"), whole
    body, _, rest = text.rpartition("\n\n")
    facts = {name: json.loads(fact) for name, _, fact in (line.partition(": ") for line in rest.splitlines())}
    return (list(csv.DictReader(io.StringIO(body))) if form == "csv" else body), facts


def cell(fact: Any) -> str:
    """A value as csv writes it."""
    if fact is None:
        return ""
    return fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False, separators=(",", ":"))


def says_the_same(result, form):
    rows, facts = told(result.content[0].text, form)
    structured = dict(result.structured_content)
    shown = structured.pop("rows")
    assert facts == structured
    if form == "json":
        assert rows == shown
    elif form == "csv":
        assert len(rows) == len(shown)
        for line, row in zip(rows, shown, strict=True):
            assert line == {**dict.fromkeys(line, ""), **{name: cell(fact) for name, fact in row.items()}}
    else:
        lines = [line for line in rows.split("\n\n")[0].splitlines() if line]
        only_unknown = all(fact is None for row in shown for fact in row.values())
        assert only_unknown or len(lines) == len(shown) + 1


def keeps_its_promise(spec, result, arguments):
    structured = result.structured_content
    jsonschema_rs.validate(spec.output_schema, structured)
    if "fields" in arguments:
        assert all(list(row) == arguments["fields"] for row in structured["rows"])
        return
    assert any(spec.row_check(shape).is_valid(structured["rows"]) for shape in spec.row_schemas)
    assert len(structured["rows"]) <= arguments.get("limit", 20)
    assert structured["total"] is None or len(structured["rows"]) <= structured["total"]


# --- what holds -------------------------------------------------------------------------------------------


@PREPARED
@given(question=questions(), era=ERAS)
async def test_valid_arguments_give_what_the_spec_promises_in_both_channels(server, question, era):
    spec, arguments = question
    jsonschema_rs.validate(spec.input_schema, arguments)
    result = await called(server, era, spec.name, arguments)
    if result.is_error:
        assert result.structured_content is None
        assert named(spec, result.content[0].text, arguments), result.content[0].text
        return
    keeps_its_promise(spec, result, arguments)
    says_the_same(result, arguments.get("format", "csv"))


@st.composite
def mistakes(draw):
    """A tool, and one argument with a value that its spec does not allow, or that it does not have."""
    spec = SPECS[draw(st.sampled_from(sorted(SPECS)))]
    known_names = {*spec.names, *map(folded, spec.parameters)}
    if draw(st.integers(0, 4)) == 0:
        name = draw(st.text(string.ascii_letters + "_", min_size=1, max_size=20))
        assume(folded(name) and folded(name) not in known_names)
        return spec, name, draw(st.sampled_from([1, "x", True, ["x"]]))
    name = draw(st.sampled_from(sorted(spec.parameters)))
    return spec, name, draw(wrong(spec.parameters[name]))


def wrong(schema):
    """A value that nobody could mean."""
    several = schema["type"] == "array"
    one = {**schema, **schema["items"]} if several else schema
    nonsense = st.text(string.ascii_lowercase, min_size=3, max_size=8).map("qzx{}xzq".format)
    if (
        "enum" in one
        or one["type"] == "boolean"
        or one.get("kind") in ("gpu", "provider", "duration", "fields")
    ):
        found = nonsense
    elif one["type"] in ("integer", "number"):
        low = one.get("minimum", one.get("exclusiveMinimum"))
        found = nonsense if low is None else nonsense | st.floats(-1e9, low - 0.5)
        found = found | st.just(float("1e300")) if one["type"] == "integer" else found
    else:
        found = st.just({"a": 1}) | st.just(" ") | st.just("x" * 2_000)
    return st.lists(found, min_size=1, max_size=2) if several else found


@PREPARED
@given(mistake=mistakes(), era=ERAS)
async def test_an_invalid_argument_gives_a_text_that_names_it(server, mistake, era):
    spec, name, bad = mistake
    result = await called(server, era, spec.name, {name: bad})
    said = result.content[0].text
    assert result.is_error, (spec.name, name, bad)
    assert result.structured_content is None
    assert said.startswith(f"{spec.name}: {name}: "), said
    assert len(said) < 2_000


SORTS = ["price", "name", "type", "created", "size_gb", "id", "region"]
PAGED = {
    "compare_gpu_prices": ["gpu", "spot", "sort", "region", "max_price"],
    "gpu_price_history": ["gpu", "spot", "group_by", "time"],
    "list_providers": [],
    "check_health": ["check", "status"],
    "list_resources": ["resource_type", "providers", "sort", "group_by", "status_not"],
    "list_services": [],
}


@st.composite
def lists(draw):
    tool = draw(st.sampled_from(sorted(PAGED)))
    spec = SPECS[tool]
    names = draw(st.lists(st.sampled_from(PAGED[tool]), unique=True, max_size=2)) if PAGED[tool] else []
    drawn = {name: draw(value(spec, spec.parameters[name])) for name in names}
    if "sort" in drawn:
        fields = SORTS if tool == "list_resources" else ["price", "region", "gpu", "offer_id"]
        drawn["sort"] = draw(
            st.builds("{}_{}".format, st.sampled_from(fields), st.sampled_from(["asc", "desc"]))
        )
    if "group_by" in drawn and tool == "list_resources":
        drawn["group_by"] = draw(st.sampled_from([["region"], ["tag:env", "type"], ["status"]]))
        drawn.pop("sort", None)
    return tool, {**drawn, **({"gpu": ["A100", "H100"]} if "gpu" in names else {})}


async def pages(client, tool, arguments):
    found, cursor = [], None
    while True:
        result = await client.call_tool(tool, {**arguments, **({"cursor": cursor} if cursor else {})})
        assert not result.is_error, result.content[0].text
        found.append(result.structured_content["rows"])
        assert (
            result.structured_content["truncated"] is False
            or cursor != result.structured_content["next_cursor"]
        )
        cursor = result.structured_content["next_cursor"]
        if cursor is None:
            return found


@PREPARED
@given(asked=lists(), limit=st.integers(1, 30), era=ERAS)
async def test_pages_unite_to_the_whole_without_repeats(server, asked, limit, era):
    tool, arguments = asked
    async with Client(server(tool), mode=era) as client:
        whole = [row for page in await pages(client, tool, {**arguments, "limit": 500}) for row in page]
        parts = await pages(client, tool, {**arguments, "limit": limit})
    assert [row for part in parts for row in part] == whole
    assert all(len(part) <= limit for part in parts)
    assert all(parts[:-1])
    distinct = {json.dumps(row, sort_keys=True) for row in whole}
    assert len(distinct) == len(whole)
