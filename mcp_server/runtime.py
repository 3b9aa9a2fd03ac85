"""One call of one tool, from raw arguments to a finished answer; MCP and the command line both enter here.

Imported late: mcp_server.tools.<tool>, jsonschema_rs (through the spec), inspect, traceback.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cloudtop import net
from cloudtop.errors import CloudtopError, MissingArgument, SpecError, UsageError
from cloudtop.models import Trouble, iso
from mcp_server.arguments import check_fields, prepared
from mcp_server.budget import answered, refused
from mcp_server.harvest import LISTS
from mcp_server.memo import Key, Memo
from mcp_server.pages import SNAPSHOT_S, HeldPages, Place, changed, cursor, place_of, question, reading
from mcp_server.result import KEPT, Agent, Ctx, Handler, House, Outcome, Progress, Rows, silent
from mcp_server.specs import ToolSpec

if TYPE_CHECKING:
    from cloudtop.ports import ClientTurn

log = logging.getLogger("cloudtop.runtime")


@dataclass(frozen=True, slots=True)
class _Page:
    """What was found for one page: its rows, the whole find they are cut from, and where both start."""

    place: Place
    rows: list[dict[str, Any]]
    found: Rows
    found_at: int

    def another(self, shown: int) -> bool:
        """Whether rows are left after `shown` of this page."""
        end = self.place.offset + shown
        in_hand = self.found_at + len(self.found.rows)
        if self.found.total is not None:
            return end < self.found.total
        return self.found.more or end < in_hand


class Runtime:
    """All tools of one house. `handlers`: those registered by hand; others are `mcp_server.tools.<tool>`.

    `agent` answers what the tool `ask` is asked.
    """

    def __init__(
        self,
        specs: Mapping[str, ToolSpec],
        handlers: Mapping[str, Handler],
        house: House,
        agent: Agent | None = None,
    ) -> None:
        self.specs = dict(specs)
        self.house = house
        self.agent = agent
        self._registered = dict(handlers)
        self._handlers: dict[str, Handler] = {}
        self._memo = Memo()
        self._held = HeldPages()

    def check(self) -> None:
        """Import every handler; SpecError when one does not take exactly what its spec advertises."""
        for spec in self.specs.values():
            self._handler(spec)

    def adopt(self, specs: Mapping[str, ToolSpec]) -> None:
        """Serve these tools from now on; SpecError, and all as before, when a handler does not fit one."""
        for spec in specs.values():
            _compare(spec, self._found_handler(spec))
        self.specs.clear()
        self.specs.update(specs)
        self._handlers.clear()
        self._memo, self._held = Memo(), HeldPages()

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        now: datetime | None = None,
        deadline_s: float | None = None,
        progress: Progress | None = None,
        turn: ClientTurn | None = None,
    ) -> Outcome:
        """Answer one call. Only an unknown tool raises (UsageError); every other failure is an outcome.

        `now` fixes the clock that the question is read by; without it that is the house's own. `turn` asks
        the caller's own model.
        """
        spec = self.specs.get(tool)
        if spec is None:
            raise self._unknown(tool)
        now = now or self.house.now
        try:
            floor_s = net.floor_s.get()
            asked = json.dumps(arguments or {}, sort_keys=True)
            key = (tool, f"{floor_s:g} {asked}" if floor_s else asked, iso(now) or "")
            revision = self.house.store.revision()
            kept = self._memo.outcome(key, revision, self.house.clock.now())
            if kept is not None:
                return kept
            values = {**prepared(spec, arguments or {}), **spec.fixed}
            notice = _raised(values, floor_s)
            ctx = self._ctx(tool, now, deadline_s, progress, turn)
            page = await self._page(spec, values, ctx)
            if notice and notice not in page.found.notices:
                page.found.notices.append(notice)
            outcome = self._outcome(spec, values, page)
            self._remember(key, revision, page.found, outcome)
            return outcome
        except CloudtopError as error:
            argument = getattr(error, "argument", None)
            outcome = refused(tool, error.message, error.next_step, error.exit_code, argument)
            return replace(outcome, lacks=argument) if isinstance(error, MissingArgument) else outcome
        except Exception as error:  # noqa: BLE001 - the one place where a defect of ours becomes an answer
            return self._defect(tool, error)

    def _unknown(self, tool: str) -> UsageError:
        from cloudtop.text import nearest

        close = nearest(tool, list(self.specs), 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        return UsageError(f"there is no tool {tool[:60]!r}.", f"Tools: {', '.join(self.specs)}.{hint}")

    def _ctx(
        self,
        tool: str,
        now: datetime | None,
        deadline_s: float | None,
        progress: Progress | None,
        turn: ClientTurn | None,
    ) -> Ctx:
        house = self.house
        return Ctx(
            tool=tool,
            fleet=house.fleet,
            store=house.store,
            settings=house.settings,
            clock=house.clock,
            now=now or house.clock.now(),
            deadline_s=deadline_s,
            progress=progress or silent,
            agent=self.agent,
            turn=turn,
        )

    async def _page(self, spec: ToolSpec, values: dict[str, Any], ctx: Ctx) -> _Page:
        """The rows of the asked page: what is left of an earlier find, or what the handler finds now."""
        asked = question(spec.name, values)
        place = place_of(values["cursor"], asked) if values.get("cursor") else Place(0, asked, "")
        held = self._held.rows(place)
        found_at, found = held or (place.offset, await self._found(spec, values, ctx, place))
        start = place.offset - found_at
        limit = values.get("limit")
        rows = found.rows[start : start + limit] if limit else found.rows[start:]
        return _Page(place, rows, found, found_at)

    async def _found(self, spec: ToolSpec, values: dict[str, Any], ctx: Ctx, place: Place) -> Rows:
        """What the handler finds, every row checked; later pages must be of the first one's reading."""
        handler = self._handler(spec)
        passed = {
            name: value for name, value in values.items() if name not in KEPT or name in _taken(handler)
        }
        if place.offset and "max_age" in passed:
            passed["max_age"] = max(passed["max_age"] or 0.0, SNAPSHOT_S)
        found = await handler(_at(ctx, place.offset), **passed)
        _check_rows(spec, found)
        if place.offset and reading(found) != place.reading:
            raise changed()
        return found

    def _outcome(self, spec: ToolSpec, values: dict[str, Any], page: _Page) -> Outcome:
        """Both channels of the page, cut where they would be too long."""
        found = page.found
        fields = spec.fields(found.shape or spec.usual_shape)
        rows = page.rows
        if values.get("fields"):
            check_fields("fields", values["fields"], fields)
            fields = values["fields"]
            rows = [{name: row.get(name) for name in fields} for row in rows]
        elif spec.loose(found.shape):
            there = set().union(*rows)
            fields = [name for name in fields if name in there]
        read = reading(found)

        def next_cursor(shown: int) -> str | None:
            if not page.another(shown):
                return None
            return cursor(Place(page.place.offset + shown, page.place.question, read))

        form = values.get("format") or "csv"
        outcome, shown = answered(form, fields, rows, self._facts(found), next_cursor, found.text)
        if shown < len(rows):
            self._held.keep(Place(page.found_at, page.place.question, read), found)
        return outcome

    def _facts(self, found: Rows) -> dict[str, Any]:
        """The structured content besides its rows."""
        oldest = min((one.fetched_at for one in found.sources), default=None)
        return {
            "as_of": None if found.undated else iso(found.as_of or oldest or self.house.clock.now()),
            "sources": [one.row() for one in found.sources],
            "missing": [one.row() for one in different(found.missing)],
            "applied": found.applied,
            "notices": found.notices,
            "total": found.total,
        }

    def _remember(self, key: Key, revision: int, found: Rows, outcome: Outcome) -> None:
        """Keep an outcome that would come out the same again: nothing was read, nothing written for it."""
        live = any(one.source == "live" for one in found.sources)
        if found.expires_at is None or live or self.house.store.revision() != revision:
            return
        self._memo.keep(key, revision, found.expires_at, outcome)

    def _handler(self, spec: ToolSpec) -> Handler:
        """The handler of a tool, after a check that it takes the spec's parameters."""
        found = self._handlers.get(spec.handler)
        if found is None:
            found = self._found_handler(spec)
            _compare(spec, found)
            self._handlers[spec.handler] = found
        return found

    def _found_handler(self, spec: ToolSpec) -> Handler:
        return self._registered.get(spec.handler) or _shipped(spec)

    def _defect(self, tool: str, error: Exception) -> Outcome:
        """What is said of a mistake of ours: nothing on the wire, a line on standard error, all with -v."""
        import traceback

        from cloudtop.text import redact

        if log.isEnabledFor(logging.DEBUG):
            details = "".join(traceback.format_exception(error))
        else:
            details = " ".join("".join(traceback.format_exception_only(error)).split())
        log.error("%s failed: %s", tool, redact(details, self.house.settings.secret_values()))
        return refused(
            tool,
            "failed inside cloudtop; nothing is wrong with the question.",
            "Ask again. If it fails again, report what cloudtop -v writes to standard error.",
            1,
        )


def _raised(values: dict[str, Any], floor_s: float) -> str | None:
    """Raise the call's `max_age` to the caller's floor; what to say about it, or None."""
    asked = values.get("max_age")
    if asked is None or asked >= floor_s:
        return None
    values["max_age"] = floor_s
    return f"max_age was raised to {floor_s:g} s, the least that this token may ask for."


def different(missing: list[Trouble]) -> list[Trouble]:
    """Every trouble once: a cloud that is asked in two ways, on demand and spot, fails in one.

    Two files of price lists are two troubles, and so are two remarks; their words tell them apart. The same
    code and words about many regions or kinds are one trouble that names them all.
    """
    kept: dict[tuple[str | None, ...], Trouble] = {}
    for one in missing:
        words = one.message if one.provider == LISTS or one.severity != "error" else None
        kept.setdefault((one.provider, one.account, one.region, one.kind, one.code, words), one)
    kinds = _together(list(kept.values()), "kind", ("provider", "account", "region", "code"))
    return _together(kinds, "region", ("provider", "account", "kind", "code", "message"))


def _together(troubles: list[Trouble], field: str, same: tuple[str, ...]) -> list[Trouble]:
    """Troubles that are the same but for `field` as one, which names all its values; remarks stay apart."""
    alike: dict[tuple[Any, ...], list[Trouble]] = {}
    for one in troubles:
        apart = one.message if one.provider == LISTS or one.severity != "error" else None
        alike.setdefault((*(getattr(one, name) for name in same), apart), []).append(one)
    made = []
    for group in alike.values():
        values = dict.fromkeys(str(getattr(one, field)) for one in group)
        together: dict[str, Any] = {field: ", ".join(sorted(values))} if len(values) > 1 else {}
        made.append(replace(group[0], **together))
    return made


def _at(ctx: Ctx, offset: int) -> Ctx:
    """The same call, `offset` rows further on."""
    return replace(ctx, offset=offset) if offset else ctx


def _shipped(spec: ToolSpec) -> Handler:
    """The handler that comes with cloudtop."""
    module = f"mcp_server.tools.{spec.handler}"
    try:
        run: Callable[..., Any] = importlib.import_module(module).run
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise SpecError(spec.file, f"{spec.name} has no handler: there is no {module}") from error
    return run


def _compare(spec: ToolSpec, handler: Handler) -> None:
    """Refuse a handler whose keywords are not the spec's parameters."""
    taken = _taken(handler)
    wanted = {*spec.parameters, *spec.fixed} - set(KEPT)
    if unknown := sorted(taken - wanted - {"fields"}):
        raise SpecError(
            spec.file, f"the handler of {spec.name} takes what the spec lacks: {', '.join(unknown)}"
        )
    if lacking := sorted(wanted - taken):
        raise SpecError(spec.file, f"the handler of {spec.name} does not take {', '.join(lacking)}")


@lru_cache(maxsize=256)
def _taken(handler: Handler) -> frozenset[str]:
    """The keywords of a handler."""
    import inspect

    found = inspect.signature(handler).parameters.items()
    return frozenset(name for name, one in found if one.kind is inspect.Parameter.KEYWORD_ONLY)


def _check_rows(spec: ToolSpec, found: Rows) -> None:
    """Every row is exactly what the spec says, or the call fails: a wrong row is worse than none."""
    check = spec.row_check(found.shape or spec.usual_shape)
    if check.is_valid(found.rows):
        return
    first = next(iter(check.iter_errors(found.rows)))
    at, *field = first.instance_path
    where = f"row {at}" + (f", field {'.'.join(map(str, field))}" if field else "")
    raise CloudtopError(
        f"{where} is not what the spec of the tool promises: {first.message}",
        "This is a defect of cloudtop, not of the question; please report it.",
    )
