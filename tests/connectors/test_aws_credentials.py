"""Whose credentials AWS is asked with: keys that are set, or what AWS' own tools keep."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cloudtop import sellers
from cloudtop.errors import CloudError, NotConfigured, Unauthorized
from cloudtop.settings import Settings, load
from connectors import aws_session, discovery
from connectors.aws_door import BotoDoor
from connectors.door import Door
from connectors.http import Http
from mcp_server.standing import Standing
from tests.connectors.raw_servers import Audit, Clock, Hosts, Policy, Server, reply, serving

pytest.importorskip("boto3")

REGIONS = """<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><regionInfo><item>
<regionName>us-east-1</regionName></item></regionInfo></DescribeRegionsResponse>"""
FINE = reply(200, REGIONS)
TAKEN = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials>
<AccessKeyId>ASIATAKENTAKENTAKEN0</AccessKeyId><SecretAccessKey>taken-canary-secret</SecretAccessKey>
<SessionToken>taken-canary-token</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials>
</{0}Result></{0}Response>"""
ROLE = "arn:aws:iam::123456789012:role/reader"


@dataclass
class Home:
    """A person's home with files of AWS' tools, and their environment."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    audit: Audit = field(default_factory=Audit)

    def file(self, name: str, text: str) -> None:
        path = self.folder / ".aws" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def settings(self, aws: Mapping[str, Any] | None = None) -> Settings:
        file = self.folder / "config.json"
        file.write_text(json.dumps({"providers": {"aws": aws or {}}}))
        facts = discovery.found()["aws"]
        variables = {("aws", name): tuple(names) for name, names in facts.credentials.items()}
        return load(
            file,
            self.folder,
            environ={"HOME": str(self.folder), **self.environ},
            variables=variables,
            ambient={"aws": facts.ambient},
        )

    def standing(self, aws: Mapping[str, Any] | None = None) -> Standing:
        facts = discovery.found()
        return Standing(facts, sellers.known(facts), self.settings(aws))

    @asynccontextmanager
    async def door(self, server: Server | None, aws: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
        """boto3 behind a door, asked at a server."""
        options = {"options": {"endpoint": server.url if server else "http://127.0.0.1:1"}}
        settings = self.settings({**options, **(aws or {})})
        facts = discovery.found()["aws"]
        ports: dict[str, Any] = {"clock": Clock(), "hosts": Hosts(), "audit": self.audit}
        policy = Policy(requests_per_second=1000, burst=1000)

        def opened(refusal: Any, parsed: Any) -> Door:
            return Door(facts, policy, refusal=refusal, parsed=parsed, **ports)

        mine = settings.provider("aws")
        made = BotoDoor(facts, mine, Http(facts, mine, settings, opened), opened)
        try:
            yield made
        finally:
            await made.aclose()

    async def keys(
        self, *replies: bytes, aws: Mapping[str, Any] | None = None, account: str = "default"
    ) -> list[str]:
        """The key id of each request that one question took."""
        async with serving(*(replies or (FINE,))) as server, self.door(server, aws) as boto:
            await boto.call("ec2", "describe_regions", region="us-east-1", account=account)
        return [str(one.headers["Authorization"]).split("Credential=")[1][:20] for one in server.requests]

    async def fails(self, aws: Mapping[str, Any] | None = None, account: str = "default") -> CloudError:
        async with self.door(None, aws) as boto:
            with pytest.raises(CloudError) as caught:
                await boto.call("ec2", "describe_regions", region="us-east-1", account=account)
        return caught.value


def key(letter: str) -> str:
    return "AKIA" + letter * 16


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home of somebody with two profiles, in whose environment nothing else is."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / ".aws" / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / ".aws" / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    made = Home(tmp_path)
    profiles = (
        f"[{name}]\naws_access_key_id = {key(letter)}\naws_secret_access_key = canary-{letter}\n"
        for name, letter in (("default", "D"), ("work", "W"))
    )
    made.file("credentials", "".join(profiles))
    return made


def test_nothing_that_is_there_makes_no_account(tmp_path: Path) -> None:
    standing = Home(tmp_path).standing()
    assert standing.accounts("aws") == ()
    assert not standing.can("aws", "resources")
    assert standing.can("aws", "gpu_offers")


def test_a_file_of_aws_makes_an_account_and_is_named_as_its_source(home: Home) -> None:
    standing = home.standing()
    assert standing.accounts("aws") == ("default",)
    assert standing.can("aws", "resources")
    (row,) = (one for one in standing.rows() if one["provider"] == "aws")
    assert row["credentials_from"] == {"default": "~/.aws/credentials"}


def test_each_account_says_where_its_credentials_come_from(home: Home) -> None:
    keys = {"access_key_id": key("C"), "secret_access_key": "canary"}
    accounts = {
        "default": {},
        "keyed": {"auth": keys},
        "work": {"auth": {"profile": "work"}},
        "older": {"options": {"profile": "work"}},
        "taken": {"auth": {"role_arn": ROLE, "external_id": "canary-external"}},
        "machine": {"auth": {"method": "service_account"}},
        "none": {},
    }
    home.environ = {"AWS_ACCESS_KEY_ID": key("E"), "AWS_SECRET_ACCESS_KEY": "canary"}
    assert home.standing({"accounts": accounts}).origins("aws") == {
        "default": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "keyed": "the configuration",
        "work": "profile work",
        "older": "profile work",
        "taken": f"role_arn {ROLE}",
        "machine": "method service_account",
    }


def test_variables_that_name_credentials_are_seen_before_files(home: Home) -> None:
    home.environ = {"AWS_PROFILE": "work"}
    assert home.standing().origins("aws") == {"default": "AWS_PROFILE"}
    home.environ = {"AWS_SHARED_CREDENTIALS_FILE": str(home.folder / "nowhere")}
    assert home.standing().origins("aws") == {}


async def test_keys_that_are_set_come_before_what_is_found(home: Home) -> None:
    home.environ = {"AWS_ACCESS_KEY_ID": key("E"), "AWS_SECRET_ACCESS_KEY": "canary"}
    assert await home.keys() == [key("E")]


async def test_what_awss_own_tools_keep_is_used_where_nothing_is_set(home: Home) -> None:
    assert await home.keys() == [key("D")]


async def test_a_profile_of_the_configuration_comes_before_keys_of_the_environment(home: Home) -> None:
    home.environ = {"AWS_ACCESS_KEY_ID": key("E"), "AWS_SECRET_ACCESS_KEY": "canary"}
    assert await home.keys(aws={"auth": {"profile": "work"}}) == [key("W")]


async def test_accounts_stand_side_by_side_each_with_its_own(home: Home) -> None:
    keys = {"access_key_id": key("C"), "secret_access_key": "canary"}
    aws = {"accounts": {"one": {"auth": keys}, "two": {"auth": {"profile": "work"}}, "three": {}}}
    assert await home.keys(aws=aws, account="one") == [key("C")]
    assert await home.keys(aws=aws, account="two") == [key("W")]
    assert isinstance(await home.fails(aws, "three"), NotConfigured)


async def test_a_role_is_taken_through_the_door_with_the_keys_that_are_set(home: Home) -> None:
    keys = {"access_key_id": key("C"), "secret_access_key": "canary"}
    aws = {"auth": {**keys, "role_arn": ROLE, "external_id": "canary-external"}}
    taken = reply(200, TAKEN.format("AssumeRole"))
    async with serving(taken, FINE) as server, home.door(server, aws) as boto:
        for _ in range(2):
            await boto.call("ec2", "describe_regions", region="eu-west-1", account="default")
    first, second, third = server.requests
    assert b"Action=AssumeRole&" in first.body
    assert b"ExternalId=canary-external" in first.body
    assert key("C") in str(first.headers["Authorization"])
    assert all("ASIATAKEN" in str(one.headers["Authorization"]) for one in (second, third))
    assert "X-Amz-Security-Token" not in second.headers, "a token went out unencrypted"
    assert [one.operation for one in home.audit.records] == [
        "sts AssumeRole",
        "ec2 DescribeRegions",
        "ec2 DescribeRegions",
    ]
    assert "canary" not in repr(home.audit.records)


async def test_a_profile_may_lead_to_a_role(home: Home) -> None:
    home.file("config", f"[profile far]\nrole_arn = {ROLE}\nsource_profile = work\nregion = eu-west-1\n")
    taken = reply(200, TAKEN.format("AssumeRole"))
    found = await home.keys(taken, FINE, aws={"auth": {"profile": "far"}})
    assert found == [key("W"), "ASIATAKENTAKENTAKEN0"]


async def test_many_questions_at_once_wait_for_one_role(home: Home) -> None:
    import asyncio

    home.file("config", f"[profile far]\nrole_arn = {ROLE}\nsource_profile = work\n")
    taken = reply(200, TAKEN.format("AssumeRole"))
    async with serving(taken, FINE) as server, home.door(server, {"auth": {"profile": "far"}}) as boto:
        regions = ("us-east-1", "us-west-2", "eu-west-1")
        asked = (boto.call("ec2", "describe_regions", region=one, account="default") for one in regions * 4)
        assert len(await asyncio.wait_for(asyncio.gather(*asked), 8)) == 12
    assert sum(b"AssumeRole" in one.body for one in server.requests) == 1


async def test_a_web_identity_is_taken_where_the_environment_has_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = home.folder / "token"
    token.write_text("canary-web-token")
    for name, value in {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": ROLE}.items():
        monkeypatch.setenv(name, value)
        home.environ[name] = value
    (home.folder / ".aws" / "credentials").unlink()
    assert home.standing().origins("aws") == {"default": "AWS_WEB_IDENTITY_TOKEN_FILE"}
    taken = reply(200, TAKEN.format("AssumeRoleWithWebIdentity"))
    async with serving(taken, FINE) as server, home.door(server) as boto:
        await boto.call("ec2", "describe_regions", region="us-east-1", account="default")
    assert b"Action=AssumeRoleWithWebIdentity" in server.requests[0].body
    assert "ASIATAKEN" in str(server.requests[1].headers["Authorization"])


async def test_a_process_may_tell_credentials(home: Home) -> None:
    told = {"Version": 1, "AccessKeyId": key("P"), "SecretAccessKey": "canary"}
    script = home.folder / "tell.py"
    script.write_text(f"print({json.dumps(told)!r})")
    home.file("config", f"[profile told]\ncredential_process = {sys.executable} {script}\n")
    assert await home.keys(aws={"auth": {"profile": "told"}}) == [key("P")]


@pytest.mark.parametrize(
    ("aws", "may"),
    [
        ({}, False),
        ({"auth": {"profile": "work"}}, False),
        ({"auth": {"role_arn": ROLE}}, False),
        ({"auth": {"method": "service_account"}}, True),
    ],
)
async def test_the_machine_is_asked_who_it_is_only_where_that_is_said(
    home: Home, aws: Mapping[str, Any], may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    credentials = pytest.importorskip("botocore.credentials")
    monkeypatch.setattr(credentials.InstanceMetadataProvider, "load", lambda self: tried.append("machine"))
    (home.folder / ".aws" / "credentials").write_text("")
    assert isinstance(await home.fails(aws or {"auth": {"profile": "default"}}), NotConfigured)
    assert (tried != []) is may


@pytest.mark.parametrize(
    ("config", "kind", "says"),
    [
        ("[profile other]\nregion = us-east-1\n", NotConfigured, "ProfileNotFound"),
        ("[profile far]\nregion = us-east-1\n", NotConfigured, "NoCredentialsError"),
        ("[[[ not a file", NotConfigured, "ConfigParseError"),
        (f"[profile far]\nrole_arn = {ROLE}\nsource_profile = nobody\n", NotConfigured, "InvalidConfigError"),
        ("[profile far]\ncredential_process = false\n", Unauthorized, "CredentialRetrievalError"),
        (
            "[profile far]\nsso_start_url = https://x.example\nsso_region = us-east-1\n"
            "sso_account_id = 123456789012\nsso_role_name = reader\n",
            Unauthorized,
            "aws sso login",
        ),
        (
            f"[profile far]\nrole_arn = {ROLE}\nsource_profile = work\nmfa_serial = arn:aws:iam::1:mfa/me\n",
            Unauthorized,
            "RefreshWithMFAUnsupportedError",
        ),
    ],
)
async def test_credentials_that_are_not_there_or_do_not_hold_say_what_to_do(
    home: Home, config: str, kind: type[CloudError], says: str
) -> None:
    home.file("config", config)
    error = await home.fails({"auth": {"profile": "far"}})
    assert type(error) is kind
    assert says in str(error)
    assert "profile far" in error.message
    assert "canary" not in str(error)
    assert home.audit.records == []


def test_a_broken_file_breaks_nothing_until_aws_is_asked(home: Home) -> None:
    home.file("config", "[[[ not a file")
    home.file("credentials", "[[[ neither")
    code = (
        "import sys\nfrom cloudtop.cli.main import ended\n"
        f"code = ended(['--home', {str(home.folder / 'data')!r}, 'call', 'list_providers', '--json'])\n"
        "print(code, sorted({'boto3', 'botocore', 'configparser'} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1] == "0 []", ran.stderr
    (row,) = (one for one in json.loads(ran.stdout)["rows"] if one["provider"] == "aws")
    assert row["credentials_from"] == {"default": "AWS_SHARED_CREDENTIALS_FILE"}


@pytest.mark.parametrize("service", ["ec2", "rds", "s3", "lambda"])
def test_models_are_read_as_botocore_reads_them(service: str) -> None:
    from botocore.loaders import JSONFileLoader, Loader

    path = f"{Loader.BUILTIN_DATA_PATH}/{service}/{Loader().determine_latest_version(service, 'service-2')}"
    ours, its = aws_session._Models(), JSONFileLoader()
    assert ours.exists(f"{path}/service-2")
    assert ours.load_file(f"{path}/service-2") == its.load_file(f"{path}/service-2")
    assert not ours.exists(f"{path}/nothing")
    assert ours.load_file(f"{path}/nothing") is None
