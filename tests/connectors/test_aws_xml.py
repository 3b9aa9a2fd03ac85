"""EC2's XML read with lxml against botocore's own parser: the same records, or botocore's turn."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.aws_replay import REGIONS, answers
from connectors import aws_moulds, aws_xml
from connectors.aws_compute import sketched
from connectors.aws_rows import HIDDEN, OURS, SKETCHED, raw

botocore_session = pytest.importorskip("botocore.session")
pytest.importorskip("lxml")

PARSERS = botocore_session.Session().get_component("response_parser_factory")
EC2 = botocore_session.Session().get_service_model("ec2")
RDS = botocore_session.Session().get_service_model("rds")
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


@pytest.fixture(scope="module", params=[1, aws_moulds.OFTEN], autouse=True)
def often(request: pytest.FixtureRequest) -> Iterator[None]:
    """All of it with a shape that is soon read in one run, and with one that is not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_moulds, "OFTEN", request.param)
        yield


def by_botocore(body: bytes, operation: Any = INSTANCES) -> Any:
    """What botocore's parser makes of an answer, and its request id."""
    answer = {"status_code": 200, "headers": {}, "body": body}
    parser = PARSERS.create_parser(operation.service_model.resolved_protocol)
    parsed = parser.parse(answer, operation.output_shape)
    return parsed, parsed.pop("ResponseMetadata").get("RequestId")


def read(body: bytes, operation: Any = INSTANCES) -> Any:
    """What is made of an answer here, and its request id; None where all of it is left to botocore."""
    answer, finished = {"status_code": 200, "headers": {}, "body": body}, {}
    aws_xml._before_parse(PARSERS, operation, answer, finished)
    if not finished:
        assert answer["body"] == body
        return None
    found = aws_xml.in_place(finished)
    left, request_id = by_botocore(answer["body"], operation)
    assert left == {}
    return {name: [*one] if isinstance(one, Iterator) else one for name, one in found.items()}, request_id


def level(found: Any, alone: Any) -> tuple[Any, Any]:
    """What was read and what botocore reads alone, once what is kept as text was found to be botocore's.

    Where an instance is kept as text, no more of it is read than its row is made of.
    """
    if found is None or not isinstance(alone, tuple):
        return alone if found is None else found, alone
    for one, whole in zip(found[0].get("Reservations", ()), alone[0].get("Reservations", ()), strict=True):
        if (kept := one.pop(OURS, None)) is not None:
            assert [json.loads(text) for text in kept] == [
                json.loads(raw(instance, HIDDEN)) for instance in whole["Instances"]
            ]
            whole["Instances"] = [
                {name: value for name, value in instance.items() if name in SKETCHED}
                for instance in whole["Instances"]
            ]
    return found, alone


def same(body: bytes, operation: Any = INSTANCES) -> bool:
    """Whether an answer is read as botocore reads it."""
    found, alone = level(read(body, operation), by_botocore(body, operation))
    return bool(found == alone)


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


@pytest.mark.parametrize("what", SAME)
def test_odd_answers_are_read_as_botocore_reads_them(what: str) -> None:
    assert same(SAME[what])


def plain(value: Any) -> Any:
    """A value without the elements that botocore hands over where one comes twice."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return getattr(value, "tag", value)


def both(body: bytes, operation: Any = INSTANCES) -> tuple[Any, Any]:
    """What comes of an answer when it is read here first, and by botocore alone; a failure by its type."""

    def tried(act: Callable[[bytes, Any], Any]) -> Any:
        try:
            return act(body, operation)
        except Exception as error:  # noqa: BLE001  whatever botocore raises is right
            return type(error)

    first, alone = level(tried(read), tried(by_botocore))
    return plain(first), plain(alone)


@pytest.mark.parametrize("what", OTHERS_TURN)
def test_what_is_not_as_expected_ends_as_botocore_alone_would_end_it(what: str) -> None:
    first, alone = both(OTHERS_TURN[what])
    assert first == alone


def test_a_long_page_is_read_into_the_same_records() -> None:
    body = answers(1200)[REGIONS[0], "DescribeInstances", ""]
    found = read(body)
    assert same(body)
    (first, *_), (*_, last) = found[0]["Reservations"], found[0]["Reservations"]
    assert first["Instances"][0]["InstanceId"] == "i-00000000000000000"
    assert last["Instances"][0]["InstanceId"] == "i-0000000000000012b"
    assert first["Instances"][0]["LaunchTime"] == datetime(2026, 1, 1, 8, 0, 12, tzinfo=UTC)


Texts = Mapping[str, st.SearchStrategy[str]]


OPERATIONS = [
    *map(EC2.operation_model, LISTED),
    *map(RDS.operation_model, ("DescribeDBInstances", "DescribeDBClusters")),
]


def told(operation: Any, inside: str) -> bytes:
    """An answer of an operation, as its service writes it."""
    name, wrapper = f"{operation.name}Response", operation.output_shape.serialization.get("resultWrapper")
    if wrapper:
        about = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        inside = f"<{wrapper}>{inside}</{wrapper}>{about}"
    return f'<{name} xmlns="{SPACE}">{inside}</{name}>'.encode()


def elements(shape: Any, depth: int = 0, texts: Texts | None = None) -> st.SearchStrategy[str]:
    """What may stand within an element of this shape, as EC2 might write it."""
    kind = shape.type_name
    if kind == "structure":
        # Only what is chosen is made: a record of EC2's is a tree of hundreds of shapes.
        chosen = st.lists(st.sampled_from(list(shape.members)), unique=True, max_size=8 if depth < 3 else 3)
        return chosen.flatmap(
            lambda names: st.tuples(*(part(name, shape.members[name], depth, texts) for name in names)).map(
                "".join
            )
        )
    if kind == "list":
        item = elements(shape.member, depth + 1, texts).map(lambda inside: f"<item>{inside}</item>")
        return st.lists(item, max_size=3).map("".join)
    return (texts or TEXTS)[kind]


def part(name: str, shape: Any, depth: int, texts: Texts | None) -> st.SearchStrategy[str]:
    tag = shape.serialization.get("name", name)
    if depth > 6:
        return st.just(f"<{tag}/>")
    return elements(shape, depth + 1, texts).map(lambda inside: f"<{tag}>{inside}</{tag}>")


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


@given(data=st.data(), operation=st.sampled_from(OPERATIONS))
def test_whatever_aws_may_write_is_read_as_botocore_reads_it(data: st.DataObject, operation: Any) -> None:
    first, alone = both(told(operation, data.draw(elements(operation.output_shape))), operation)
    assert first == alone


def alike(*insides: str) -> bytes:
    """A page of machines, each with what is given inside."""
    items = "".join(
        f"<item><reservationId>r-{n}</reservationId><instancesSet><item>{one}</item></instancesSet></item>"
        for n, one in enumerate(insides)
    )
    return answered(f"<requestId>r</requestId><reservationSet>{items}</reservationSet>")


ODD_TEXTS = [
    "a &amp; b",
    "&quot;a&quot; &lt;b&gt; &apos;",
    "&amp;lt;",
    "&#228;&#x20AC;",
    "back\\slash \\n",
    'in "quotes"',
    "two\nlines",
    "a\ttab",
    "a\rreturn",
    "a > b",
    "]]&gt;",
    "  blanks  ",
    " ",
    "",
    "\ue0000\ue000",
    "\ue0010:integer\ue001",
    "ключ 🔑 \u2028",
    "null",
    "a<!-- no -->b",
    "<![CDATA[<a>]]>",
    "a<b>c</b>d",
]


@pytest.mark.parametrize("tag", ["keyName", "kernelId", "clientToken", "newer"])
@pytest.mark.parametrize("odd", ODD_TEXTS)
def test_an_odd_text_among_machines_that_are_alike_is_read_as_botocore_reads_it(odd: str, tag: str) -> None:
    texts = ["a", "b", odd, "c", "d", "e", odd, odd, "f", "g", "h", odd]
    body = alike(*(f"<{tag}>{one}</{tag}><imageId>ami</imageId>" for one in texts))
    assert same(body)


@pytest.mark.parametrize(
    ("tag", "odd"),
    [
        ("launchTime", "2026-03-04T05:06:07Z"),
        ("launchTime", "1767225600"),
        ("launchTime", "2026-03-04T05:06:07+02:00"),
        ("amiLaunchIndex", "-7"),
        ("amiLaunchIndex", "007"),
        ("amiLaunchIndex", "+7"),
        ("amiLaunchIndex", "1_0"),
        ("amiLaunchIndex", " 7 "),
        ("amiLaunchIndex", str(2**70)),
        ("ebsOptimized", "false"),
        ("ebsOptimized", "TRUE"),
        ("ebsOptimized", "1"),
    ],
)
def test_an_odd_figure_among_machines_that_are_alike_is_read_as_botocore_reads_it(tag: str, odd: str) -> None:
    usual = {"launchTime": "2026-03-04T05:06:07.089Z", "amiLaunchIndex": "0", "ebsOptimized": "true"}[tag]
    body = alike(*(f"<{tag}>{one}</{tag}>" for one in (usual, usual, usual, odd, usual, usual, usual, odd)))
    assert same(body)


@pytest.mark.parametrize(
    "wrong",
    [
        "<amiLaunchIndex>one</amiLaunchIndex>",
        "<amiLaunchIndex>1.5</amiLaunchIndex>",
        "<launchTime>soon</launchTime>",
        "<keyName>a</keyName><keyName>b</keyName>",
        "<keyName>a",
        *(
            f"<{tag}>{wrong}</{tag}>"
            for tag in ("keyName", "kernelId", "clientToken", "newer")
            for wrong in ("\x01", "\x1f", "]]>", "&what;", "a & b", "&#1;", "\ufffe")
        ),
    ],
)
def test_one_wrong_machine_among_many_ends_as_botocore_alone_would_end_it(wrong: str) -> None:
    right = re.sub(">.*?<", ">0<", wrong, count=1)
    for before in (3, 7):
        first, alone = both(alike(*[right] * before, wrong, right, right))
        assert first == alone


@pytest.mark.parametrize("between", ["", "\n    ", "between"])
def test_blanks_and_words_between_elements_change_nothing(between: str) -> None:
    inside = "".join(f"{between}<{tag}>{{0}}</{tag}>{between}" for tag in ("keyName", "newer", "imageId"))
    body = alike(*(inside.format(n) for n in range(5))).replace(b"<item>", f"{between}<item>".encode())
    assert same(body)


def test_machines_of_several_kinds_and_reservations_of_several_machines_are_told_apart() -> None:
    kinds = ["<keyName>{0}</keyName>", "<keyName/><imageId>{0}</imageId>", "<x>{0}</x><imageId>{0}</imageId>"]
    kinds.append("<keyName>{0}</keyName></item><item><keyName>{0}</keyName>")
    for run in (1, 2, 5):
        body = alike(*(kinds[n // run % 4].format(n) for n in range(40)))
        assert same(body)


def test_of_machines_that_are_alike_two_are_walked_through_and_one_more_is_marked() -> None:
    parsed: list[bytes] = []

    def parse(text: bytes) -> Any:
        parsed.append(text)
        return aws_xml._tree(text)

    shape = INSTANCES.output_shape.members["Reservations"].member
    readers = aws_xml._Readers(aws_xml._LEAVES)
    moulds = aws_xml._moulds(shape, readers.structure(shape), parse, aws_moulds.NOTHING)
    inside = "<item><reservationId>r-{0}</reservationId><ownerId>{0}</ownerId></item>"
    for page in range(3):
        page_of_50 = "".join(inside.format(n) for n in range(50)).encode()
        found = [*moulds.records(page_of_50, 0, len(page_of_50))]
        assert found == [{"ReservationId": f"r-{n}", "OwnerId": str(n)} for n in range(50)], page
    assert len(parsed) == 3


def test_machines_that_are_alike_and_stand_together_are_read_in_one_run() -> None:
    shape = INSTANCES.output_shape.members["Reservations"].member
    readers = aws_xml._Readers(aws_xml._LEAVES)
    moulds = aws_xml._moulds(shape, readers.structure(shape), aws_xml._tree, aws_moulds.NOTHING)
    inside = '<item><reservationId>r-{0}</reservationId><ownerId>"&amp;\\{0}</ownerId></item>'
    count = aws_moulds.OFTEN + 10
    page = "".join(inside.format(n) for n in range(count)).encode()
    for known in (0, 1):
        assert len(moulds._runs) == known
        found = [*moulds.records(page, 0, len(page))]
        assert found == [{"ReservationId": f"r-{n}", "OwnerId": f'"&\\{n}'} for n in range(count)]
    (run,) = moulds._runs.values()
    second = page.index(b"<item>", 1)
    record = {"ReservationId": "r-0", "OwnerId": '"&\\0'}
    assert run.told(page, 0, len(page), b"<item><reservationId>") == (record, second)
    assert run.told(page, 0, second, b"<item><reservationId>") == (record, -1)
    assert run.told(page, 0, second - 1, b"<item><reservationId>") is None


@pytest.mark.parametrize("other", ["<item><ownerId>o</ownerId></item>", "<item/>", "<item>\n</item>", "\n"])
def test_a_machine_that_begins_otherwise_ends_a_run(other: str) -> None:
    inside = "<item><reservationId>r-{0}</reservationId><ownerId>{0}</ownerId></item>"
    run = "".join(inside.format(n) for n in range(8))
    assert same(told(INSTANCES, f"<reservationSet>{run}{other}{run}{other}</reservationSet>"))


def test_an_account_with_more_shapes_than_are_remembered_is_read_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aws_moulds, "SHAPES", 3)
    tags = ["keyName", "imageId", "kernelId", "ramdiskId", "subnetId", "vpcId"]
    body = alike(*(f"<{tags[n % 6]}>{n}</{tags[n % 6]}>" for n in (*range(6), *range(30), *[0] * 5)))
    assert same(body)


BLANK = re.compile("\ufff9(\\w+)\ufffa")
"""What stands for a text of a type."""
BLANKS = {kind: st.just(f"\ufff9{kind}\ufffa") for kind in TEXTS}


@given(data=st.data(), operation=st.sampled_from(OPERATIONS), count=st.integers(3, 8))
def test_whatever_aws_may_write_many_times_is_read_as_botocore_reads_it(
    data: st.DataObject, operation: Any, count: int
) -> None:
    lists = [
        (member.serialization.get("name", name), member.member)
        for name, member in operation.output_shape.members.items()
        if member.type_name == "list"
    ]
    tag, shape = data.draw(st.sampled_from(lists))
    blank = data.draw(elements(shape, 1, BLANKS))
    items = "".join(
        f"<item>{BLANK.sub(lambda found: data.draw(TEXTS[found[1]]), blank)}</item>" for _ in range(count)
    )
    first, alone = both(told(operation, f"<{tag}>{items}</{tag}>"), operation)
    assert first == alone


def test_a_record_with_parts_that_begin_as_it_does_is_read_as_a_whole() -> None:
    operation = EC2.operation_model("DescribeVolumes")
    attached = "<item><volumeId>vol-{0}</volumeId><instanceId>i-{0}</instanceId></item>"
    for parts in ("", attached, attached * 2, attached * 5):
        inside = f"<volumeId>vol-{{0}}</volumeId><attachmentSet>{parts}</attachmentSet><size>{{0}}</size>"
        volumes = "".join(f"<item>{inside.format(n)}</item>" for n in range(20))
        body = told(operation, f"<volumeSet>{volumes}</volumeSet>")
        found, listed, _ = aws_xml.read(body, operation, lambda: pytest.fail("left to botocore"))
        whole = found | {name: [*records] for name, records in listed.items()}
        assert whole == by_botocore(body, operation)[0]


def test_databases_are_read_as_botocore_reads_them() -> None:
    body = answers(8000)[REGIONS[0], "DescribeDBInstances", ""]
    operation = RDS.operation_model("DescribeDBInstances")
    found = read(body, operation)
    assert found == by_botocore(body, operation)
    assert [one["DBInstanceIdentifier"] for one in found[0]["DBInstances"]] == [f"db-{n}" for n in range(50)]


ONE = {"boolean": "true", "integer": "7", "long": "7", "timestamp": "2026-03-04T05:06:07.089Z"}


def full(shape: Any, depth: int = 0) -> str:
    """An element of this shape in which nothing is missing, each word its own."""
    if shape.type_name == "structure":
        tags = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        return "".join(f"<{tag}>{full(member, depth + 1)}</{tag}>" for tag, member in tags.items())
    if shape.type_name == "list":
        return f"<item>{full(shape.member, depth + 1)}</item>"
    return ONE.get(shape.type_name, f"{shape.name} {depth} {{0}}")


def test_a_row_is_made_of_no_field_that_a_mould_does_not_read_for_it() -> None:
    shape = INSTANCES.output_shape.members["Reservations"].member.members["Instances"].member
    body = alike(*(full(shape).format(n) for n in range(4)))
    _, finished = event(body)
    rows = sketched(aws_xml.in_place(finished)["Reservations"])
    whole = sketched(by_botocore(body)[0]["Reservations"])
    assert [row | {"raw": None} for row in rows] == [row | {"raw": None} for row in whole]
    assert [json.loads(row["raw"]) for row in rows] == [json.loads(row["raw"]) for row in whole]
    assert "ClientToken" not in rows[3]["raw"]


@pytest.fixture
def no_lxml(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "lxml", None)
    aws_xml._etree.cache_clear()
    yield
    aws_xml._etree.cache_clear()


def event(body: bytes, status: int = 200) -> tuple[dict[str, Any], dict[str, Any]]:
    """What botocore hands over before it parses, afterwards."""
    answer, finished = {"status_code": status, "body": body, "headers": {}}, {}
    aws_xml._before_parse(PARSERS, INSTANCES, answer, finished)
    return answer, finished


def test_botocore_is_left_a_document_with_the_request_id_alone() -> None:
    answer, finished = event(machine("<keyName>k</keyName>"))
    assert by_botocore(answer["body"]) == ({}, "r-1")
    assert finished["Reservations"] == []
    (reservation,) = aws_xml.in_place(finished)["Reservations"]
    assert reservation["Instances"] == [{"InstanceId": "i-1", "KeyName": "k"}]


def test_a_long_list_is_read_one_by_one() -> None:
    _, finished = event(alike(*map(str, range(100))))
    records = aws_xml.in_place(finished)["Reservations"]
    assert next(records)["ReservationId"] == "r-0"
    assert len([*records]) == 99


@pytest.mark.parametrize("what", ["an error", "not XML", "not all of it", "a document type", "a list twice"])
def test_errors_and_what_cannot_be_read_stay_as_they_are(what: str) -> None:
    answer, finished = event(OTHERS_TURN[what])
    assert (answer["body"], finished) == (OTHERS_TURN[what], {})


def test_an_answer_with_another_status_stays_as_it_is() -> None:
    answer, finished = event(machine(""), 503)
    assert (answer["body"], finished) == (machine(""), {})


def test_without_lxml_botocore_reads_alone(no_lxml: None) -> None:
    body = machine("<keyName>k</keyName>")
    answer, finished = event(body)
    assert (answer["body"], finished) == (body, {})
