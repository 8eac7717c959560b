"""Which store and which settings a fleet command works with."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from cli.errors import UsageError
from fleet.config import DEFAULT_STORE, FleetSettings
from fleet.store import Store, StoreError, open_store
from mqtt import settings, topics

DEFAULT_CONFIG = Path("/etc/roadproof/fleet.toml")


def add_place(command: argparse.ArgumentParser) -> None:
    """Let a command be told which store it reads."""
    place = command.add_mutually_exclusive_group()
    place.add_argument("--config", metavar="FILE", type=Path, help="the receiver's settings: they name the store")
    place.add_argument("--store", metavar="URL", help=f"sqlite:///absolute/path.db or postgresql://...; default {DEFAULT_STORE}")


def opened(arguments: argparse.Namespace) -> AbstractContextManager[Store]:
    """The store, for reading."""
    return _store(arguments, writing=False)


def written(arguments: argparse.Namespace) -> AbstractContextManager[Store]:
    """The store, for writing beside a receiver."""
    return _store(arguments, writing=True)


@contextmanager
def _store(arguments: argparse.Namespace, *, writing: bool) -> Iterator[Store]:
    url = read_settings(arguments.config).store if arguments.config else arguments.store or DEFAULT_STORE
    try:
        store = open_store(url, writing=writing)
        store.open()
    except StoreError as error:
        raise UsageError(str(error)) from None
    try:
        yield store
    except StoreError as error:
        raise UsageError(str(error)) from None
    finally:
        store.close()


def read_settings(path: Path) -> FleetSettings:
    """The settings of a file; UsageError names every fault in it."""
    try:
        return settings.load(path, FleetSettings)
    except settings.SettingsError as error:
        raise UsageError("\nroadproof: ".join(error.faults)) from None


def check_unit(store: Store, unit: str) -> None:
    """UsageError when the store has never heard of a unit."""
    if not topics.UNIT.fullmatch(unit):
        raise UsageError(f"{unit!r} is no unit name: small letters, digits and hyphens, 32 at most")
    known = [row.unit for row in store.units()]
    if unit not in known:
        raise UsageError(f"the store has never heard of unit {unit}; known: {', '.join(known[:10]) or 'none yet'}")
