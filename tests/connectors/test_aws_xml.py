"""EC2's XML read with lxml against botocore's own parser: the same records, or botocore's turn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.aws_replay import REGIONS, answers
from connectors import aws_xml

botocore_session = pytest.importorskip("botocore.session")
pytest.importorskip("lxml")

EC2 = botocore_session.Session().get_service_model("ec2")
SPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
INSTANCES = EC2.operation_model("DescribeInstances")
LISTED = (
    "DescribeAddresses",
    "DescribeImages",
    "DescribeInstances",
    "DescribeInstanceStatus",
    "DescribeInstanceTypes",
    "DescribeRegions",
    "DescribeSecurityGroups",
    "DescribeSnapshots",
    "DescribeSpotPriceHistory",
    "DescribeSubnets",
    "DescribeVolumes",
    "DescribeVpcs",
)


def by_botocore(body: bytes, operation: Any = INSTANCES) -> Any:
    """What botocore's parser makes of an answer, and its request id."""
    from botocore.parsers import create_parser

    answer = {"status_code": 200, "headers": {}, "body": body}
    parsed = create_parser("ec2").parse(answer, operation.output_shape)
    return parsed, parsed.pop("ResponseMetadata").get("RequestId")


def answered(inside: str, head: str = f' xmlns="{SPACE}"') -> bytes:
    name = "DescribeInstancesResponse"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{head}>{inside}</{name}>'.encode()


def machine(inside: str) -> bytes:
    items = f"<instancesSet><item><instanceId>i-1</instanceId>{inside}</item></instancesSet>"
    return answered(f"<requestId>r-1</requestId><reservationSet><item>{items}</item></reservationSet>")


SAME = {
    "nothing": answered(""),
    "an empty list": answered("<requestId>r</requestId><reservationSet/>"),
    "a list that is missing": answered("<requestId>r</requestId>"),
    "a request id without text": answered("<requestId/><reservationSet/>"),
    "a token": answered("<reservationSet/><nextToken>abc==</nextToken>"),
    "a token before its list": answered("<nextToken>t</nextToken><reservationSet><item/></reservationSet>"),
    "no namespace": answered("<requestId>r</requestId><reservationSet><item/></reservationSet>", ""),
    "another namespace": answered("<reservationSet><item/></reservationSet>", ' xmlns="urn:other"'),
    "attributes": answered('<reservationSet a="1"><item b="2"/></reservationSet>', f' v="3" xmlns="{SPACE}"'),
    "CDATA": machine("<keyName><![CDATA[a & <b>]]></keyName>"),
    "entities": machine("<keyName>a &amp; &lt;b&gt; &#228;&#x20AC; &quot;</keyName>"),
    "letters of all kinds": machine("<keyName>ключ 鍵 🔑 \u2028</keyName>"),
    "a comment within a text": machine("<keyName>a<!-- not this -->b</keyName>"),
    "an instruction": machine("<?what ever?><keyName>a</keyName>"),
    "unknown elements": machine("<notYetKnown><a><b>1</b></a></notYetKnown><keyName>k</keyName>"),
    "the same unknown element twice": machine("<new>1</new><new>2</new>"),
    "blanks": machine("\n  <keyName>  k\n </keyName>\n  <ebsOptimized>true</ebsOptimized>\n"),
    "empty elements": machine("<keyName/><reason></reason><tagSet/><placement/>"),
    "numbers and switches": machine(
        "<amiLaunchIndex>-3</amiLaunchIndex><ebsOptimized>TRUE</ebsOptimized><enaSupport>true</enaSupport>"
    ),
    "times": machine(
        "<launchTime>2026-03-04T05:06:07.089Z</launchTime>"
        "<usageOperationUpdateTime>2026-03-04T05:06:07Z</usageOperationUpdateTime>"
    ),
    "times in other forms": machine(
        "<launchTime>1767225600</launchTime>"
        "<usageOperationUpdateTime>Sun, 04 Jan 2026 05:06:07 GMT</usageOperationUpdateTime>"
    ),
    "a time with an offset": machine("<launchTime>2026-03-04T05:06:07+02:00</launchTime>"),
    "an element within a text": machine("<keyName>a<b>c</b>d</keyName>"),
    "a list's name deep inside": machine(
        "<networkInterfaceSet><item><reservationSet><item/></reservationSet></item></networkInterfaceSet>"
    ),
    "declared as something that it is not": machine("<keyName>ä</keyName>").replace(b"UTF-8", b"ISO-8859-1"),
}
PREFIXED = answered("").replace(b"<Describe", b"<e:Describe").replace(b"</D", b"</e:D")
OTHERS_TURN = {
    "an error": b"<Response><Errors><Error><Code>X</Code></Error></Errors></Response>",
    "another operation's answer": answered("").replace(b"DescribeInstances", b"DescribeVolumes"),
    "an element twice": machine("<keyName>a</keyName><keyName>b</keyName>"),
    "a list twice": answered("<reservationSet><item/></reservationSet><reservationSet/>"),
    "parts of another namespace": answered('<o:reservationSet xmlns:o="urn:o"><o:item/></o:reservationSet>'),
    "a prefix everywhere": PREFIXED.replace(b"xmlns=", b"xmlns:e="),
    "a document type": b"<!DOCTYPE DescribeInstancesResponse>" + answered("").partition(b"\n")[2],
    "an entity of its own": answered("<requestId>&mine;</requestId>"),
    "not all of it": machine("<keyName>a</keyName>")[:-30],
    "not XML": b"soon",
    "nothing at all": b"",
    "a word where a number is": machine("<amiLaunchIndex>one</amiLaunchIndex>"),
    "a time that is none": machine("<launchTime>soon</launchTime>"),
}


@pytest.mark.parametrize("chunk", [3, 64, 65_536])
@pytest.mark.parametrize("what", SAME)
def test_odd_answers_are_read_as_botocore_reads_them(
    what: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_xml, "CHUNK", chunk)
    monkeypatch.setattr(aws_xml, "HEAD", 140)
    found = aws_xml.records(SAME[what], INSTANCES)
    assert found is not None
    assert (found[0], found[1] or None) == by_botocore(SAME[what])


@pytest.mark.parametrize("what", OTHERS_TURN)
def test_what_is_not_as_expected_is_left_to_botocore(what: str) -> None:
    with pytest.raises((aws_xml._Unexpected, ValueError)):
        aws_xml.records(OTHERS_TURN[what], INSTANCES)


def test_a_long_page_is_read_piece_by_piece_into_the_same_records() -> None:
    body = answers(1200)[REGIONS[0], "DescribeInstances", ""]
    assert len(body) > 10 * aws_xml.CHUNK
    found = aws_xml.records(body, INSTANCES)
    assert found == by_botocore(body)
    assert found is not None
    (first, *_), (*_, last) = found[0]["Reservations"], found[0]["Reservations"]
    assert first["Instances"][0]["InstanceId"] == "i-00000000000000000"
    assert last["Instances"][0]["InstanceId"] == "i-0000000000000012b"
    assert first["Instances"][0]["LaunchTime"] == datetime(2026, 1, 1, 8, 0, 12, tzinfo=UTC)


def elements(shape: Any, depth: int = 0) -> st.SearchStrategy[str]:
    """What may stand within an element of this shape, as EC2 might write it."""
    kind = shape.type_name
    if kind == "structure":
        # Only what is chosen is made: a record of EC2's is a tree of hundreds of shapes.
        chosen = st.lists(st.sampled_from(list(shape.members)), unique=True, max_size=8 if depth < 3 else 3)
        return chosen.flatmap(
            lambda names: st.tuples(*(part(name, shape.members[name], depth) for name in names)).map("".join)
        )
    if kind == "list":
        item = elements(shape.member, depth + 1).map(lambda inside: f"<item>{inside}</item>")
        return st.lists(item, max_size=3).map("".join)
    return TEXTS[kind]


def part(name: str, shape: Any, depth: int) -> st.SearchStrategy[str]:
    tag = shape.serialization.get("name", name)
    if depth > 6:
        return st.just(f"<{tag}/>")
    return elements(shape, depth + 1).map(lambda inside: f"<{tag}>{inside}</{tag}>")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=12).map(escape)
NUMBERS = st.integers(-(10**9), 10**12).map(str)
TEXTS = {
    "string": WORDS,
    "boolean": st.sampled_from(["true", "false", "", "True"]),
    "integer": NUMBERS,
    "long": NUMBERS,
    "float": st.floats(allow_nan=False).map(repr),
    "double": st.floats(allow_nan=False).map(repr),
    "timestamp": st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)).map(
        lambda moment: moment.isoformat(timespec="milliseconds") + "Z"
    ),
}


@given(data=st.data(), operation=st.sampled_from(LISTED), chunk=st.integers(1, 400))
def test_whatever_ec2_may_write_is_read_as_botocore_reads_it(
    data: st.DataObject, operation: str, chunk: int
) -> None:
    model = EC2.operation_model(operation)
    inside = data.draw(elements(model.output_shape))
    body = f'<{operation}Response xmlns="{SPACE}">{inside}</{operation}Response>'.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_xml, "CHUNK", chunk)
        patch.setattr(aws_xml, "HEAD", 140)
        assert aws_xml.records(body, model) == by_botocore(body, model)


@pytest.fixture
def no_lxml(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "lxml", None)
    aws_xml._etree.cache_clear()
    yield
    aws_xml._etree.cache_clear()


def event(body: bytes, status: int = 200) -> tuple[dict[str, Any], dict[str, Any]]:
    """What botocore hands over before it parses, afterwards."""
    answer, finished = {"status_code": status, "body": body, "headers": {}}, {}
    aws_xml._before_parse(INSTANCES, answer, finished)
    return answer, finished


def test_botocore_is_left_a_document_with_the_request_id_alone() -> None:
    answer, finished = event(machine("<keyName>k</keyName>"))
    assert by_botocore(answer["body"]) == ({}, "r-1")
    assert finished["Reservations"][0]["Instances"] == [{"InstanceId": "i-1", "KeyName": "k"}]


def test_errors_and_what_cannot_be_read_stay_as_they_are() -> None:
    for body, status in ((machine(""), 503), (OTHERS_TURN["not XML"], 200), (OTHERS_TURN["an error"], 200)):
        answer, finished = event(body, status)
        assert (answer["body"], finished) == (body, {})


def test_without_lxml_botocore_reads_alone(no_lxml: None) -> None:
    body = machine("<keyName>k</keyName>")
    answer, finished = event(body)
    assert (answer["body"], finished) == (body, {})
