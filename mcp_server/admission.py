"""What each caller sees of the server, and may do with it: checked where the request is known for sure.

Works inside the MCP server, over every transport: `--read-only` holds on standard input too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mcp.types as types
from mcp import MCPError

from cloudtop import net
from cloudtop.errors import UsageError
from mcp_server.limits import EVERYBODY, Caller, needed, reads_only, scopes_of
from mcp_server.specs import narrowed

if TYPE_CHECKING:
    from mcp.server import Server

    from mcp_server.runtime import Runtime
    from mcp_server.specs import ToolSpec

KEY = "cloudtop.admitted"
"""Where a request's ASGI scope holds its `Admitted`."""

UNKNOWN = frozenset({"admin"})


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller, and what it leaves itself of the tools for one request."""

    caller: Caller = EVERYBODY
    toolsets: tuple[str, ...] = ()
    read_only: bool = False


def admitted(ctx: Any) -> Admitted:
    """Who makes a request of the protocol; everybody where it did not come over HTTP."""
    request = ctx.request
    return request.scope.get(KEY, Admitted()) if request is not None else Admitted()


def admit(server: Server[Any], runtime: Runtime, *, read_only: bool = False) -> Admission:
    """Put the check into the server's way."""
    made = Admission(runtime, read_only=read_only)
    server.middleware.append(made)
    if server.get_tool_input_schema is None:
        # Without it the SDK lists all tools at every call, in search of arguments that stand in headers.
        server.get_tool_input_schema = _without_headers
    return made


def _without_headers(name: str) -> None:
    """No spec of ours says of an argument that it stands in a header too."""


class Admission:
    """Middleware of the MCP server. With `read_only` a tool that does not say it only reads is not there."""

    def __init__(self, runtime: Runtime, *, read_only: bool) -> None:
        self._runtime, self._read_only = runtime, read_only

    @property
    def specs(self) -> Mapping[str, ToolSpec]:
        """The tools that there are."""
        specs = self._runtime.specs
        return {name: one for name, one in specs.items() if reads_only(one)} if self._read_only else specs

    async def __call__(self, ctx: Any, call_next: Any) -> Any:
        """One request of the protocol."""
        who = admitted(ctx)
        caller, params = who.caller, ctx.params or {}
        if ctx.method == "tools/list":
            return self._shown(await call_next(ctx), who)
        if lacks := caller.lacks(needed(ctx.method, params, self._runtime.specs)):
            raise MCPError(types.INVALID_REQUEST, f"The token lacks the scope {' '.join(lacks)}.")
        if ctx.method == "tools/call":
            self._check_there(str(params.get("name")), who)
        actor = net.actor.set(f"token:{caller.name}" if caller.name else net.actor.get())
        floor = net.floor_s.set(caller.floor_s)
        try:
            return await call_next(ctx)
        finally:
            net.floor_s.reset(floor)
            net.actor.reset(actor)

    def _check_there(self, name: str, admitted: Admitted) -> None:
        """A tool that this request does not see is an unknown one."""
        spec = self._runtime.specs.get(name)
        if spec is None:
            hidden = self._read_only or admitted.read_only or admitted.toolsets
            if not hidden and not admitted.caller.lacks(UNKNOWN):
                return  # the server itself says that it is unknown, or has it from elsewhere
        elif name in self._seen(admitted):
            return
        known = ", ".join(sorted(self._seen(admitted)))
        raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {name[:80]}. Tools: {known}")

    def _seen(self, admitted: Admitted) -> Mapping[str, ToolSpec]:
        specs = self.specs
        if admitted.toolsets:
            try:
                specs = narrowed(specs, admitted.toolsets)
            except UsageError as error:
                raise MCPError(types.INVALID_PARAMS, str(error)) from error
        if admitted.read_only:
            specs = {name: one for name, one in specs.items() if reads_only(one)}
        if "admin" in admitted.caller.scopes:
            return specs
        return {name: one for name, one in specs.items() if not admitted.caller.lacks(scopes_of(one))}

    def _shown(self, result: Any, admitted: Admitted) -> Any:
        """tools/list with what this caller may call; what is not for everybody is not for shared caches."""
        if not isinstance(result, dict) or "tools" not in result:
            return result
        seen = self._seen(admitted)
        free = not admitted.caller.name and not admitted.toolsets
        shown = [tool for tool in result["tools"] if self._may_show(tool, seen, admitted, free=free)]
        scope = result.get("cacheScope") if free else result.get("cacheScope") and "private"
        return {**result, "tools": shown, **({"cacheScope": scope} if scope else {})}

    def _may_show(
        self, tool: Mapping[str, Any], seen: Mapping[str, ToolSpec], admitted: Admitted, *, free: bool
    ) -> bool:
        name = tool.get("name")
        if name in self._runtime.specs:
            return name in seen
        if self._read_only or admitted.read_only:
            return False
        return free or (not admitted.toolsets and not admitted.caller.lacks(UNKNOWN))
