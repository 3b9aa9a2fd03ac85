"""The audit table: one record per request that left the house."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudtop.errors import StoreError
from cloudtop.models import AuditRecord
from cloudtop.store import faults
from cloudtop.store.scopes import moment

if TYPE_CHECKING:
    import sqlite3
    from concurrent.futures import Future

    from cloudtop.store.connections import Reader
    from cloudtop.store.writer import Writer

LOG = logging.getLogger(__name__)
_FIELDS = (
    "at",
    "actor",
    "provider",
    "account",
    "operation",
    "method",
    "host",
    "status",
    "error",
    "attempt",
    "duration_ms",
    "bytes",
    "details",
)
_INSERT = f"INSERT INTO audit({', '.join(_FIELDS)}) VALUES ({', '.join('?' * len(_FIELDS))})"


class Journal:
    """Keeps audit records (port `Audit`); `lost` counts those that a full or locked store did not take."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader, self._writer = reader, writer
        self.lost = 0

    def record(self, record: AuditRecord) -> None:
        """Keep one record; never raises for a full or locked store, never blocks a request."""
        values = [getattr(record, name) for name in _FIELDS]
        values[0], values[-1] = record.at.timestamp(), _text(record.details)

        def keep(db: sqlite3.Connection) -> None:
            db.execute(_INSERT, values)

        try:
            self._writer.submit(keep).add_done_callback(self._look)
        except faults.Closed:
            self.lost += 1
            LOG.debug("a request ended after the store was closed; it is not in the audit")
        except StoreError:
            self._count()

    def records(self, limit: int | None = 100) -> list[AuditRecord]:
        """The latest records, newest first."""
        rows = self._reader.all(
            f"SELECT {', '.join(_FIELDS)} FROM audit ORDER BY id DESC LIMIT ?",
            (-1 if limit is None else limit,),
        )
        return [_record(dict(zip(_FIELDS, row, strict=True))) for row in rows]

    def _look(self, future: Future[None]) -> None:
        if future.exception() is not None:
            self._count()

    def _count(self) -> None:
        self.lost += 1
        if self.lost == 1:
            LOG.warning("the store takes no audit records")


def _text(details: Mapping[str, object]) -> str | None:
    return json.dumps(dict(details), default=str) if details else None


def _record(row: dict[str, Any]) -> AuditRecord:
    row["at"] = moment(row["at"])
    row["details"] = json.loads(row["details"]) if row["details"] else {}
    return AuditRecord(**row)
