"""The book on a Pi: purchases, messages, events and tariffs in a TinyDB file, for queries.

A copy of what the journal says, filled again when it is missing or damaged: never the balance, a
counter or a reading. TinyDB's own JSON storage rewrites its live file in place at every insert;
this one keeps the tables in memory and replaces the file at most once a minute.
"""

import json
import os
import time

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document

NAME = "book.json"  # beside the journal
TABLES = ("purchases", "messages", "events", "tariffs")
MOST = 1000  # documents a table; the oldest go
SAVE_S = 60
_CURSOR = "cursor"
_TEMPORARY = ".tmp"


class MinuteStorage(Storage):
    """Tables in memory; save() replaces the file: temporary file, fsync, rename, folder fsync."""

    def __init__(self, path):
        self._path = path
        self._changed = False
        self._saved_at = None
        try:
            with open(path, encoding="utf-8") as file:
                self._data = json.load(file)
            if not isinstance(self._data, dict):
                self._data = {}
        except (OSError, ValueError):
            self._data = {}  # absent or damaged: the journal fills it again

    def read(self):
        return self._data

    def write(self, data):
        self._data = data
        self._changed = True

    def save(self, now=False):
        """Write the file when something changed and a minute has passed, or `now`."""
        at = time.monotonic()
        recent = self._saved_at is not None and at - self._saved_at < SAVE_S
        if not self._changed or (recent and not now):
            return
        self._saved_at = at  # a disk that refuses is not asked again at once either
        temporary = self._path + _TEMPORARY
        private = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(private, "w", encoding="utf-8") as file:
            json.dump(self._data, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, self._path)
        folder = os.open(os.path.dirname(os.path.abspath(self._path)), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._changed = False


class TinyBook:
    """Contract Book (hal/contract.py) in the file `path`."""

    def __init__(self, path):
        self._storage = None
        self._database = TinyDB(str(path), storage=self._open)
        try:
            self._cursor = self._find_cursor()
        except Exception:  # JSON, but not the tables of a book
            self._forget()

    def _open(self, path):
        self._storage = MinuteStorage(path)
        return self._storage

    def _find_cursor(self):
        for name in self._database.tables():
            self._database.table(name).all()
        found = self._database.table(_CURSOR).get(doc_id=1) or {"sequence": 0, "hash": None}
        return int(found["sequence"]), found["hash"]

    def _forget(self):
        self._storage.write({})
        self._database = TinyDB(storage=lambda: self._storage)
        self._cursor = (0, None)

    def head(self):
        return self._cursor

    def clear(self):
        self._forget()

    def add(self, table, document):
        rows = self._database.table(table)
        rows.insert(document)
        excess = len(rows) - MOST
        if excess > 0:
            rows.remove(doc_ids=[row.doc_id for row in rows.all()[:excess]])

    def advance(self, sequence, hash):
        self._cursor = (sequence, hash)

    def find(self, table, since=None, until=None):
        """Documents of a table with since <= time < until (unix seconds), oldest first."""
        return [
            dict(row)
            for row in self._database.table(table).all()
            if (since is None or row["time"] >= since) and (until is None or row["time"] < until)
        ]

    def save(self, now=False):
        """Write the file at most once a minute; `now` at a clean end. OSError: not written."""
        cursor = {"sequence": self._cursor[0], "hash": self._cursor[1]}
        rows = self._database.table(_CURSOR)
        if rows.get(doc_id=1) != cursor:
            rows.upsert(Document(cursor, doc_id=1))
        self._storage.save(now)
