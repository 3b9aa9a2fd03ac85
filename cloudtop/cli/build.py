"""The one place that puts the parts together; every command gets its house here.

Imported late: the fleet and the runtime's tools with the first call, mcp and agent in `server` alone.
"""

from __future__ import annotations

import gc
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cloudtop import compiled
from cloudtop.ports import ClientTurn, Clock, SystemClock
from cloudtop.sellers import known, provider_id
from cloudtop.settings import Settings, data_home, load, own_specs, untraced
from cloudtop.store.open import Store, open_store
from connectors.discovery import check_ours, found, make
from mcp_server import specs
from mcp_server.fleet import Fleet
from mcp_server.runtime import Runtime

if TYPE_CHECKING:
    import asyncio

    from agent.ask import Asked
    from agent.llm import Llm
    from connectors.base import Connector, Facts
    from mcp_server.live_specs import LiveSpecs
    from mcp_server.result import Progress
    from mcp_server.server import ToolServer
    from mcp_server.specs import ToolSpec

T = TypeVar("T")
CACHE = Path("cache", "compiled")
GARBAGE_AFTER = 200_000
"""Objects made until cycles among them are looked for. A few pages of a listing are as many, and no cycle."""
QUESTION_S = 8.0
"""How long ask, chat, call and doctor wait for clouds where neither --timeout nor the configuration says."""


@dataclass(slots=True)
class House:
    """The parts of one running cloudtop. `now` fixes the clock that questions are read by."""

    settings: Settings
    clock: Clock
    store: Store
    fleet: Fleet
    facts: Mapping[str, Facts]
    notices: list[str]
    now: datetime | None = None

    def runtime(self, toolsets: Sequence[str] = (specs.EVERY,)) -> Runtime:
        """All tools, a user's own copies among them, ready to be called; or those of some toolsets."""
        left_out: list[specs.LeftOut] = []
        found = self._specs(left_out)
        self.notices += [one.message for one in left_out if one.message not in self.notices]
        return Runtime(specs.narrowed(found, toolsets), {}, self, self._answer)

    async def _answer(
        self,
        question: str,
        *,
        now: datetime,
        kept: Mapping[str, Any],
        progress: Progress,
        turn: ClientTurn | None,
    ) -> Asked:
        """The agent over a server in process, with every tool there is at that moment but `ask` itself."""
        from mcp import Client

        from agent.ask import Earlier, ask, lexicon_of
        from agent.planner.query import Query

        heard = progress

        async def told(progress: float, total: float | None, message: str | None) -> None:
            await heard(progress, total, message or "")

        others = {name: spec for name, spec in self._specs([]).items() if spec.handler != "ask"}
        async with Client(self.server(Runtime(others, {}, self))) as client:
            words = await lexicon_of(client)
            return await ask(
                client,
                question,
                lexicon=words,
                now=now,
                previous=Query.of(kept["query"]) if kept.get("query") else None,
                model=self._client_model(turn),
                earlier=[Earlier(*one) for one in kept.get("earlier", ())],
                progress=told,
                program=None,
            )

    def _client_model(self, turn: ClientTurn | None) -> Llm | None:
        """The model of a client that asks, where it may plan."""
        from agent.llm import client_llm

        untraced()
        return client_llm(self.settings.agent, turn, self.settings.secret_values())

    def live_specs(self, runtime: Runtime, toolsets: Sequence[str] = (specs.EVERY,)) -> LiveSpecs:
        """What notices that a spec file changed, and gives a running server the tools it now describes."""
        from mcp_server.live_specs import LiveSpecs

        def load(left_out: list[specs.LeftOut]) -> Mapping[str, ToolSpec]:
            return specs.narrowed(self._specs(left_out), toolsets)

        return LiveSpecs(runtime, load, (specs.FOLDER, own_specs()))

    def _specs(self, left_out: list[specs.LeftOut]) -> dict[str, ToolSpec]:
        return specs.load(own=own_specs(), left_out=left_out, cache_dir=self.settings.home / CACHE)

    def server(self, runtime: Runtime, live: LiveSpecs | None = None) -> ToolServer:
        """The MCP server of these tools, with its resources; `live` when it runs for long."""
        from mcp_server.lexicon import LiveLexicon
        from mcp_server.server import build_server

        words = LiveLexicon(runtime.specs, known(self.facts), self.fleet.providers, self.store, self.facts)
        resources = {"lexicon": words.words, "providers": self.fleet.providers}
        return build_server(runtime, resources, live=live)

    async def aclose(self) -> None:
        """Close connections and the store."""
        await self.fleet.aclose()
        self.store.close()


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine. An event loop is started when it first waits: a warm call never does."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    import asyncio

    return asyncio.run(work)


def settings(config: Path | None = None, home: Path | None = None, *, offline: bool = False) -> Settings:
    """The configuration alone, checked against the connectors that are here."""
    return _settings(found(), config, home, offline=offline)


def build(
    config: Path | None = None,
    home: Path | None = None,
    *,
    offline: bool = False,
    deadline_s: float | None = None,
    usual_s: float | None = None,
    now: datetime | None = None,
    clock: Clock | None = None,
) -> House:
    """Open the store, find the connectors, build the fleet.

    `deadline_s` is how long a question may take, `usual_s` how long where the configuration says nothing.
    """
    check_ours()
    gc.set_threshold(GARBAGE_AFTER, 20, 100)
    notices: list[str] = []
    clock = clock or SystemClock()
    compiled.use_cache(data_home(home) / CACHE)
    facts = found(notices)
    configured = _settings(facts, config, home, offline=offline)
    allowed_s = deadline_s or configured.limits.deadline_s or usual_s
    configured = replace(configured, limits=replace(configured.limits, deadline_s=allowed_s))
    kept = configured.cache
    store = open_store(
        kept.folder or configured.home,
        clock,
        backend=kept.backend if kept.enabled else "memory",
        max_size=kept.max_size,
    )
    if store.read_only:
        notices.append(store.read_only)

    @cache
    def in_flight() -> asyncio.Semaphore:
        import asyncio

        return asyncio.Semaphore(configured.limits.in_flight)

    def connector(provider: str) -> Connector:
        return make(
            facts[provider],
            configured.provider(provider),
            secrets=configured,
            clock=clock,
            hosts=store.hosts,
            audit=store.audit,
            limits=configured.limits,
            shared=in_flight,
        )

    fleet = Fleet(facts, connector, known(facts), store, configured, clock)
    return House(configured, clock, store, fleet, facts, notices, now)


def _settings(
    facts: Mapping[str, Facts], config: Path | None, home: Path | None, *, offline: bool
) -> Settings:
    return load(
        config,
        home,
        offline=offline,
        provider_id=lambda name: provider_id(name, facts),
        variables={
            (one.id, name): tuple(names) for one in facts.values() for name, names in one.credentials.items()
        },
        ambient={one.id: one.ambient for one in facts.values() if one.ambient},
    )
