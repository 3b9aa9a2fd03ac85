"""The made-up company's things as Cloudflare's REST API tells them, one record for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from cloudtop.sandbox.fleet import Fleet, Record, length

JURISDICTIONS = ("default", "eu", "us", "fedramp", "fedramp-high")
KINDS = {
    "workers": "worker",
    "buckets": "r2_bucket",
    "d1_databases": "d1_database",
    "namespaces": "kv_namespace",
    "zones": "zone",
    "pages_projects": "pages_project",
    "queues": "queue",
}
"""What resource tagging calls the kinds; models bear no tags."""
Told = dict[str, Any]


def hexed(text: str) -> str:
    """Thirty-two hexadecimal digits that stay the same."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def iso(moment: datetime | None) -> str | None:
    """A time as Cloudflare writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z") if moment else None


def uuid(text: str) -> str:
    """An id in groups."""
    one = hexed(text)
    return "-".join((one[:8], one[8:12], one[12:16], one[16:20], one[20:]))


def worker(one: Record, fleet: Fleet) -> Told:
    """A Worker in the list; what others list of it is null or empty there."""
    about = {"tags": None, "routes": None, "deployment_id": "", "tail_consumers": None}
    return {
        "id": one.id,
        "tag": hexed(one.id),
        "etag": hexed(f"{one.id}-code") * 2,
        **about,
        **dated(one, fleet),
    }


def model(one: Record, fleet: Fleet) -> Told:
    """A model of the catalogue."""
    made = iso(one.created)
    return {"id": uuid(one.id), "source": 1, "name": one.id, "description": "A model.", "created_at": made,
            "tags": [], "properties": []}  # fmt: skip


def bucket(one: Record, fleet: Fleet) -> Told:
    """A bucket; the analytics put its jurisdiction before its name."""
    jurisdiction = one.own.get("jurisdiction", "default")
    name = one.id if jurisdiction == "default" else one.id.removeprefix(f"{jurisdiction}_")
    return {
        "name": name,
        "creation_date": iso(one.created),
        "location": one.region,
        "jurisdiction": jurisdiction,
    }


def d1_database(one: Record, fleet: Fleet) -> Told:
    """A D1 database by itself; the list tells less."""
    return {"uuid": one.id, "created_at": iso(one.created), "num_tables": 7}


def namespace(one: Record, fleet: Fleet) -> Told:
    """A namespace of KV."""
    return {"id": one.id}


def zone(one: Record, fleet: Fleet) -> Told:
    """A zone."""
    about = fleet.accounts[one.account]
    return {
        "id": one.id,
        "account": {"id": about["number"], "name": about["name"]},
        "owner": {"id": None, "type": "user", "email": "canary-zone-owner@brightwater.example"},
        "meta": {"step": 4, "page_rule_quota": 3, "phishing_detected": False},
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None,
        "verification_key": "canary-zone-verification",
        "activated_on": None,
        **dated(one, fleet),
    }


def project(one: Record, fleet: Fleet) -> Told:
    """A Pages project with its last deployment and the one that people see."""
    configs = {"always_use_latest_compatibility_date": False, "build_image_major_version": 3,
               "compatibility_date": "2026-01-01", "compatibility_flags": [], "fail_open": True,
               "usage_model": "standard", **one.own.get("deployment_configs", {})}  # fmt: skip
    stage, state = one.own["deploy"]
    return {
        "id": uuid(one.id),
        "name": one.id,
        "created_on": iso(one.created),
        "subdomain": f"{one.id}.pages.dev",
        "domains": [f"{one.id}.pages.dev"],
        "preview_script_name": f"pages-worker--{one.id}-preview",
        "production_script_name": f"pages-worker--{one.id}-production",
        "build_config": {"build_command": "npm run build", "web_analytics_token": "canary-pages-analytics"},
        "deployment_configs": {"preview": configs, "production": configs},
        "latest_deployment": deployment(one, fleet, stage, state),
        "canonical_deployment": deployment(one, fleet, "deploy", "success"),
    }


def deployment(one: Record, fleet: Fleet, stage: str, state: str) -> Told:
    """A deployment of a project."""
    at = iso(ago(fleet, one.own.get("modified")) or fleet.started)
    return {
        "id": uuid(f"{one.id}-{state}"),
        "short_id": hexed(f"{one.id}-{state}")[:8],
        "project_id": uuid(one.id),
        "project_name": one.id,
        "environment": "production",
        "url": f"https://{hexed(one.id)[:8]}.{one.id}.pages.dev",
        "aliases": None,
        "created_on": at,
        "modified_on": at,
        "is_skipped": False,
        "latest_stage": {"name": stage, "started_on": at, "ended_on": at, "status": state},
        "stages": [],
        "build_config": {"build_command": "npm run build", "web_analytics_token": "canary-pages-analytics"},
        "env_vars": {"API_TOKEN": {"type": "secret_text", "value": "canary-deployment-secret"}},
        "deployment_trigger": {
            "type": "ad_hoc",
            "metadata": {
                "branch": "main",
                "commit_hash": hexed(at or ""),
                "commit_message": "",
                "commit_dirty": False,
            },
        },
        "source": {"type": "github", "config": SOURCE},
    }


SOURCE = {
    "owner": "brightwater",
    "owner_id": "1",
    "repo_name": "sites",
    "repo_id": "2",
    "production_branch": "main",
    "pr_comments_enabled": False,
    "deployments_enabled": True,
    "production_deployments_enabled": True,
    "preview_deployment_setting": "all",
    "preview_branch_includes": ["*"],
    "preview_branch_excludes": [],
    "path_includes": ["*"],
    "path_excludes": [],
}


def message_queue(one: Record, fleet: Fleet) -> Told:
    """A queue."""
    return {"queue_id": one.id, "consumers": [], "producers": [], **dated(one, fleet)}


def dated(one: Record, fleet: Fleet) -> Told:
    """When a thing was made and changed."""
    return {"created_on": iso(one.created), "modified_on": iso(ago(fleet, one.own.get("modified")))}


def ago(fleet: Fleet, text: str | None) -> datetime | None:
    """A moment so long before the sandbox started."""
    return fleet.started - length(text) if text else None


MADE: Mapping[str, Callable[[Record, Fleet], Told]] = {
    "workers": worker,
    "models": model,
    "buckets": bucket,
    "d1_databases": d1_database,
    "namespaces": namespace,
    "zones": zone,
    "pages_projects": project,
    "queues": message_queue,
}
OURS = ("modified", "deploy", "backlog", "deployment_configs", "jurisdiction")


def record(one: Record, fleet: Fleet) -> Told:
    """A thing as its list or its own address tells it."""
    own = {name: value for name, value in one.own.items() if name not in OURS}
    if one.group != "buckets" and "jurisdiction" in one.own:
        own["jurisdiction"] = one.own["jurisdiction"]
    made = {**MADE[one.group](one, fleet), **own}
    return {name: value for name, value in made.items() if name not in one.without}


def tags(one: Record) -> Told:
    """A thing as resource tagging lists it."""
    named = one.own.get("name") or one.own.get("title") or one.own.get("queue_name") or one.id
    about = {"id": one.id, "name": named, "type": KINDS[one.group], "tags": dict(one.tags)}
    where = {"zone_id": one.id} if one.group == "zones" else {}
    return {**about, **where, "etag": f"v1:{hexed(one.id)[:22]}"}
