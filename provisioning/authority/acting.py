"""Root at the keyboard acts as the authority's own user: what that user could have put into its folders gains nothing by it.

The enrolment server faces the internet. Were it taken, a link in one of its folders, or a register that is none, would else be followed
by the next command of root's. For a moment only, and for a file that root named, one is oneself again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.authority.errors import FleetError

ROOT = 0


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """Inside, root is the owner of a fleet's folder authority/, programs that it starts included; anybody else stays who he is."""
    own = folder / "authority"
    if os.geteuid() != ROOT or not own.exists():
        yield
        return
    held = own.stat()
    if held.st_uid == ROOT:
        yield
        return
    _become(held.st_uid, held.st_gid)
    try:
        yield
    finally:
        _become(ROOT, ROOT)


@contextmanager
def as_oneself() -> Iterator[None]:
    """Inside `as_owner`: whoever began is himself, for a file that he named."""
    owner, owner_group = os.geteuid(), os.getegid()
    if owner == ROOT or os.getresuid()[2] != ROOT:
        yield
        return
    _become(ROOT, ROOT)
    try:
        yield
    finally:
        _become(owner, owner_group)


def _become(user: int, group: int) -> None:
    """Real and effective; the saved user stays root's, and is lost in every program that is started."""
    try:
        os.seteuid(ROOT)
        os.setgroups([group])
        os.setresgid(group, group, ROOT)
        os.setresuid(user, user, ROOT)
    except OSError as error:
        raise FleetError(f"this command cannot act as the owner of the fleet's folder: {(error.strerror or str(error)).lower()}") from None
