"""What the protocol offers about one's own clouds besides tools: addresses, prompts and completion."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import mcp.types as types
import pytest
from mcp import Client, MCPError

from mcp_server.server import ToolServer, build_server
from tests.mcp_server import company
from tests.mcp_server.company import Cloud, denied
from tests.mcp_server.market import House

ERAS = ["auto", "legacy"]
WEB = "aws:prod:us-east-1:instance:i-0001"
WORDS = {"names": ["web-1", "web-2", "db-main"], "tags": {"env": ["prod", "dev"], "team": ["core"]}}
SLASHED = "/subscriptions/s/resourceGroups/g/virtualMachines/vm"


@pytest.fixture
def clouds() -> dict[str, Cloud]:
    return company.company()


@pytest.fixture
async def house(tmp_path: Path, clouds: dict[str, Cloud]) -> AsyncIterator[House]:
    made = company.house(tmp_path, clouds)
    yield made
    await made.close()


@pytest.fixture
def server(house: House) -> ToolServer:
    return build_server(house.runtime, {"lexicon": lambda: WORDS, "providers": house.fleet.providers})


@pytest.mark.parametrize("era", ERAS)
async def test_a_resource_has_an_address_that_tells_what_the_tool_tells(server: ToolServer, era: str) -> None:
    async with Client(server, mode=era) as client:
        offered = {one.uri_template for one in (await client.list_resource_templates()).resource_templates}
        (content,) = (await client.read_resource(f"cloudtop://resources/{WEB}")).contents
        answer = await client.call_tool("get_resource", {"id": WEB})
    assert "cloudtop://resources/{uid}" in offered
    read = json.loads(content.text)
    assert [row["uid"] for row in read["rows"]] == [WEB]
    cached = [{**row, "source": "live"} for row in answer.structured_content["rows"]]
    assert read["rows"] == cached


@pytest.mark.parametrize("written", [SLASHED, quote(SLASHED, safe="")])
async def test_an_id_with_slashes_may_stand_in_an_address_as_it_is_and_quoted(
    server: ToolServer, clouds: dict[str, Cloud], written: str
) -> None:
    clouds["aws"].rows["prod", "us-east-1", "instances"].append(company.instance(11, id=SLASHED))
    async with Client(server) as client:
        uri = f"cloudtop://resources/aws:prod:us-east-1:instance:{written}"
        (content,) = (await client.read_resource(uri)).contents
    assert [row["id"] for row in json.loads(content.text)["rows"]] == [SLASHED]


@pytest.mark.parametrize("era", ERAS)
async def test_a_resource_that_is_not_there_is_not_found_and_one_nobody_could_look_for_is_not_denied(
    server: ToolServer, clouds: dict[str, Cloud], era: str
) -> None:
    uri = "cloudtop://resources/aws:prod:us-east-1:instance:i-9999"
    async with Client(server, mode=era) as client:
        with pytest.raises(MCPError, match="not found") as caught:
            await client.read_resource(uri)
        assert caught.value.error.data["uri"] == uri
        clouds["aws"].wrong = denied("us-east-1")
        uri = "cloudtop://resources/aws:prod:us-east-1:volume:vol-9"
        (content,) = (await client.read_resource(uri)).contents
    told = json.loads(content.text)
    assert told["rows"] == []
    assert {one["code"] for one in told["missing"]} == {"forbidden"}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("prompt", "given", "calls"),
    [
        ("idle_audit", {}, 4),
        ("idle_audit", {"providers": "aws", "tag": "env=prod, team=core", "time": "last_30d"}, 4),
        ("incident_check", {"name": "web-1", "providers": "aws"}, 2),
    ],
)
async def test_prompts_about_ones_own_clouds_name_calls_that_the_tools_take(
    server: ToolServer, era: str, prompt: str, given: dict[str, str], calls: int
) -> None:
    async with Client(server, mode=era) as client:
        (message,) = (await client.get_prompt(prompt, given)).messages
        written = message.content.text.replace("call ", "Call ").split("Call ")[1:]
        named = [one.partition(" with ") for one in written]
        assert len(named) == calls
        for tool, _, rest in named:
            wanted, _ = json.JSONDecoder().raw_decode(rest)
            result = await client.call_tool(tool, wanted)
            assert not result.is_error, result.content[0].text
            assert {name: wanted.get(name) for name in ("tag", "providers")} == {
                name: [part.strip() for part in given[name].split(",")] if name in given else None
                for name in ("tag", "providers")
            }


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("tool", "lacks", "given"),
    [("get_resource", "name", "web-2"), ("get_metrics", "metric", "cpu")],
)
@pytest.mark.parametrize("action", ["accept", "decline", None])
async def test_what_a_tool_cannot_do_without_is_asked_for_or_named(
    server: ToolServer, era: str, tool: str, lacks: str, given: str, action: str | None
) -> None:
    async def person(context: object, params: types.ElicitRequestFormParams) -> types.ElicitResult:
        assert list(params.requested_schema["properties"]) == [lacks]
        content = {lacks: given} if action == "accept" else None
        return types.ElicitResult(action=action, content=content)

    async with Client(server, mode=era, elicitation_callback=person if action else None) as client:
        result = await client.call_tool(tool, {})
    if action == "accept":
        assert not result.is_error
        assert result.structured_content["applied"][lacks] == [given]
    else:
        assert result.content[0].text.startswith(f"{tool}: {lacks}: is missing. Accepted: ")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("prompt", "name", "typed", "values"),
    [
        ("idle_audit", "tag", "en", ["env=prod", "env=dev"]),
        ("idle_audit", "tag", "env=prod,te", ["env=prod,team=core"]),
        ("idle_audit", "time", "last_3", ["last_30d"]),
        ("incident_check", "name", "web", ["web-1", "web-2"]),
        ("incident_check", "name", "zz", []),
    ],
)
async def test_tags_and_names_are_completed_from_what_is_known(
    server: ToolServer, era: str, prompt: str, name: str, typed: str, values: list[str]
) -> None:
    ref = types.PromptReference(type="ref/prompt", name=prompt)
    async with Client(server, mode=era) as client:
        found = (await client.complete(ref, {"name": name, "value": typed})).completion
    assert found.values == values
