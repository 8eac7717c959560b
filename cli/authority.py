"""`roadproof authority`: keys and certificates for the demo, the bench and small fleets."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.errors import UsageError
from cli.words import Commands, add, add_group
from provisioning import authority
from provisioning.authority import AuthorityError


def add_commands(commands: Commands) -> None:
    """Add `authority make`, `authority unit` and `authority receiver`."""
    group = add_group(commands, "authority", "keys and certificates that sign proofs, for the demo, the bench and small fleets")
    command = add(group, "make", make, "make a root and an issuing authority", "roadproof authority make authority")
    command.add_argument("folder", type=Path, help="folder to make it in; keep its root.key off line")
    example = "roadproof authority unit authority van-017 -o van-017"
    command = add(group, "unit", unit, "make a unit's evidence key and certificate", example)
    _add_leaf(command, "the unit's name, as in its settings")
    example = "roadproof authority receiver authority headquarters -o receiver"
    command = add(group, "receiver", receiver, "make the receiver's keys: for receipts, and to open attachments", example)
    _add_leaf(command, "a name for the receiver")


def _add_leaf(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument("folder", type=Path, help="the authority's folder")
    command.add_argument("name", help=name)
    command.add_argument("-o", "--out", type=Path, required=True, help="folder for the files")


def make(arguments: argparse.Namespace) -> int:
    """A new authority in a folder."""
    try:
        authority.make_root(arguments.folder)
    except AuthorityError as error:
        raise UsageError(str(error)) from None
    print(f"{arguments.folder}: root.pem is what others trust; keep root.key off line, and publish this fingerprint of root.pem:")
    print(authority.fingerprint(arguments.folder))
    return 0


def unit(arguments: argparse.Namespace) -> int:
    """Files for one unit."""
    try:
        authority.issue_unit(arguments.folder, arguments.name, arguments.out)
    except AuthorityError as error:
        raise UsageError(str(error)) from None
    print(f"{arguments.out}: unit.key and unit.pem for {arguments.name}; the unit needs the receiver's receiver.pem and seal.pub too")
    return 0


def receiver(arguments: argparse.Namespace) -> int:
    """Files for one receiver."""
    try:
        authority.issue_receiver(arguments.folder, arguments.name, arguments.out)
    except AuthorityError as error:
        raise UsageError(str(error)) from None
    print(f"{arguments.out}: receiver.key, receiver.pem, seal.key and seal.pub; back seal.key up, without it no photo can be opened")
    return 0
