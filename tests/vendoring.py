"""Third-party JavaScript of the page and of its tests: which bytes, from which npm packages, changed how.

`firmware/kiosk/vendor.json` is the list and the lock: package, version, npm's integrity (SHA-512 of the tarball) and the SHA-256
of every file as it lies here. This is a developer's tool and no part of the unit: nobody who runs or installs Roadproof needs npm.

    python -m tests.vendoring --check     compare the files with the list; needs no network
    python -m tests.vendoring             fetch the listed versions with npm and write the same files again
    python -m tests.vendoring --update    the same after a version or a file of the list was changed; writes the new hashes
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "firmware/kiosk/vendor.json"
FOLDERS = ("firmware/kiosk/static/vendor", "tests/browser/vendor")
OURS = {"firmware/kiosk/static/vendor/lit.js", "firmware/kiosk/static/vendor/THIRD-PARTY.md"}  # written by hand
IMPORT = re.compile(r"""(?P<before>(?:^|[\s;{}*/])(?:import|from)\s*)(?P<quote>["'])(?P<name>[^"'\n]+)(?P=quote)""")
SOURCE_MAP = re.compile(r"(?m)^(?://# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\n?")


class VendoringError(Exception):
    """What is vendored is not what the list says."""


class File(msgspec.Struct, kw_only=True):
    """One file: where it lies in the package, where it lies here, and the SHA-256 of what lies here."""

    source: str
    target: str
    sha256: str = ""


class Package(msgspec.Struct, kw_only=True):
    """One version of one npm package; `integrity` is the registry's own, `sha512-` and base64."""

    name: str
    version: str
    licence: str
    integrity: str = ""
    files: list[File]


class Vendored(msgspec.Struct, kw_only=True):
    """The whole list; `imports` says which file stands for a bare import such as `lit-html`."""

    imports: dict[str, str]
    packages: list[Package]


def read_list(path: Path = LIST) -> Vendored:
    """The list as it is checked in."""
    return msgspec.json.decode(path.read_bytes(), type=Vendored)


def transformed(content: bytes, target: str, imports: dict[str, str]) -> bytes:
    """A file as it is vendored: bare imports become relative paths, and the pointer to a source map that is not shipped goes."""
    if not target.endswith((".js", ".mjs", ".css")):
        return content
    text = SOURCE_MAP.sub("", content.decode())

    def relative(found: re.Match[str]) -> str:
        name = _file_of(found["name"], imports)
        if name is None:
            return found[0]
        path = os.path.relpath(name, Path(target).parent)
        return f"{found['before']}{found['quote']}{path if path.startswith('.') else './' + path}{found['quote']}"

    return IMPORT.sub(relative, text).encode()


def _file_of(name: str, imports: dict[str, str]) -> str | None:
    """The file that a bare import means: the package's entry, or a file below the entry's folder."""
    if name in imports:
        return imports[name]
    package = next((package for package in imports if name.startswith(package + "/")), None)
    return package and str(Path(imports[package]).parent / name.removeprefix(package + "/"))


def bare_imports(content: str) -> list[str]:
    """The imports that a browser could not resolve without a bundler."""
    return [found["name"] for found in IMPORT.finditer(content) if re.fullmatch(r"@?[a-z][\w./-]*", found["name"])]


def findings(vendored: Vendored, root: Path = ROOT) -> list[str]:
    """What differs between the files and the list, one sentence each; empty when all is as it should be."""
    found = []
    listed = {file.target: file for package in vendored.packages for file in package.files}
    for target, file in listed.items():
        path = root / target
        if not path.is_file():
            found.append(f"{target} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
            found.append(f"{target} is not the file that the list names; was it edited?")
    present = {str(path.relative_to(root)) for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()}
    return found + [f"{name} is not in the list" for name in sorted(present - listed.keys() - OURS)]


def tarball(package: Package, *, update: bool) -> dict[str, bytes]:
    """The files of a package as npm serves it; VendoringError when it is not the tarball of the list."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{package.name}@{package.version}", "--pack-destination", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise VendoringError(f"npm could not fetch {package.name} {package.version}: {done.stderr.strip()}")
        content = next(Path(folder).glob("*.tgz")).read_bytes()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if update:
        package.integrity = integrity
    elif integrity != package.integrity:
        raise VendoringError(f"{package.name} {package.version} is not the package that the list names")
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        members = [member for member in packed.getmembers() if member.isfile()]
        return {member.name.partition("/")[2]: _content(packed, member) for member in members}


def _content(packed: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = packed.extractfile(member)
    return opened.read() if opened else b""


def fetch(vendored: Vendored, *, update: bool, root: Path = ROOT) -> None:
    """Write every file of the list; VendoringError when one would not be what the list says and `update` is off."""
    for package in vendored.packages:
        content = tarball(package, update=update)
        for file in package.files:
            if file.source not in content:
                raise VendoringError(f"{package.name} {package.version} has no file {file.source}")
            wanted = transformed(content[file.source], file.target, vendored.imports)
            sha256 = hashlib.sha256(wanted).hexdigest()
            if not update and sha256 != file.sha256:
                raise VendoringError(f"{file.target} would not be the file that the list names")
            file.sha256 = sha256
            path = root / file.target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted)


def main(arguments: list[str] | None = None) -> int:
    """0 when the files are those of the list."""
    parser = argparse.ArgumentParser(prog="python -m tests.vendoring", description="Third-party JavaScript: check it, or fetch it again.")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--check", action="store_true", help="compare the files with the list, without a network")
    chosen.add_argument("--update", action="store_true", help="fetch, and write the new hashes into the list")
    options = parser.parse_args(arguments)
    vendored = read_list()
    try:
        if not options.check:
            fetch(vendored, update=options.update)
        if options.update:
            LIST.write_bytes(msgspec.json.format(msgspec.json.encode(vendored), indent=2) + b"\n")
    except VendoringError as error:
        print(error, file=sys.stderr)
        return 1
    found = findings(vendored)
    print("\n".join(found) or f"all {sum(len(package.files) for package in vendored.packages)} files are as listed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
