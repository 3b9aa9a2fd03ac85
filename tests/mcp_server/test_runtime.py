"""One call through the runtime: arguments, pages, both channels, what is remembered, how it fails."""

from __future__ import annotations

import csv
import io
import json
import string
from datetime import timedelta

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudtop.errors import ArgumentError, NotFound, SpecError, StoreError, UsageError
from cloudtop.models import Trouble
from mcp_server.arguments import prepared
from mcp_server.budget import CHANNEL
from mcp_server.memo import KEPT
from mcp_server.result import Rows
from mcp_server.runtime import Runtime
from mcp_server.specs import load
from tests.mcp_server.yard import NOON, SPEC, Yard, answering, car, house, runtime, write_specs


@pytest.fixture
def yard():
    return Yard()


@pytest.fixture
def cars(tmp_path, yard):
    return runtime(tmp_path, yard.run)


def facts(text: str) -> dict:
    """The lines after the rows of a csv or table text."""
    lines = text.rstrip("\n").split("\n\n")[-1].split("\n")
    return {name: json.loads(value) for name, value in (line.split(": ", 1) for line in lines)}


def table(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text.split("\n\n")[0])))


async def test_an_answer_says_rows_sources_and_how_old_they_are(cars):
    outcome = await cars.call("list_cars", {"colour": "red"})
    assert not outcome.is_error
    assert outcome.structured == {
        "rows": [car(0), car(1), car(2)],
        "as_of": "2026-11-20T11:59:00Z",
        "sources": [
            {
                "provider": "yard",
                "account": "default",
                "source": "cache",
                "fetched_at": "2026-11-20T11:59:00Z",
                "rows": 3,
            }
        ],
        "missing": [],
        "applied": {"colour": "red"},
        "notices": [],
        "total": 3,
        "truncated": False,
        "next_cursor": None,
    }
    assert json.loads(outcome.structured_json) == outcome.structured


async def test_every_text_format_says_what_the_structured_content_says(cars):
    for form in ("csv", "json", "table"):
        outcome = await cars.call("list_cars", {"format": form, "colour": "blue"})
        rest = {name: value for name, value in outcome.structured.items() if name != "rows"}
        if form == "json":
            assert json.loads(outcome.text) == outcome.structured
            continue
        assert facts(outcome.text) == rest
        if form == "csv":
            cells = table(outcome.text)
            assert [cell["name"] for cell in cells] == ["car 0", "car 1", "car 2"]
            assert [float(cell["price"]) for cell in cells] == [100.5, 101.5, 102.5]
            assert {cell["note"] for cell in cells} == {""}
        else:
            assert "unknown in every row: note" in outcome.text
            assert outcome.text.splitlines()[0].split() == ["name", "price", "seen"]


async def test_text_of_others_cannot_become_a_formula_or_another_row(cars, yard):
    yard.cars = [car(0, name='=HYPERLINK("x")', note="a,b\nnext"), car(1, note='say "hi"')]
    cells = table((await cars.call("list_cars", {"format": "csv"})).text)
    assert cells[0]["name"] == '\'=HYPERLINK("x")'
    assert cells[0]["note"] == "a,b\nnext"
    assert cells[1]["note"] == 'say "hi"'


async def test_a_table_keeps_hostile_text_on_its_line(cars, yard):
    yard.cars = [car(0, note="one\ntwo"), car(1, note="-"), car(2)]
    lines = (await cars.call("list_cars", {"format": "table"})).text.split("\n\n")[0].splitlines()
    assert len(lines) == 4
    assert lines[1].endswith('"one\\ntwo"')
    assert lines[2].endswith('"-"')
    assert lines[3].endswith(" -")


LOSSLESS = {
    "a number as text": ({"doors": "4"}, {"doors": 4}),
    "a whole float": ({"doors": 4.0}, {"doors": 4}),
    "true as text": ({"electric": " True "}, {"electric": True}),
    "a list with commas": ({"make": "vw, opel,,vw"}, {"make": ["vw", "opel"]}),
    "a list that is JSON text": ({"make": '["vw", "a,b"]'}, {"make": ["vw", "a,b"]}),
    "one value for a list": ({"wheels": 3}, {"wheels": [3]}),
    "numbers in a list": ({"wheels": "3,4"}, {"wheels": [3, 4]}),
    "a choice in another case": ({"colour": "Sea-Green"}, {"colour": "sea_green"}),
    "a number where text is natural": ({"order": 7}, {"order": "7"}),
    "a price with its sign": ({"max_price": "$1.50"}, {"max_price": 1.5}),
    "an alias": ({"brand": "vw", "color": "red"}, {"make": ["vw"], "colour": "red"}),
    "an alias in another style": ({"maker_name": "vw", "MaxPrice": 2}, {"make": ["vw"], "max_price": 2}),
    "null is not given": ({"doors": None}, {"doors": None}),
    "a duration": ({"max_age": "5m"}, {"max_age": 300.0}),
    "defaults": ({}, {"order": "by_name", "limit": 20, "make": None}),
}  # fmt: skip


@pytest.mark.parametrize("case", LOSSLESS)
async def test_a_value_is_taken_as_it_is_meant_when_nothing_is_lost(cars, yard, case):
    arguments, passed = LOSSLESS[case]
    outcome = await cars.call("list_cars", arguments)
    assert not outcome.is_error, outcome.text
    assert {name: yard.seen[-1][name] for name in passed} == passed
    assert {type(yard.seen[-1][name]) for name in passed} == {type(value) for value in passed.values()}


REFUSED = {
    "an unknown argument": ({"colr": "red"}, "colr", ["is no argument of list_cars", "max_age", "mean colo"]),
    "one that works later": ({"owner": "me"}, "owner", ["does not know who owns", "make"]),
    "a wrong choice": ({"colour": "rde"}, "colour", ["rde", "sea_green", "Did you mean red?"]),
    "a wrong choice in a list": ({"sizes": "small,bgi"}, "sizes", ["bgi", "Did you mean big?"]),
    "half a door": ({"doors": 2.5}, "doors", ["2.5", "whole number"]),
    "words for a number": ({"doors": "many"}, "doors", ["many"]),
    "true for a number": ({"doors": True}, "doors", ["whole number"]),
    "a number for true": ({"electric": 1}, "electric", ["true, false"]),
    "too few": ({"doors": 1}, "doors", ["at least 2", "at most 5"]),
    "too many": ({"limit": 501}, "limit", ["at most 500"]),
    "nothing for more than nothing": ({"max_price": 0}, "max_price", ["more than 0"]),
    "an endless number": ({"max_price": "1e999"}, "max_price", ["1e999"]),
    "an enormous number": ({"doors": 10**400}, "doors", ["whole number"]),
    "an empty list": ({"make": []}, "make", ["leave it out"]),
    "empty text": ({"order": " "}, "order", ["empty"]),
    "an object for text": ({"order": {"a": 1}}, "order", ["not text"]),
    "very long text": ({"order": "x" * 5000}, "order", ["at most 1000"]),
    "twice under two names": ({"make": "a", "brand": "b"}, "make", ["twice"]),
    "no duration": ({"max_age": "soon"}, "max_age", ["soon", "5m"]),
    "an endless duration": ({"max_age": "9" * 400}, "max_age", ["too long"]),
    "an unknown field": ({"fields": "prize"}, "fields", ["prize", "Did you mean price?"]),
    "a field of another kind of row": ({"fields": "group"}, "fields", ["group"]),
    "text that is no cursor": ({"cursor": "abc"}, "cursor", ["not a cursor"]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_meant_is_refused_by_name_with_what_is_accepted(cars, case):
    arguments, name, said = REFUSED[case]
    outcome = await cars.call("list_cars", arguments)
    assert outcome.is_error
    assert outcome.exit_code == 2
    assert f"{name}: " in outcome.text
    assert outcome.structured["error"]["argument"] == name
    assert all(part in outcome.text for part in said), outcome.text
    assert len(outcome.text) < 1_500


async def test_all_refused_arguments_are_named_at_once(cars, yard):
    outcome = await cars.call("list_cars", {"doors": 9, "colour": "pink", "boat": 1})
    assert [name in outcome.text for name in ("doors: ", "colour: ", "boat: ")] == [True] * 3
    assert yard.seen == []


async def test_of_a_flood_of_refused_arguments_the_first_are_named(cars, yard):
    outcome = await cars.call("list_cars", {f"flood {number}": 1 for number in range(20_000)})
    lines = outcome.text.splitlines()
    assert (len(lines), lines[0][:18]) == (20, "list_cars: flood 0")
    assert yard.seen == []


async def test_control_characters_of_an_argument_do_not_come_back(cars):
    outcome = await cars.call("list_cars", {"colour": "\x1b[31mred\n\ud800"})
    assert "\x1b" not in outcome.text
    outcome.text.encode()


async def test_a_required_argument_that_is_missing_is_asked_for(tmp_path, yard):
    text = SPEC.replace("default: by_name", "required: true").replace(
        "arguments: {}", "arguments: {order: a}"
    )
    text = text.replace("colour: red}", "colour: red, order: a}")
    asked = runtime(tmp_path, yard.run, write_specs(tmp_path / "s", list_cars=text))
    outcome = await asked.call("list_cars", {})
    assert "order: is missing." in outcome.text
    assert asked.specs["list_cars"].input_schema["required"] == ["order"]


async def test_text_of_the_wrong_form_is_told_the_form(tmp_path, yard):
    text = SPEC.replace(
        "order: {type: string, default: by_name}", "order: {type: string, pattern: '^[a-z]+$'}"
    )
    asked = runtime(tmp_path, yard.run, write_specs(tmp_path / "s", list_cars=text))
    assert (
        "order: A1 has the wrong form. Accepted: text like ^[a-z]+$."
        in (await asked.call("list_cars", {"order": "A1"})).text
    )
    assert not (await asked.call("list_cars", {"order": "abc"})).is_error


async def test_an_unknown_tool_names_the_tools_there_are(cars):
    with pytest.raises(UsageError, match="Did you mean list_cars"):
        await cars.call("list_car", {})


async def test_fields_keep_the_asked_columns_in_the_asked_order(cars):
    outcome = await cars.call("list_cars", {"fields": "price,name"})
    assert list(outcome.structured["rows"][0]) == ["price", "name"]
    assert outcome.text.startswith("price,name\n100.5,car 0\n")


async def test_rows_of_another_shape_are_checked_by_their_own_schema(tmp_path):
    async def find(ctx):
        return Rows([{"group": "vw", "count": 2}], shape="group")

    outcome = await runtime(tmp_path, answering(find)).call("list_cars", {"fields": "count"})
    assert outcome.structured["rows"] == [{"count": 2}]


WRONG_ROWS = {
    "a field too many": (car(0, owner="x"), "owner"),
    "a field of another type": (car(0, price="1"), "row 1, field price"),
    "a time that is not UTC": (car(0, seen="2026-11-20T11:00:00+01:00"), "field seen"),
    "a null that may not be": (car(0, name=None), "field name"),
}


@pytest.mark.parametrize("case", WRONG_ROWS)
async def test_a_wrong_row_fails_the_call_and_is_named(cars, yard, case):
    row, said = WRONG_ROWS[case]
    yard.cars = [car(5), row]
    outcome = await cars.call("list_cars")
    assert outcome.is_error
    assert outcome.exit_code == 1
    assert said in outcome.text
    assert "row 1" in outcome.text


async def test_a_missing_field_fails_the_call(cars, yard):
    yard.cars = [{"name": "x"}]
    assert "price" in (await cars.call("list_cars")).text


async def test_pages_joined_are_the_whole_list(cars, yard):
    yard.cars = [car(n) for n in range(47)]
    names, cursor = [], None
    while True:
        outcome = await cars.call("list_cars", {"limit": 10, "cursor": cursor})
        names += [row["name"] for row in outcome.structured["rows"]]
        cursor = outcome.structured["next_cursor"]
        if cursor is None:
            break
    assert names == [f"car {n}" for n in range(47)]
    assert not outcome.structured["truncated"]


async def test_pages_work_when_nobody_knows_the_total(cars, yard):
    yard.cars, yard.knows_total = [car(n) for n in range(7)], False
    first = await cars.call("list_cars", {"limit": 5})
    assert first.structured["total"] is None
    second = await cars.call("list_cars", {"limit": 5, "cursor": first.structured["next_cursor"]})
    assert [row["name"] for row in second.structured["rows"]] == ["car 5", "car 6"]
    assert second.structured["next_cursor"] is None


@pytest.mark.parametrize("form", ["csv", "json", "table"])
async def test_a_long_result_is_cut_at_whole_rows_and_the_rest_is_one_cursor_away(cars, yard, form):
    yard.cars = [car(n, note="é" * (n % 700)) for n in range(200)]
    names, cursor, calls = [], None, 0
    while True:
        outcome = await cars.call("list_cars", {"limit": 500, "format": form, "cursor": cursor})
        assert max(len(outcome.text), len(outcome.structured_json)) <= CHANNEL
        names += [row["name"] for row in outcome.structured["rows"]]
        cursor, calls = outcome.structured["next_cursor"], calls + 1
        assert outcome.structured["truncated"] == (cursor is not None)
        if cursor is None:
            break
    assert names == [f"car {n}" for n in range(200)]
    assert calls <= 6
    assert len(yard.seen) == 1, "what was found and did not fit is not looked up again"


async def test_a_row_longer_than_a_result_says_how_to_get_it(cars, yard):
    yard.cars = [car(0, note="x" * 30_000)]
    outcome = await cars.call("list_cars")
    assert outcome.is_error
    assert "fields" in outcome.text
    assert (await cars.call("list_cars", {"fields": "name"})).structured["rows"] == [{"name": "car 0"}]


async def test_very_many_notices_do_not_push_the_rows_out(tmp_path):
    async def find(ctx):
        return Rows([car(0)], notices=[f"notice {n} " + "x" * 100 for n in range(500)])

    outcome = await runtime(tmp_path, answering(find)).call("list_cars")
    assert outcome.structured["rows"] == [car(0)]
    assert "more entries of notices" in outcome.structured["notices"][-1]


async def test_a_cursor_of_another_question_is_refused(cars, yard):
    yard.cars = [car(n) for n in range(9)]
    cursor = (await cars.call("list_cars", {"limit": 3})).structured["next_cursor"]
    outcome = await cars.call("list_cars", {"limit": 3, "colour": "red", "cursor": cursor})
    assert outcome.is_error
    assert "cursor: belongs to another question" in outcome.text


async def test_a_cursor_may_change_the_looks_of_a_page(cars, yard):
    yard.cars = [car(n) for n in range(9)]
    cursor = (await cars.call("list_cars", {"limit": 3})).structured["next_cursor"]
    outcome = await cars.call("list_cars", {"limit": 2, "format": "json", "fields": "name", "cursor": cursor})
    assert outcome.structured["rows"] == [{"name": "car 3"}, {"name": "car 4"}]


async def test_a_page_of_data_that_were_read_anew_is_refused(cars, yard):
    yard.cars = [car(n) for n in range(9)]
    cursor = (await cars.call("list_cars", {"limit": 3})).structured["next_cursor"]
    yard.read_at = NOON
    outcome = await cars.call("list_cars", {"limit": 3, "cursor": cursor})
    assert outcome.is_error
    assert "the data changed since the first page" in outcome.text


async def test_a_later_page_does_not_ask_the_clouds_again(cars, yard):
    yard.cars = [car(n) for n in range(9)]
    cursor = (await cars.call("list_cars", {"limit": 3, "max_age": "1s"})).structured["next_cursor"]
    await cars.call("list_cars", {"limit": 3, "cursor": cursor})
    assert [seen["max_age"] for seen in yard.seen] == [1.0, 7 * 86_400.0]


async def test_an_answer_is_given_again_until_it_expires(cars, yard):
    first = await cars.call("list_cars", {"colour": "red"})
    assert await cars.call("list_cars", {"colour": "red"}) is first
    cars.house.clock.at += timedelta(minutes=5)
    await cars.call("list_cars", {"colour": "red"})
    assert len(yard.seen) == 2


async def test_an_answer_is_not_given_again_when_anything_was_written(cars, yard):
    from cloudtop.models import Scope

    await cars.call("list_cars")
    scope = Scope("yard", "default", kind="cars")
    cars.house.store.replace_rows(scope, [{"uid": "a"}], fetched_at=NOON, complete=True)
    await cars.call("list_cars")
    assert len(yard.seen) == 2


async def test_only_so_many_answers_are_kept(cars, yard):
    for limit in range(1, KEPT + 2):
        await cars.call("list_cars", {"limit": limit})
    await cars.call("list_cars", {"limit": KEPT + 1})
    assert len(yard.seen) == KEPT + 1
    await cars.call("list_cars", {"limit": 1})
    assert len(yard.seen) == KEPT + 2


@pytest.mark.parametrize("change", [{"lasts": None}, {"source": "live"}])
async def test_an_answer_that_may_differ_is_never_given_again(cars, yard, change):
    for name, value in change.items():
        setattr(yard, name, value)
    await cars.call("list_cars")
    await cars.call("list_cars")
    assert len(yard.seen) == 2


async def test_another_question_clock_is_another_question(cars, yard):
    await cars.call("list_cars", now=NOON)
    await cars.call("list_cars", now=NOON - timedelta(days=1))
    assert [seen["now"] for seen in yard.seen] == [NOON, NOON - timedelta(days=1)]


FAILURES = {
    "a value only the handler can judge": (
        ArgumentError("make", "'vv' is no maker.", "vw, opel", "vw"), 2,
        "list_cars: make: 'vv' is no maker. Accepted: vw, opel. Did you mean vw?",
    ),
    "a store in trouble": (
        StoreError("The store is locked.", "Close the other cloudtop."), 1,
        "list_cars: The store is locked. Close the other cloudtop.",
    ),
    "a cloud in trouble": (
        NotFound("No such yard.", "Look at the map."), 1, "list_cars: No such yard. Look at the map.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
async def test_a_failure_is_a_text_that_says_all_there_is_to_say(tmp_path, case):
    error, code, said = FAILURES[case]

    async def find(ctx):
        raise error

    outcome = await runtime(tmp_path, answering(find)).call("list_cars", {})
    assert (outcome.is_error, outcome.exit_code, outcome.text) == (True, code, said)


@pytest.mark.parametrize(("level", "traced"), [("WARNING", False), ("DEBUG", True)])
async def test_a_defect_is_told_without_its_details_and_logged_with_them(tmp_path, caplog, level, traced):
    async def find(ctx):
        raise RuntimeError("inner detail 4711")

    caplog.set_level(level, logger="cloudtop")
    outcome = await runtime(tmp_path, answering(find)).call("list_cars", {})
    assert outcome.is_error
    assert "failed inside cloudtop" in outcome.text
    assert "4711" not in outcome.text + outcome.structured_json
    assert "Traceback" not in outcome.text
    assert "inner detail 4711" in caplog.text
    assert ("Traceback" in caplog.text) is traced


async def test_one_trouble_of_two_questions_to_a_cloud_is_told_once(tmp_path):
    def trouble(message, **more):
        return Trouble(
            **{"provider": "yard", "code": "unreachable", "kind": "cars", **more},
            message=message,
            next_step="",
        )

    async def find(ctx):
        said = [trouble("by day"), trouble("by night"), trouble("elsewhere", region="x")]
        files = [trouble("a.csv", provider="pricelist"), trouble("b.csv", provider="pricelist")]
        return Rows([], missing=said + files)

    outcome = await runtime(tmp_path, answering(find)).call("list_cars", {})
    assert [one["message"] for one in outcome.structured["missing"]] == [
        "by day",
        "elsewhere",
        "a.csv",
        "b.csv",
    ]


async def test_the_clock_that_the_house_fixes_holds_for_every_call(cars, yard):
    cars.house.now = NOON - timedelta(days=9)
    await cars.call("list_cars", {})
    assert yard.seen[-1]["now"] == NOON - timedelta(days=9)


async def test_progress_and_deadline_reach_the_handler(tmp_path):
    heard = []

    async def find(ctx):
        await ctx.progress(1, 2, f"within {ctx.deadline_s} s")
        return Rows([])

    async def hear(done, total, message):
        heard.append((done, total, message))

    outcome = await runtime(tmp_path, answering(find)).call("list_cars", deadline_s=3, progress=hear)
    assert heard == [(1, 2, "within 3 s")]
    assert outcome.structured["as_of"] == "2026-11-20T12:00:00Z"


async def lacking(ctx, *, make):
    return Rows([])


async def inventing(
    ctx, *, make, colour, doors, max_price, electric, wheels, sizes, order, max_age, limit, boats
):
    return Rows([])


@pytest.mark.parametrize(
    ("handler", "said"), [(lacking, "does not take colour"), (inventing, "takes what the spec lacks: boats")]
)
async def test_a_handler_that_does_not_match_its_spec_stops_the_start(tmp_path, handler, said):
    with pytest.raises(SpecError, match=said):
        runtime(tmp_path, handler).check()


def test_a_tool_without_a_handler_stops_the_start(tmp_path):
    with pytest.raises(SpecError, match="list_cars has no handler"):
        Runtime(load(write_specs(tmp_path)), {}, house(tmp_path)).check()


def test_every_shipped_tool_matches_its_handler(tmp_path):
    Runtime(load(), {}, house(tmp_path)).check()


SHIPPED = load()


def value_of(schema):
    """Any value that the advertised schema of one parameter allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(value_of(schema["items"]), min_size=1, max_size=4, unique=True)
    if schema["type"] == "boolean":
        return st.booleans()
    if schema["type"] == "string":
        return st.text(string.ascii_letters + string.digits + " .-", min_size=1, max_size=30).filter(
            str.strip
        )
    low = schema.get("minimum", 0.001 if "exclusiveMinimum" in schema else 0)
    if schema["type"] == "integer":
        return st.integers(int(max(low, 1)), int(schema.get("maximum", 10_000)))
    return st.floats(max(low, 0.001), schema.get("maximum", 1e6))


def plain(schema):
    return {
        key: value for key, value in schema.items() if key not in ("kind", "aliases", "elicit", "required")
    }


@st.composite
def tool_and_arguments(draw):
    spec = SHIPPED[draw(st.sampled_from(sorted(SHIPPED)))]
    free = [name for name, one in spec.parameters.items() if one.get("kind") not in ("duration", "fields")]
    needed = {name for name in free if spec.parameters[name].get("required")}
    names = {*draw(st.lists(st.sampled_from(free), unique=True, max_size=6)), *needed}
    return spec, {name: draw(value_of(spec.parameters[name])) for name in names}


@settings(max_examples=100, deadline=None)
@given(tool_and_arguments())
def test_whatever_the_advertised_schema_allows_is_accepted_unchanged(case):
    spec, arguments = case
    values = prepared(spec, arguments)
    for name, value in arguments.items():
        meant = (
            [one.strip() for one in value] if isinstance(value, list) and isinstance(value[0], str) else value
        )
        meant = value.strip() if isinstance(value, str) else meant
        assert values[name] == (list(dict.fromkeys(meant)) if isinstance(meant, list) else meant)
    jsonschema_rs.validate(spec.input_schema, arguments)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_other_value_is_refused_by_its_name_or_turned_into_one_that_is_allowed(data):
    spec = SHIPPED[data.draw(st.sampled_from(sorted(SHIPPED)))]
    name = data.draw(st.sampled_from(sorted(spec.parameters)))
    value = data.draw(json_values)
    schema = spec.parameters[name]
    others = {one: "text" for one, said in spec.parameters.items() if said.get("required")}
    try:
        made = prepared(spec, {**others, name: value})[name]
    except ArgumentError as refused:
        error = refused
    else:
        if value is not None and schema.get("kind") != "duration":
            jsonschema_rs.validate(plain(schema), made)
        return
    assert error.argument == name
    assert str(error).startswith(f"{name}: ")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.dictionaries(st.text(max_size=20), json_values, max_size=4))
async def test_no_arguments_whatever_make_a_call_fail_in_any_other_way(cars, arguments):
    outcome = await cars.call("list_cars", arguments)
    assert outcome.exit_code in (0, 2), outcome.text
    outcome.text.encode()
