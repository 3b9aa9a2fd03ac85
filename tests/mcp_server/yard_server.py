"""A server over standard input and output with the made-up yard: `yard_server.py HOME`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from mcp_server.result import Rows
from mcp_server.runtime import Runtime
from mcp_server.server import build_server
from mcp_server.stdio import serve_stdio
from tests.mcp_server.yard import Yard, answering, runtime

WORDS = {"revision": "1", "tools": {}}


def hanging(home: Path, ended: asyncio.Event | None = None, stubborn: bool = False) -> Runtime:
    """A runtime whose tool never ends; `ended` is set when it is cancelled, which a stubborn one ignores."""

    async def find(ctx: Any) -> Rows:
        print("a stray print", flush=True)
        await ctx.progress(1, 2, "one of two yards")
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if ended:
                    ended.set()
                if not stubborn:
                    raise

    return runtime(home, answering(find))


async def main(home: Path, kind: str) -> None:
    tools = runtime(home, Yard().run) if kind == "prompt" else hanging(home, stubborn=kind == "stubborn")
    await serve_stdio(build_server(tools, {"lexicon": lambda: WORDS}), leave_s=0.3)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
