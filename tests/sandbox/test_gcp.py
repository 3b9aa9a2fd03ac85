"""Google in the sandbox: every request is one of Google's own documents, and every answer is as they say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode

import httpx
import pytest

from cloudtop.sandbox.clouds.gcp import ACCOUNTS
from cloudtop.sandbox.serve import Sandbox, running
from tests.audit import company
from tests.connectors import inventories

pytest.importorskip("googleapiclient", reason="google-api-python-client holds the discovery documents")

from tests.sandbox.google_documents import method_of, wrong

PROD = {"Authorization": f"Bearer {ACCOUNTS['prod']['access_token']}"}
NOW = datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("gcp",)) as made:
        yield made


@pytest.fixture(scope="module")
def asked(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str, bytes]]:
    """Every request that reading the whole company takes, and metrics and permissions."""
    found = inventories.read("gcp", sandbox, tmp_path_factory.mktemp("home"))
    metrics = {
        "filter": 'metric.type = "compute.googleapis.com/instance/cpu/utilization"',
        "interval.startTime": (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "interval.endTime": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aggregation.alignmentPeriod": "300s",
        "aggregation.perSeriesAligner": "ALIGN_MEAN",
        "aggregation.groupByFields": "resource.labels.instance_id",
    }
    project = "brightwater-prod"
    made = [
        (one.method, one.path, one.query, one.body)
        for one in found.requests
        if project in one.path + one.query
    ]
    made.append(("GET", f"/v3/projects/{project}/timeSeries", urlencode(metrics), b""))
    tested = b'{"permissions": ["compute.instances.list"]}'
    made.append(("POST", f"/v3/projects/{project}:testIamPermissions", "", tested))
    return made


def test_every_request_is_one_that_googles_documents_know(asked: list[tuple[str, str, str, bytes]]) -> None:
    assert len({path for _, path, _, _ in asked}) > 20
    for verb, path, query, _ in asked:
        _, method = method_of(verb, path)
        assert set(parse_qs(query)) <= set(method["parameters"]), (path, query)


def test_every_answer_is_what_googles_documents_say(
    sandbox: Sandbox, asked: list[tuple[str, str, str, bytes]]
) -> None:
    problems: dict[str, None] = {}
    with httpx.Client(base_url=sandbox.endpoint("gcp"), headers=PROD) as client:
        for verb, path, query, body in asked:
            answer = client.request(verb, f"{path}?{query}", content=body)
            assert answer.status_code == 200, (path, answer.text)
            api, method = method_of(verb, path)
            problems |= dict.fromkeys(
                f"{method['id']}{one}" for one in wrong(api, method["response"], answer.json())
            )
    assert list(problems) == []


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/v1/projects/brightwater-prod/instances?colour=blue", 400, "invalid"),
        ("/v1/projects/brightwater-prod/instances?maxResults=many", 400, "invalid"),
        ("/v1/projects/brightwater-prod/instances?pageToken=guessed", 400, "invalid"),
        ("/v1/projects/brightwater-lab/instances", 403, "forbidden"),
        ("/v1/projects/brightwater-prod/planets", 404, "notFound"),
    ],
)
def test_what_google_would_refuse_is_refused(sandbox: Sandbox, path: str, status: int, reason: str) -> None:
    answer = httpx.get(sandbox.endpoint("gcp") + path, headers=PROD)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["errors"][0]["reason"]) == (status, status, reason)


@pytest.mark.parametrize("shown", ["", "Bearer nobody", "Basic nobody", ACCOUNTS["prod"]["access_token"]])
def test_nobody_is_answered_without_a_token(sandbox: Sandbox, shown: str) -> None:
    answer = httpx.get(
        sandbox.endpoint("gcp") + "/storage/v1/b?project=brightwater-prod", headers={"Authorization": shown}
    )
    assert answer.status_code == 401


def test_pages_hold_every_record_once(sandbox: Sandbox) -> None:
    names: list[str] = []
    token = ""
    while True:
        asked = {"project": "brightwater-prod", **({"pageToken": token} if token else {})}
        answer = httpx.get(sandbox.endpoint("gcp") + "/storage/v1/b", params=asked, headers=PROD).json()
        names += [one["name"] for one in answer["items"]]
        token = answer.get("nextPageToken", "")
        if not token:
            break
    mine = [one.id for one in company.things("gcp") if one.group == "buckets" and one.account == "prod"]
    assert sorted(names) == sorted(mine)
