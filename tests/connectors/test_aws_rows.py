"""What Amazon's records mean: each kind by hand, and with any field missing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtop.inventory import STATUSES, Gpus, Resource
from connectors import aws_compute, aws_databases, discovery
from connectors.aws_rows import SECRET, moment, raw, tags
from tests.connectors.aws_records import INSTANCE, KINDS

Path = tuple[Any, ...]
FIELDS = tuple(one.name for one in fields(Resource) if one.name != "raw")


def columns(row: Resource) -> dict[str, Any]:
    """A row by its columns, each fact of its details one of them; what is empty is left out."""
    found = {name: getattr(row, name) for name in FIELDS if name != "details"}
    found |= {f"details.{name}": value for name, value in row.details.items()}
    return {name: value for name, value in found.items() if value not in (None, ())}


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """The way to every field at any depth."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:
        if isinstance(value, dict):
            yield (*above, name)
        yield from paths(inner, (*above, name))


def without(record: Any, path: Path) -> Any:
    changed = copy.deepcopy(dict(record))
    place = changed
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return changed


def test_every_listing_has_a_record_here() -> None:
    assert set(KINDS) == set(discovery.found()["aws"].lists)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_the_row_that_a_person_reads_in_it(kind: str) -> None:
    about = KINDS[kind]
    row = about.row(about.record)
    assert row is not None
    expected = dict(about.expected)
    details = expected.pop("details")
    assert row.details == details
    assert {name: getattr(row, name) for name in FIELDS if name != "details"} == {
        name: () if name == "gpus" else None for name in FIELDS if name != "details"
    } | {"spot": None} | expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_can_be_kept_and_shown(kind: str) -> None:
    about = KINDS[kind]
    row = about.row(about.record)
    assert row is not None
    assert row.status in STATUSES
    assert row.type in discovery.found()["aws"].lists[kind]
    assert json.loads(json.dumps(row.details)) == row.details
    assert None not in row.details.values()
    assert all(value.tzinfo is UTC for value in columns(row).values() if isinstance(value, datetime))


def changed_by(kind: str, gone: list[Path]) -> set[str] | None:
    """The columns that change when these fields are missing; None where the record is lost."""
    about = KINDS[kind]
    record: Any = about.record
    for path in sorted(gone, key=len, reverse=True):
        record = without(record, path)
    whole, less = about.row(about.record), about.row(record)
    assert whole is not None
    if less is None:
        return None
    before, after = columns(whole), columns(less)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize("kind", KINDS)
def test_any_one_missing_field_changes_what_it_tells_and_nothing_else(kind: str) -> None:
    about = KINDS[kind]
    for path in paths(about.record):
        changed = changed_by(kind, [path])
        if path == (about.key,):
            assert changed is None or "id" in changed
            continue
        assert changed is not None, f"without {path} the record is lost"
        assert changed <= set(about.tells.get(path[0], "").split()), path
        if len(path) == 1:
            assert bool(changed) == (path[0] in about.tells), path


@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_any_missing_fields_together_lose_no_record(kind: str, data: st.DataObject) -> None:
    about = KINDS[kind]
    every = [path for path in paths(about.record) if path[0] != about.key and len(path) <= 2]
    gone = data.draw(st.lists(st.sampled_from(every), unique=True, max_size=8))
    # What is inside of a field that is gone is gone with it.
    gone = [path for path in gone if path[:1] not in gone or len(path) == 1]
    changed = changed_by(kind, gone)
    told = (about.tells.get(path[0], "").split() for path in gone)
    assert changed is not None
    assert changed <= {name for names in told for name in names} | set(about.jointly.split())


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_field_loses_no_record_either(kind: str) -> None:
    about = KINDS[kind]
    for path in paths(about.record):
        if path == (about.key,):
            continue
        changed = copy.deepcopy(dict(about.record))
        found: Any = changed
        for name in path[:-1]:
            found = found[name]
        value = found[path[-1]]
        for empty in (None, *(() if isinstance(value, datetime) else (type(value)(),))):
            found[path[-1]] = empty
            assert about.row(changed) is not None, f"{path} as {empty!r}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_with_nothing_but_its_id_is_a_row(kind: str) -> None:
    about = KINDS[kind]
    row = about.row({about.key: about.record[about.key]})
    assert row is not None
    assert row.id == about.expected["id"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_in_any_part_of_a_row(kind: str) -> None:
    about = KINDS[kind]
    row = about.row(about.record)
    assert row is not None
    assert "canary" not in repr(row)


def test_what_looks_like_a_secret_and_is_none_is_kept() -> None:
    row = INSTANCE.row(INSTANCE.record)
    assert row is not None
    kept = json.loads(row.raw or "")
    assert kept["KeyName"] == "ops"
    assert kept["MetadataOptions"] == {"HttpTokens": "required"}
    assert kept["Tags"] == [{"Key": "Name", "Value": "training-node-07"}, {"Key": "env", "Value": "prod"}]
    assert kept["LaunchTime"] == "2026-03-04T05:06:07Z"
    assert set(INSTANCE.record) - set(kept) == {"ClientToken"}


def test_a_function_keeps_none_of_its_variables() -> None:
    about = KINDS["functions"]
    row = about.row(about.record)
    assert row is not None
    assert "Environment" not in json.loads(row.raw or "")


def test_an_instances_record_has_one_secret_by_the_model_of_ec2() -> None:
    session = pytest.importorskip("botocore.session").Session()
    shape = session.get_service_model("ec2").shape_for("Instance")

    def secrets(part: Any, above: str = "") -> Iterator[str]:
        if part.type_name == "list":
            yield from secrets(part.member, above)
        elif part.type_name == "structure":
            for name, member in part.members.items():
                if SECRET.search(name):
                    yield f"{above}{name}"
                yield from secrets(member, f"{above}{name}.")
        assert part.type_name != "map", "a mapping may have any name in it"

    assert set(secrets(shape)) == aws_compute.HIDDEN


def test_half_a_character_costs_no_record() -> None:
    assert json.loads(raw({"Description": "a\ud800b"})) == {"Description": "a\ud800b"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"Gpus": [{"Name": "A100", "Count": 8, "MemoryInfo": {"SizeInMiB": 40960}}]}, [("A100", 8.0, 40.0)]),
        # A whole GPU of which EC2 misreports the memory.
        ({"Gpus": [{"Name": "L4", "Count": 1, "MemoryInfo": {"SizeInMiB": 22888}}]}, [("L4", 1.0, 24.0)]),
        # An eighth of one, and a type with two halves.
        ({"Gpus": [{"Name": "L4", "Count": 1, "LogicalGpuCount": 1, "GpuPartitionSize": 0.125}]}, [0.125]),
        ({"Gpus": [{"Name": "L4", "Count": 1, "LogicalGpuCount": 2, "GpuPartitionSize": 0.5}]}, [1.0]),
        ({"Gpus": [{"Name": "T9000", "Count": 2}]}, [("T9000", 2.0, None)]),
        ({"Gpus": []}, []),
        (None, []),
    ],
)
def test_gpus_of_a_type_that_nobody_carries_are_read_off_its_record(record: Any, expected: list[Any]) -> None:
    made = aws_compute.made_of({"InstanceType": "x9z.large", **({"GpuInfo": record} if record else {})})
    if expected and not isinstance(expected[0], tuple):
        assert [gpu.count for gpu in made.gpus] == expected
    else:
        assert made.gpus == tuple(Gpus(*one) for one in expected)


def test_gpus_of_a_known_type_are_known_without_asking() -> None:
    about = aws_compute.sketch({"InstanceId": "i-1", "InstanceType": "g6f.large"})
    row = aws_compute.finished(about, {}, {})
    assert [(gpu.gpu, gpu.count) for gpu in row.gpus] == [("L4", 0.125)]
    assert row.vcpus is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("trn1.2xlarge", Gpus("TRAINIUM", 1.0, 32.0)), ("x9z.large", Gpus("TRAINIUM2", 4.0, 96.0))],
)
def test_chips_of_amazons_own_count_as_they_do_among_the_offers(kind: str, expected: Gpus) -> None:
    chips = {"Name": "Trainium2", "Count": 4, "MemoryInfo": {"SizeInMiB": 98304}}
    made = aws_compute.made_of({"InstanceType": kind, "NeuronInfo": {"NeuronDevices": [chips]}})
    assert made.gpus == (expected,)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"PlatformDetails": "Linux/UNIX", "Placement": {"Tenancy": "default"}}, None),
        ({}, None),
        ({"PlatformDetails": "Windows"}, "Windows"),
        ({"PlatformDetails": "Red Hat Enterprise Linux"}, "Red Hat Enterprise Linux"),
        ({"PlatformDetails": "Linux/UNIX", "Placement": {"Tenancy": "dedicated"}}, "tenancy dedicated"),
    ],
)
def test_the_price_of_linux_on_shared_hardware_is_no_other_instances(
    told: dict[str, Any], why: str | None
) -> None:
    assert aws_compute.sketch({"InstanceId": "i-1", **told})["details"].get("priced_apart") == why


def test_an_instance_that_fails_its_checks_says_so() -> None:
    status = {
        "InstanceId": "i-1",
        "InstanceStatus": {"Status": "impaired"},
        "SystemStatus": {"Status": "impaired"},
    }
    said = aws_compute.checked(status)
    assert said == "The instance status check fails. The system status check fails."
    row = aws_compute.finished(aws_compute.sketch({"InstanceId": "i-1"}), {}, {"i-1": said or ""})
    assert (row.health, row.health_message) == ("failing", said)
    assert aws_compute.checked({**status, "InstanceStatus": {"Status": "ok"}, "SystemStatus": {}}) is None


@pytest.mark.parametrize(
    ("raw_engine", "engine"),
    [
        ("aurora-postgresql", "postgres"),
        ("aurora-mysql", "mysql"),
        ("aurora", "mysql"),
        ("postgres", "postgres"),
        ("mariadb", "mariadb"),
        ("oracle-se2", "oracle"),
        ("custom-sqlserver-ee", "sqlserver"),
        ("docdb", "documentdb"),
        (None, None),
    ],
)
def test_engines_bear_the_names_that_everybody_uses(raw_engine: str | None, engine: str | None) -> None:
    assert aws_databases.engine(raw_engine) == engine


def test_an_aurora_member_has_no_size_of_its_own() -> None:
    row = aws_databases.database(
        {"DBInstanceIdentifier": "a", "Engine": "aurora-mysql", "AllocatedStorage": 1}
    )
    assert row is not None
    assert row.size_gb is None


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("available", "running"),
        ("backing-up", "running"),
        ("stopped", "stopped"),
        ("creating", "starting"),
        ("incompatible-network", "failed"),
        ("something-new", "unknown"),
        (None, "unknown"),
    ],
)
def test_states_of_databases(state: str | None, status: str) -> None:
    row = aws_databases.database({"DBInstanceIdentifier": "a", "DBInstanceStatus": state})
    assert row is not None
    assert row.status == status


@pytest.mark.parametrize("kind", ["volumes", "addresses"])
def test_what_hangs_on_nothing_is_unattached(kind: str) -> None:
    about = KINDS[kind]
    free = {**about.record, "State": "available"}
    for name in ("InstanceId", "NetworkInterfaceId", "AssociationId", "Attachments"):
        free.pop(name, None)
    row = about.row(free)
    assert row is not None
    assert row.status == "unattached"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00.000+0000", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T02:00:00+0200", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.000Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_utc_whoever_wrote_them(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected


def test_tags_are_read_in_every_form_that_they_have() -> None:
    assert tags({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}, {"Value": "2"}, {}]}) == {
        "a": "1",
        "b": "",
    }
    assert tags({"tags": [{"key": "a", "value": "1"}]}, "tags") == {"a": "1"}
    assert tags({"Tags": {"a": "1", "b": None}}) == {"a": "1", "b": ""}
    assert tags({}) == {}
