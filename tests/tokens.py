"""A real SoftHSM2 for the tests: tokens in a folder, and the names of keys in them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "654321"


class Tokens:
    """Tokens of one folder; the library reads at its first use which folder that is, so a process has one."""

    def __init__(self, folder: Path) -> None:
        self._pin = folder / "pin"
        self._pin.write_text(f"{PIN}\n", encoding="utf-8")
        self._pin.chmod(0o600)
        (folder / "tokens").mkdir()
        self.config = folder / "softhsm2.conf"
        self.config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n", encoding="utf-8")

    def make(self, *labels: str) -> None:
        """Fresh tokens; before the library is first used."""
        for label in labels:
            subprocess.run(
                ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "1234567", "--pin", PIN],
                check=True,
                capture_output=True,
                env={**os.environ, "SOFTHSM2_CONF": str(self.config)},
            )

    def uri(self, name: str = "evidence", pin: Path | None = None) -> str:
        return f"pkcs11:token=roadproof;object={name}?module-path={MODULE}&pin-source=file:{pin or self._pin}"


def needed() -> None:
    """Skip where there is no SoftHSM2."""
    if not MODULE.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed: apt install softhsm2")
