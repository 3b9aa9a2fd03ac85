"""Where rows are: each place is written once, in all words that people use for it.

Imported late: cloudtop.regions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


class Places:
    """Numbers of places."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[int, str | None]] = {}

    def number(
        self, db: sqlite3.Connection, provider: str, region: str | None, country: str | None = None
    ) -> tuple[int, str | None]:
        """The number in the file of a provider's region, and its country."""
        key = (provider, region or "", country or "")
        return self._known.get(key) or self._learn(db, key)

    def _learn(self, db: sqlite3.Connection, key: tuple[str, str, str]) -> tuple[int, str | None]:
        from cloudtop.regions import place

        found = place(key[0], key[1] or None, key[2] or None)
        country = key[2] or found.country
        db.execute(
            "INSERT INTO place(seller, region, said, country, places) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(seller, region, said)"
            " DO UPDATE SET country=excluded.country, places=excluded.places"
            " WHERE places<>excluded.places OR country IS NOT excluded.country",
            (*key, country, found.places),
        )
        row = db.execute("SELECT id FROM place WHERE seller=? AND region=? AND said=?", key).fetchone()
        self._known[key] = (row[0], country)
        return self._known[key]
