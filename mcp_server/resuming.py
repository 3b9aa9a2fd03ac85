"""What was told to a client of the older era, kept for a while: a stream that broke can be taken up again.

Only where there are sessions. Each has a store of its own: the SDK names a stream by the number of its
request, so one store for all would tell a session what another one asked for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import count

import anyio
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import JSONRPCError, JSONRPCMessage, JSONRPCResponse, jsonrpc_message_adapter

MOST_BYTES = 16_777_216
"""Of all sessions together. The oldest go first, and what they told cannot be taken up any more."""

OWN_BYTES = 256
"""What an event takes besides its text."""

AGAIN_MS = 1_000
"""How soon a client is asked to come back to a stream that broke."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A message as it went out, or None for the mark that a stream begins with."""

    stream: str
    text: str | None
    last: bool

    @property
    def size(self) -> int:
        return len(self.text or "") + OWN_BYTES


class Events:
    """The latest events of all sessions, `most_bytes` together."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._numbers = count(1)
        self._order: deque[tuple[dict[int, _Event], int]] = deque()
        self.size = 0

    def of_session(self) -> SessionEvents:
        """The store of a session that begins."""
        return SessionEvents(self)

    def keep(self, kept: dict[int, _Event], event: _Event) -> int:
        """Put an event among those of its session; its number."""
        number = next(self._numbers)
        kept[number] = event
        self._order.append((kept, number))
        self.size += event.size
        while self.size > self._most:
            oldest, gone = self._order.popleft()
            self.size -= oldest.pop(gone).size
        return number


class SessionEvents(EventStore):
    """The events of one session."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._kept: dict[int, _Event] = {}
        self._came = anyio.Event()

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """Keep a message; its id."""
        text = None if message is None else message.model_dump_json(by_alias=True, exclude_unset=True)
        answer = isinstance(message, JSONRPCResponse | JSONRPCError)
        number = self._events.keep(self._kept, _Event(stream_id, text, answer))
        came, self._came = self._came, anyio.Event()
        came.set()
        return str(number)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> None:
        """Tell what came later on that stream, and what comes, to the answer that ends it.

        None: the SDK need not go on. It would miss what comes before it does, and keep the stream open.
        """
        last = next((number for number in self._kept if str(number) == last_event_id), None)
        event = self._kept[last] if last is not None else None
        while last is not None and event is not None and not event.last:
            came = self._came
            if (later := self._after(last, event.stream)) is None:
                await came.wait()
                continue
            last, event = later, self._kept[later]
            if event.text is not None:
                message = jsonrpc_message_adapter.validate_json(event.text)
                await send_callback(EventMessage(message, str(last)))

    def _after(self, last: int, stream: str) -> int | None:
        later = (number for number, event in self._kept.items() if number > last and event.stream == stream)
        return next(later, None)


class Sessions(StreamableHTTPSessionManager):
    """The SDK's manager of sessions, which asks for `event_store` once for each."""

    @property
    def event_store(self) -> EventStore | None:
        """A store for one more session."""
        return self._events.of_session()

    @event_store.setter
    def event_store(self, store: EventStore | None) -> None:
        self._events = Events()
