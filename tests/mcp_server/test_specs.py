"""Specs: what is accepted, what is refused and where, and what is kept for the next process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from mcp import Client

from cloudtop import compiled
from cloudtop.errors import SpecError, UsageError
from mcp_server.runtime import Runtime
from mcp_server.server import build_server
from mcp_server.spec_form import NARROWED_FORM, SCHEMA
from mcp_server.specs import FOLDER, load, narrowed, spec_files
from tests.mcp_server.yard import SPEC, house, write_specs


def swapped(old: str, new: str) -> str:
    assert SPEC.count(old) == 1
    return SPEC.replace(old, new)


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_a_spec_becomes_a_tool_with_schemas_for_both_ends(tmp_path):
    spec = load(write_specs(tmp_path))["list_cars"]
    assert list(spec.parameters)[-4:] == ["max_age", "limit", "cursor", "format"]
    assert spec.input_schema["additionalProperties"] is False
    assert spec.input_schema["properties"]["doors"] == {"type": "integer", "minimum": 2, "maximum": 5}
    assert spec.row_schemas["car"]["required"] == ["name", "price", "seen", "note"]
    assert spec.row_schemas["car"]["properties"]["price"] == {"type": ["number", "null"]}
    assert spec.usual_shape == "car"
    assert spec.fields() == ["name", "price", "seen", "note", "group", "count"]


def test_models_do_not_see_our_own_keys_nor_bounds_nobody_would_cross(tmp_path):
    spec = load(write_specs(tmp_path))["list_cars"]
    assert spec.input_schema["properties"]["max_price"] == {"type": "number"}
    assert spec.input_schema["properties"]["make"] == {
        "type": "array",
        "items": {"type": "string"},
        "description": "who built it",
    }
    assert spec.input_schema["properties"]["limit"] == {"type": "integer", "maximum": 500, "default": 20}


BROKEN = {
    "an unknown key": ("title: List cars", "titel: List cars", "titel", "Did you mean title?"),
    "an unknown key of a parameter": ("minimum: 2,", "minimun: 2,", "doors", "Did you mean minimum?"),
    "an unknown kind": ("kind: money", "kind: mony", "kind: mony", "Did you mean money?"),
    "a key given twice": ("title: List cars", "title: List cars\ntitle: Cars", "title: Cars", "twice"),
    "a missing annotation": (", openWorld: false", "", "annotations", "openWorld"),
    "a name that is not the file's": ("name: list_cars", "name: list_boats", "name: list_boats", "file"),
    "a default beside required": (
        "default: by_name",
        "default: by_name, required: true",
        "order:",
        "required",
    ),
    "a default its own parameter refuses": ("default: by_name", "default: 7", "order:", "refused"),
    "a choice of another type": ("[red, sea_green, blue]", "[red, 7]", "colour: {", "no string"),
    "an example with an unknown argument": ("colour: red}", "colr: red}", "Red cars", "colr"),
    "an example with a wrong value": ("colour: red}", "colour: pink}", "Red cars", "pink"),
    "a list without items": (", items: {type: integer, minimum: 1}}", "}", "wheels", "items"),
    "items of something that is no list": (
        "electric: {type: boolean}",
        "electric: {type: boolean, items: {type: string}}",
        "electric",
        "only a list",
    ),
    "an alias of two things": ("aliases: [color]", "aliases: [brand]", "colour", "already means make"),
    "a common parameter nobody defines": ("common: [max_age,", "common: [max_ago,", "common", "max_age"),
    "a common parameter that is its own": ("common: [max_age,", "common: [make,", "common", "of its own"),
    "a later argument that works": ("  owner: The", "  doors: The", "doors: The", "works already"),
    "a description of one line": ("\n  Use for questions about cars. Not for boats.", "", "descr", "second"),
    "a description that is too long": ("Not for boats.", "Not for boats. " * 30, "descr", "400"),
    "an unknown section": ("nl:\n", "nothing: 1\nnl:\n", "nothing", "no key"),
    "a parameter of no known type": ("electric: {type: boolean}", "electric: {type: bool}", "elec", "bool"),
    "text that is not YAML": ("title: List cars", "title: [List cars", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_is_refused_with_file_line_and_what_to_do(tmp_path, mistake):
    old, new, at, said = BROKEN[mistake]
    text = swapped(old, new)
    with pytest.raises(SpecError) as caught:
        load(write_specs(tmp_path, list_cars=text))
    assert caught.value.file.endswith("list_cars.yaml")
    assert said in str(caught.value)
    assert caught.value.line is not None
    if at:
        assert caught.value.line == line_of(text, at)
    assert f"list_cars.yaml:{caught.value.line}: " in str(caught.value)
    assert caught.value.next_step


def test_two_files_cannot_claim_one_tool(tmp_path):
    mine = write_specs(tmp_path / "mine")
    with pytest.raises(SpecError, match="is also in"):
        load(write_specs(tmp_path / "ours"), mine)


def test_a_second_folder_adds_tools_and_may_use_the_common_parameters_of_the_first(tmp_path):
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "list_boats.yaml").write_text(SPEC.replace("list_cars", "list_boats"), encoding="utf-8")
    assert list(load(write_specs(tmp_path / "ours"), extra)) == ["list_boats", "list_cars"]


def test_kept_specs_are_the_same_and_a_changed_file_is_read_again(tmp_path):
    folder, cache = write_specs(tmp_path / "specs"), tmp_path / "cache"
    first = load(folder, cache_dir=cache)
    assert load(folder, cache_dir=cache) == first
    (folder / "list_cars.yaml").write_text(SPEC.replace("List cars", "List all cars"), encoding="utf-8")
    assert load(folder, cache_dir=cache)["list_cars"].title == "List all cars"


def test_a_damaged_or_unwritable_cache_only_costs_time(tmp_path):
    folder, cache = write_specs(tmp_path / "specs"), tmp_path / "cache"
    load(folder, cache_dir=cache)
    (cache / "tool-specs.marshal").write_bytes(b"\x00broken")
    assert "list_cars" in load(folder, cache_dir=cache)
    file = tmp_path / "a file"
    file.write_text("", encoding="utf-8")
    assert "list_cars" in load(folder, cache_dir=file)


def test_toolsets_choose_tools(tmp_path):
    specs = load(FOLDER)
    assert list(narrowed(specs, ["prices"])) == ["compare_gpu_prices", "gpu_price_history"]
    assert narrowed(specs, ["default"]) == specs
    assert narrowed(specs, []) == narrowed(specs, ["default"])
    assert narrowed(specs, ["all"]) == specs
    assert list(narrowed(specs, [" prices ", "list_providers", ""])) == [
        "compare_gpu_prices",
        "gpu_price_history",
        "list_providers",
    ]


def test_narrowing_what_was_narrowed_never_adds_a_tool():
    few = narrowed(load(FOLDER), ["prices"])
    assert narrowed(few, ["all"]) == few
    assert narrowed(few, ["default"]) == few
    for gone in ("health", "list_providers"):
        with pytest.raises(UsageError, match="there is no toolset"):
            narrowed(few, [gone])


def test_an_unknown_toolset_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"Did you mean prices\?") as caught:
        narrowed(load(FOLDER), ["default", "prcies"])
    assert "all, ask, default, health, metrics, prices, providers, resources" in str(caught.value)


def test_a_warm_load_imports_neither_yaml_nor_pydantic(tmp_path):
    load(FOLDER, cache_dir=tmp_path)
    code = (
        "import sys, pathlib; from mcp_server.specs import load;"
        f"load(cache_dir=pathlib.Path({str(tmp_path)!r}));"
        "print([name for name in ('yaml', 'pydantic', 'mcp', 'jsonschema_rs') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_shipped_tool_fits_into_what_a_session_may_cost():
    specs = load()
    sizes = {
        name: len(
            json.dumps([spec.description, spec.input_schema, spec.output_schema], separators=(",", ":"))
        )
        for name, spec in specs.items()
    }
    assert max(sizes.values()) <= 3_500, sizes
    assert all(len(spec.description) <= 400 for spec in specs.values())
    assert all(
        spec.annotations["readOnly"] and not spec.annotations["destructive"] for spec in specs.values()
    )


SIZES = {"default": 20_000, "all": 32_000}
"""Bytes of tools/list that every session pays for, by toolset."""


@pytest.mark.parametrize("toolset", SIZES)
async def test_a_list_of_tools_fits_into_what_a_session_may_cost(tmp_path, toolset):
    tools = Runtime(narrowed(load(), [toolset]), {}, house(tmp_path))
    async with Client(build_server(tools, {})) as client:
        listed = await client.list_tools()
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True).encode()) <= SIZES[toolset]


def test_the_schema_of_specs_takes_every_shipped_file_and_its_own_example():
    jsonschema_rs.meta.validate(SCHEMA)
    check = jsonschema_rs.validator_for(SCHEMA)
    for path in spec_files(FOLDER):
        if path.stem != "common":
            check.validate(compiled.parse(path))
    for example in NARROWED_FORM["examples"]:
        check.validate(example)
        assert not check.is_valid({**example, "annotations": {}})
    common = {**SCHEMA["$defs"]["common"], "$schema": SCHEMA["$schema"]}
    jsonschema_rs.validator_for(common).validate(compiled.parse(FOLDER / "common.yaml"))


def test_every_key_of_the_schema_says_what_it_means():
    def unsaid(part, at):
        for name, body in part.get("properties", {}).items():
            if "description" not in body:
                yield f"{at}.{name}"
            yield from unsaid(body, f"{at}.{name}")

    assert [one for name, form in SCHEMA["$defs"].items() for one in unsaid(form, name)] == []


INTERFACE = {
    "list_providers": "fields limit cursor format",
    "compare_gpu_prices": """gpu exclude_gpu vendor architecture form memory min_memory min_total_memory count
        min_count nodes interconnect instance_type spot available tier providers exclude_providers region
        exclude_region min_price max_price hours disk_gb egress_gb fractional exclude_suspect rank_by group_by
        limit_per_group sort time fields max_age limit cursor format""",
    "check_health": """providers scope check name resource_type region status tag fields max_age limit cursor
        format""",
    "list_services": "providers fields limit cursor format",
    "list_resources": """providers resource_type time exclude_resource_type region status status_not
        name_contains search tag tag_not missing_tag account instance_type gpu spot engine runtime encrypted
        ip namespace min_vcpu min_ram min_memory min_size_gb max_price created_since created_before older_than
        as_of group_by sort fields id name max_age limit cursor format""",
    "get_resource": "id name ip fields max_age limit cursor format",
    "get_metrics": """id name name_contains providers resource_type region account status tag gpu metric time
        granularity agg op value unit group_by sort list_metrics max_age limit cursor format""",
}


@pytest.mark.parametrize("tool", INTERFACE)
def test_a_shipped_tool_takes_exactly_what_is_promised(tool):
    assert set(load()[tool].parameters) == set(INTERFACE[tool].split())


def test_every_yaml_file_reads_without_the_c_library_too() -> None:
    root = Path(__file__).parents[2]
    for folder in ("tool_specs", "connectors", "cloudtop/data", "agent/planner", "tests/questions"):
        for path in (root / folder).glob("*.yaml"):
            yaml.load(path.read_text("utf-8"), yaml.SafeLoader)
