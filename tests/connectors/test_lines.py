"""A text too long to be held comes line by line through the same door: same promises, nothing kept."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from cloudtop import net
from cloudtop.errors import Forbidden, TooSlow, Unreachable
from tests.connectors.raw_servers import House, Policy, reply, serving, way_out

BIG_LINE = b"x" * 1_000_000 + b"\n"


async def lines(house: House) -> list[str]:
    async with way_out(house) as http:
        return [line async for line in http.lines("/list.csv")]


async def test_lines_come_whole_wherever_the_packets_are_cut() -> None:
    async def in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 13\r\n\r\n")
        for piece in (b"one\ntw", b"\xc3", b"\xb6", b"\nend", b"\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(in_pieces) as server:
        assert await lines(House(server.url)) == ["one", "twö", "end"]


async def test_a_last_line_without_an_end_is_a_line() -> None:
    async with serving(reply(200, "a\nb")) as server:
        assert await lines(House(server.url)) == ["a", "b"]


async def test_a_body_beyond_the_limit_of_answers_is_read_in_full_and_recorded_once() -> None:
    async def long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 40000040\r\n\r\n")
        for _ in range(40):
            writer.write(BIG_LINE)
            await writer.drain()

    async with serving(long) as server:
        house = House(server.url)
        assert len(await lines(house)) == 40
    (record,) = house.audit.records
    assert (record.status, record.bytes, record.error) == (200, 40_000_040, None)


async def test_a_refusal_is_the_usual_error_and_a_failing_start_is_tried_again() -> None:
    async with serving(reply(403, {"message": "not allowed"})) as server:
        with pytest.raises(Forbidden):
            await lines(House(server.url))
    async with serving(reply(503, ""), reply(200, "fine\n")) as server:
        house = House(server.url)
        assert await lines(house) == ["fine"]
    assert [one.error for one in house.audit.records] == ["Unavailable", None]


async def test_a_text_that_breaks_off_is_an_error_and_not_an_end() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 1000\r\n\r\none\ntwo\n")
        await writer.drain()

    async with serving(cut) as server:
        house = House(server.url)
        with pytest.raises(Unreachable):
            await lines(house)
    (record,) = house.audit.records
    assert record.error == "Unreachable"


async def test_the_deadline_holds_while_a_text_drips() -> None:
    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"a\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(dripping) as server:
        house = House(server.url)
        net.deadline.set(house.clock.monotonic() + 0.2)

        async def listen() -> None:
            async with way_out(house) as http, aclosing(http.lines("/list.csv")) as coming:
                async for _ in coming:
                    house.clock.advance(0.05)

        with pytest.raises(TooSlow):
            await listen()
    assert [one.error for one in house.audit.records] == ["TooSlow"]


async def test_who_stops_listening_frees_the_place_in_flight() -> None:
    async with serving(reply(200, "a\n" * 100_000), reply(200, {"fine": True})) as server:
        house = House(server.url, policy=Policy(in_flight=1, requests_per_second=1000, burst=1000))
        async with way_out(house) as http:
            async with aclosing(http.lines("/list.csv")) as coming:
                assert await anext(coming) == "a"
                waiting = asyncio.create_task(http.json("GET", "/x"))
                await asyncio.sleep(0.05)
                assert not waiting.done()
            assert await waiting == {"fine": True}
    assert sorted(str(one.error) for one in house.audit.records) == ["Cancelled", "None"]
