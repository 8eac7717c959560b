"""What several tests boot: the package of this checkout, made once a session for each Debian."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.faults.machine.installed import packed
from cli.faults.power import block, boot, tree
from provisioning.package.target import Python, Target


@pytest.fixture(scope="session")
def package_for(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Python], Path]:
    """The unit's package for amd64 and a Python."""

    @cache
    def made(python: Python) -> Path:
        try:
            return packed(Target("amd64", python), tmp_path_factory.mktemp("package"))
        except UsageError as error:
            pytest.skip(str(error))

    return made


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system to boot: the one that the commands keep, else one of this session."""
    try:
        block.need(boot.PROGRAMS)
        kept = tree.default_folder()
        return tree.made(kept if kept.exists() else tmp_path_factory.mktemp("booted") / "tree")
    except UsageError as error:
        pytest.skip(str(error))
