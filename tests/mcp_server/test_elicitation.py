"""A person is asked for what only they know, in both eras; who cannot be asked gets the answer without."""

from __future__ import annotations

import anyio
import mcp.types as types
import pytest
from mcp import Client, MCPError

from cloudtop.gpus import catalogue
from mcp_server.elicitation import ALL, MOST, unclear
from mcp_server.runtime import Runtime
from mcp_server.server import build_server
from mcp_server.specs import load
from tests.mcp_server.prices_server import served, stocked
from tests.mcp_server.yard import SPEC, Yard, house, runtime, write_specs

ERAS = ["auto", "legacy"]
SPECS = load()
ADA, QUADRO = "NVIDIA RTX 6000 Ada", "NVIDIA Quadro RTX 6000"


@pytest.fixture
async def server(tmp_path):
    made = stocked(tmp_path / "house")
    yield served(made)
    await made.close()


class Person:
    """Answers forms with `content`, or declines; remembers what was asked."""

    def __init__(self, action="accept", **content):
        self.action, self.content, self.asked = action, content, []

    def __repr__(self):
        return f"{self.action} {self.content}"

    async def __call__(self, ctx, params):
        self.asked.append(params)
        content = self.content if self.action == "accept" else None
        return types.ElicitResult(action=self.action, content=content)


async def gpus(client, *names, tool="compare_gpu_prices", **more):
    result = await client.call_tool(tool, {"gpu": list(names), **more})
    assert not result.is_error, result.content[0].text
    return result.structured_content["applied"]["gpu"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("tool", ["compare_gpu_prices", "gpu_price_history"])
async def test_a_name_of_two_cards_is_asked_about(server, era, tool):
    person = Person(gpu_1=ADA)
    async with Client(server, mode=era, elicitation_callback=person) as client:
        assert await gpus(client, "RTX 6000", tool=tool) == ["RTX6000ADA"]
    (form,) = person.asked
    assert "RTX 6000" in form.message
    assert form.requested_schema["properties"]["gpu_1"]["enum"] == [ADA, QUADRO, ALL]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "person", [None, Person("decline"), Person("cancel"), Person(gpu_1=ALL), Person()], ids=str
)
async def test_without_an_answer_all_readings_are_given_with_a_notice(server, era, person):
    async with Client(server, mode=era, elicitation_callback=person) as client:
        result = await client.call_tool("compare_gpu_prices", {"gpu": ["RTX 6000"]})
    assert result.structured_content["applied"]["gpu"] == ["RTX6000ADA", "QUADRORTX6000"]
    assert any("two cards" in notice for notice in result.structured_content["notices"])
    assert "two cards" in result.content[0].text


@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_that_was_not_offered_is_refused_by_name(server, era):
    person = Person(gpu_1="ZX81")
    async with Client(server, mode=era, elicitation_callback=person) as client:
        result = await client.call_tool("compare_gpu_prices", {"gpu": ["RTX 6000"]})
    assert result.is_error
    assert "gpu: 'ZX81' is no GPU" in result.content[0].text


@pytest.mark.parametrize("era", ERAS)
async def test_a_name_the_tool_would_refuse_is_asked_about_too(server, era):
    person = Person(gpu_1=QUADRO)
    async with Client(server, mode=era, elicitation_callback=person) as client:
        assert await gpus(client, "6000") == ["QUADRORTX6000"]
    assert ALL not in person.asked[0].requested_schema["properties"]["gpu_1"]["enum"]


async def test_only_the_unclear_names_of_a_list_are_asked_about_and_the_others_stay(server):
    person = Person(gpu_2=ADA)
    async with Client(server, elicitation_callback=person) as client:
        result = await client.call_tool("compare_gpu_prices", {"gpu_type": "A100,RTX 6000,H100"})
    assert result.structured_content["applied"]["gpu"] == ["A100", "RTX6000ADA", "H100", "H100NVL"]
    assert list(person.asked[0].requested_schema["properties"]) == ["gpu_2"]


CLEAR = [
    {"gpu": ["A100"]},
    {"gpu": ["H100"]},
    {"gpu": ["RTX 6000 Ada"]},
    {"gpu": ["RTX 6000"], "memory": 48},
    {"gpu": ["TPU"]},
    {"gpu": ["Z9"]},
    {"gpu": []},
    {"gpu": 7},
    {"gpu": None},
    {},
]


@pytest.mark.parametrize("arguments", CLEAR, ids=str)
def test_what_is_clear_or_wrong_is_not_asked_about(arguments):
    assert unclear(SPECS["compare_gpu_prices"], arguments) is None


def test_every_choice_means_the_card_it_names():
    spec = SPECS["compare_gpu_prices"]
    names = [*catalogue().ambiguous, *catalogue().vague]
    asked = [found for name in names if (found := unclear(spec, {"gpu": [name]}))]
    assert len(asked) > 10
    for found in asked:
        choices = found.question.fields["gpu_1"]["enum"]
        assert 2 <= len(set(choices) - {ALL}) <= MOST
        for choice in set(choices) - {ALL}:
            (name,) = found.settled({"gpu": found.texts}, {"gpu_1": choice})["gpu"]
            assert catalogue().gpus[name].title == choice


@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_asks_for_the_gpu_it_needs(server, era):
    person = Person(gpu="L40S")
    async with Client(server, mode=era, elicitation_callback=person) as client:
        (message,) = (await client.get_prompt("cheapest_gpu", {"region": "eu"})).messages
    assert '"gpu": ["L40S"], "region": ["eu"]' in message.content.text
    assert person.asked[0].requested_schema["required"] == ["gpu"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("person", [None, Person("decline"), Person(gpu=" ")], ids=str)
async def test_a_prompt_nobody_completes_lets_the_model_ask(server, era, person):
    async with Client(server, mode=era, elicitation_callback=person) as client:
        (message,) = (await client.get_prompt("cheapest_gpu", {})).messages
    assert "First ask me which GPU I mean" in message.content.text
    assert '"gpu"' not in message.content.text


@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_refuses_an_answer_it_cannot_take(server, era):
    async with Client(server, mode=era, elicitation_callback=Person(gpu="Z9")) as client:
        with pytest.raises(MCPError, match="'Z9' is no GPU"):
            await client.get_prompt("cheapest_gpu", {})


REQUIRED = SPEC.replace(
    "order: {type: string, default: by_name}", "order: {type: string, required: true, elicit: true}"
)
REQUIRED = REQUIRED.replace("arguments: {}", "arguments: {order: a}").replace(
    "colour: red}", "colour: red, order: a}"
)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("person", [None, Person(order="by_price"), Person("decline")], ids=str)
async def test_a_needed_argument_is_asked_for_or_named_as_missing(tmp_path, era, person):
    yard = Yard()
    folder = write_specs(tmp_path / "specs", list_cars=REQUIRED)
    async with Client(
        build_server(runtime(tmp_path, yard.run, folder), {}), mode=era, elicitation_callback=person
    ) as client:
        result = await client.call_tool("list_cars", {"colour": "red"})
    if person and person.action == "accept":
        assert [(one["order"], one["colour"]) for one in yard.seen] == [("by_price", "red")]
    else:
        assert result.is_error
        assert "order: is missing." in result.content[0].text


async def test_a_client_that_shows_only_addresses_is_not_sent_a_form(server):
    async with Client(server) as client:
        url_only = {"elicitation": {"url": {}}}
        meta = {"io.modelcontextprotocol/clientCapabilities": url_only}
        result = await client.call_tool("compare_gpu_prices", {"gpu": ["RTX 6000"]}, meta=meta)
    assert not result.is_error


async def test_a_call_that_waits_for_a_person_can_be_cancelled(server):
    asked = anyio.Event()

    async def never(ctx, params):
        asked.set()
        await anyio.sleep_forever()

    async with Client(server, mode="legacy", elicitation_callback=never) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "compare_gpu_prices", {"gpu": ["RTX 6000"]})
            await asked.wait()
            group.cancel_scope.cancel()
        assert (await client.list_tools()).tools


async def test_responses_that_nobody_asked_for_change_nothing(server):
    async with Client(server) as client:
        stray = {"gpu": types.ElicitResult(action="accept", content={"gpu_1": QUADRO})}
        result = await client.call_tool("compare_gpu_prices", {"gpu": ["A100"]}, input_responses=stray)
        assert result.structured_content["applied"]["gpu"] == ["A100"]


def test_a_runtime_is_not_touched_by_asking(tmp_path):
    made = Runtime(SPECS, {}, house(tmp_path))
    arguments = {"gpu": ["RTX 6000"]}
    found = unclear(made.specs["compare_gpu_prices"], arguments)
    assert found.settled(arguments, {"gpu_1": ADA}) == {"gpu": ["RTX6000ADA"]}
    assert arguments == {"gpu": ["RTX 6000"]}
