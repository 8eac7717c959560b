"""The third-party JavaScript is what its list says, needs no bundler, and can be fetched again as the same bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.vendoring import (
    LIST,
    ROOT,
    File,
    Package,
    Vendored,
    VendoringError,
    bare_imports,
    fetch,
    findings,
    read_list,
    transformed,
)

TARGET = "firmware/kiosk/static/vendor/pad.js"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in read_list().packages:
        for file in package.files:
            (tmp_path / file.target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file.target, tmp_path / file.target)
    return tmp_path


def test_files_are_those_of_the_list() -> None:
    assert findings(read_list()) == []


def test_edited_file_is_found(copy: Path) -> None:
    file = read_list().packages[0].files[0]
    (copy / file.target).write_bytes((copy / file.target).read_bytes() + b" ")
    assert findings(read_list(), copy) == [f"{file.target} is not the file that the list names; was it edited?"]


def test_missing_file_is_found(copy: Path) -> None:
    file = read_list().packages[0].files[0]
    (copy / file.target).unlink()
    assert findings(read_list(), copy) == [f"{file.target} is missing"]


def test_file_that_nobody_listed_is_found(copy: Path) -> None:
    (copy / TARGET).write_text("export default 1")
    assert findings(read_list(), copy) == [f"{TARGET} is not in the list"]


def test_every_import_of_a_module_is_a_path() -> None:
    modules = [path for path in (ROOT / "firmware/kiosk/static").rglob("*") if path.suffix in {".js", ".mjs"}]
    assert modules
    assert {str(path): bare for path in modules if (bare := bare_imports(path.read_text(encoding="utf-8")))} == {}


def test_every_package_is_told_with_version_and_licence() -> None:
    told = (ROOT / "firmware/kiosk/static/vendor/THIRD-PARTY.md").read_text(encoding="utf-8")
    assert [
        package.name for package in read_list().packages if f"| {package.name} | {package.version} | {package.licence} " not in told
    ] == []


def test_list_names_no_registry() -> None:
    assert "://" not in LIST.read_text(encoding="utf-8")


def test_bare_import_becomes_a_path_and_the_source_map_goes() -> None:
    source = b'import{a}from"lit-html";import"./b.js";export*from "lit-html/directives/live.js";\n//# sourceMappingURL=c.js.map\n'
    assert bare_imports(source.decode()) == ["lit-html", "lit-html/directives/live.js"]
    changed = transformed(source, "vendor/lit-element/a.js", {"lit-html": "vendor/lit-html/lit-html.js"})
    assert changed == b'import{a}from"../lit-html/lit-html.js";import"./b.js";export*from "../lit-html/directives/live.js";\n'


def tarball() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("package/pad.js")
        content = b'export * from "lit-html";\n'
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An `npm` that knows one package."""
    content = tarball()
    (tmp_path / "pad.tgz").write_bytes(content)
    npm = tmp_path / "npm"
    npm.write_text(f'#!/bin/sh\n[ "$2" = pad@1.0.0 ] || {{ echo "no such version" >&2; exit 1; }}\ncp "{tmp_path}/pad.tgz" "$4"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return content


def listed(**changes: str) -> Vendored:
    package = Package(name="pad", version="1.0.0", licence="MIT", files=[File(source="pad.js", target=TARGET)])
    for name, value in changes.items():
        setattr(package, name, value)
    return Vendored(imports={"lit-html": "firmware/kiosk/static/vendor/lit-html/lit-html.js"}, packages=[package])


def test_update_writes_hashes_with_which_the_same_files_come_again(served: bytes, tmp_path: Path) -> None:
    vendored = listed()
    fetch(vendored, update=True, root=tmp_path)
    assert vendored.packages[0].integrity == "sha512-" + base64.b64encode(hashlib.sha512(served).digest()).decode()
    assert (tmp_path / TARGET).read_text() == 'export * from "./lit-html/lit-html.js";\n'
    (tmp_path / TARGET).unlink()
    fetch(vendored, update=False, root=tmp_path)
    assert findings(vendored, tmp_path) == []


@pytest.mark.parametrize(
    ("vendored", "sentence"),
    [
        (listed(integrity="sha512-AAAA"), "pad 1.0.0 is not the package that the list names"),
        (listed(version="9.9.9"), "npm could not fetch pad 9.9.9: no such version"),
    ],
    ids=["another tarball", "unknown version"],
)
@pytest.mark.usefixtures("served")
def test_package_that_is_not_the_listed_one_is_refused(vendored: Vendored, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(VendoringError, match=sentence):
        fetch(vendored, update=False, root=tmp_path)
    assert not (tmp_path / TARGET).exists()
