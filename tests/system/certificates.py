"""Certificates for a broker at 127.0.0.1, made with openssl: good ones, and such as a unit must refuse."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

OPENSSL = shutil.which("openssl")
DAY = timedelta(days=1)
SETTINGS = """
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[extensions]
subjectAltName = {alternative_name}
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
AUTHORITY = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")


class Authority:
    """One certificate authority in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "ca.pem"
        (folder / "index.txt").touch()
        self._settings("IP:127.0.0.1")
        self._run("req", "-x509", *KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=Test authority", *AUTHORITY)

    def issue(self, name: str, *, starts: timedelta = -DAY, ends: timedelta = DAY, host: str = "IP:127.0.0.1") -> tuple[Path, Path]:
        """A certificate and its key; it begins and ends that long from now."""
        self._settings(host)
        self._run("req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        dates = ("-startdate", _date(starts), "-enddate", _date(ends))
        self._run("ca", "-batch", "-notext", "-extensions", "extensions", "-in", f"{name}.csr", "-out", f"{name}.pem", *dates)
        return self._folder / f"{name}.pem", self._folder / f"{name}.key"

    def _settings(self, alternative_name: str) -> None:
        (self._folder / "ca.cnf").write_text(SETTINGS.format(alternative_name=alternative_name), encoding="utf-8")

    def _run(self, command: str, *words: str) -> None:
        assert OPENSSL is not None
        run = subprocess.run([OPENSSL, command, "-config", "ca.cnf", *words], cwd=self._folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr


def _date(away: timedelta) -> str:
    return f"{datetime.now(UTC) + away:%Y%m%d%H%M%SZ}"
