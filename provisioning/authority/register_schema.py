"""The tables of the register."""

from __future__ import annotations

VERSION = 1
SCHEMA = (
    """CREATE TABLE unit (
        unit TEXT PRIMARY KEY, vehicle TEXT NOT NULL, made_s INTEGER NOT NULL, enrolled_s INTEGER, revoked_s INTEGER, reason TEXT,
        replaces TEXT REFERENCES unit (unit))""",
    # Of a code only its hash is kept: whoever reads the register cannot enrol with it.
    """CREATE TABLE code (
        sha256 TEXT PRIMARY KEY, unit TEXT NOT NULL REFERENCES unit (unit), made_s INTEGER NOT NULL, until_s INTEGER NOT NULL,
        void INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE claim (
        code TEXT NOT NULL REFERENCES code (sha256), purpose TEXT NOT NULL, key_sha256 TEXT NOT NULL, at_s INTEGER NOT NULL,
        PRIMARY KEY (code, purpose)) WITHOUT ROWID""",
    """CREATE TABLE certificate (
        serial TEXT PRIMARY KEY, unit TEXT NOT NULL, purpose TEXT NOT NULL, key_sha256 TEXT NOT NULL, issued_s INTEGER NOT NULL,
        until_s INTEGER NOT NULL, revoked_s INTEGER, pem BLOB NOT NULL)""",
    "CREATE INDEX certificate_unit ON certificate (unit)",
    "CREATE TABLE list (number INTEGER NOT NULL)",
    "INSERT INTO list VALUES (0)",
)
