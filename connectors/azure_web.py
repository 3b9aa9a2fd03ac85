"""Function apps and web apps, which Azure keeps in one list.

`kind` tells them apart (`functionapp,linux`). A function app holds any number of functions; the app is what
is deployed, paid and measured. What runs it stands in one text (`Python|3.12`), for the newest plan in
`functionAppConfig`, and of Windows nowhere. Source: the REST API of Microsoft.Web, 2025-05-01.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.azure_base import Microsoft
from connectors.azure_rows import common, joined, moment, places, prop, state, text
from connectors.rows import Record, inner, told

SITES, VERSION = "Microsoft.Web/sites", "2025-05-01"
FUNCTION = "functionapp"


class Web(Microsoft):
    """What App Service runs."""

    async def functions(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Function apps."""
        async for rows in self.listed(scope, SITES, VERSION, function, "function app"):
            yield rows

    async def apps(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Web apps."""
        async for rows in self.listed(scope, SITES, VERSION, app, "web app"):
            yield rows


def function(one: Record) -> Resource | None:
    """One function app; None for a site that is said to be something else."""
    kind = text(one.get("kind"))
    states = {"Running": "available", "Stopped": "stopped"}
    return None if kind and FUNCTION not in kind.lower() else site(one, "function", states)


def app(one: Record) -> Resource | None:
    """One web app; None for a function app."""
    kind = text(one.get("kind"))
    states = {"Running": "running", "Stopped": "stopped"}
    return None if kind and FUNCTION in kind.lower() else site(one, "app", states)


def site(one: Record, kind: str, states: dict[str, str]) -> Resource:
    """One site of App Service."""
    status, word = state(one, states, "state")
    changed = moment(prop(one, "lastModifiedTimeUtc"))
    wrong = joined(troubles(one))
    memory = prop(one, "functionAppConfig", "scaleAndConcurrency", "instanceMemoryMB")
    about = common(one) | {"updated_at": changed}
    if wrong:
        about |= {"health": "degraded", "health_message": wrong}
    return Resource(
        **about,
        type=kind,
        status=status,
        status_raw=word,
        last_modified=changed,
        runtime=runtime(one),
        memory_mb=positive(memory),
        details=told(
            **places(one),
            kind=text(one.get("kind")),
            endpoint=text(prop(one, "defaultHostName")),
            plan=text(prop(one, "serverFarmId")),
            https_only=prop(one, "httpsOnly"),
        ),
    )


def troubles(one: Record) -> list[str]:
    """What Azure says is wrong with a site, in sentences."""
    said = []
    if prop(one, "usageState") == "Exceeded":
        said.append("It has used up its quota")
    available = text(prop(one, "availabilityState"))
    if available not in (None, "Normal"):
        said.append(f"Its availability is {available}")
    return said


def runtime(one: Record) -> str | None:
    """What runs a site, as everybody writes it: `python3.12`, `node22`."""
    own = prop(one, "functionAppConfig", "runtime")
    if name := text(inner(own, "name")):
        return f"{name}{text(inner(own, 'version')) or ''}".lower()
    return (text(prop(one, "siteConfig", "linuxFxVersion")) or "").replace("|", "").lower() or None
