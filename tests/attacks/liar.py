"""How an attack is told, and how the openssl script is asked about it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mqtt.evidence import bundle
from mqtt.evidence.bundle import Contents
from mqtt.evidence.chain import Signed
from mqtt.evidence.jws import POD, Kind, sign
from mqtt.evidence.keys import FileSigner
from tests.signers import Story, receipt, wall

Files = dict[str, bytes]
BASH = shutil.which("bash")


class Attack(NamedTuple):
    make: Callable[[Story, Path], Files]
    python: str  # what a bad finding of the Python verifier has in it
    openssl: str  # what a line of the script has in it


ATTACKS: dict[str, Attack] = {}


def attack(python: str, openssl: str) -> Callable[[Callable[..., Files | Contents]], Callable[..., Files | Contents]]:
    def kept(make: Callable[..., Files | Contents]) -> Callable[..., Files | Contents]:
        def files(story: Story, folder: Path) -> Files:
            made = make(story, folder) if make.__code__.co_argcount == 2 else make(story)
            return made if isinstance(made, dict) else unzipped(made)

        ATTACKS[make.__name__] = Attack(files, python, openssl)
        return make

    return kept


def unzipped(contents: Contents) -> Files:
    with zipfile.ZipFile(io.BytesIO(bundle.pack(contents))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Files) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def openssl_says(
    story: Story, files: Files, folder: Path, complaint: str = "", *, root: str = "../root.pem", surroundings: dict[str, str] | None = None
) -> tuple[int, str]:
    """Exit code and output of the script over the unpacked bundle; `complaint` is how its error output begins."""
    for name, data in files.items():
        path = folder / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "root.pem").write_bytes(story.fleet.root)
    (folder / "verify.sh").write_bytes(bundle.script())  # the reader's own: the one in the bundle is the liar's
    assert BASH is not None
    command = [BASH, "../verify.sh", root]
    run = subprocess.run(
        command, cwd=folder / "bundle", capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **(surroundings or {})}
    )
    assert run.stderr.startswith(complaint)
    assert bool(run.stderr) == bool(complaint), run.stderr
    return run.returncode, run.stdout


def edited(story: Story, name: str, change: Callable[[bytes], bytes]) -> Files:
    files = unzipped(story.contents())
    changed = change(files[name])
    assert changed != files[name], "the attack changes nothing"
    return {**files, name: changed}


def signed_raw(payload: bytes, kind: Kind, signer: FileSigner) -> Signed:
    """Bytes that no honest unit would sign, signed."""
    return Signed(rec=payload.decode(), jws=sign(payload, kind, signer))


def live_raw(story: Story, payload: bytes, **changes: Any) -> Contents:
    """Such bytes with a genuine receipt."""
    forged = signed_raw(payload, POD, story.fleet.unit)
    given = receipt(story.fleet, story.second, wall(2, 20), link=forged.link)
    return story.contents(record=forged, receipt=given, neighbours={}, **changes)


def other_fleet(story: Story, folder: Path) -> Story:
    """The same story, told by an authority whose certificates have the same names."""
    return type(story)(type(story.fleet)(folder / "rogue"))


ALTERED = "was altered, or signed with another key"
NOT_CANONICAL = "is not canonical JSON"
FOREIGN = "does not lead to the root that you trust"
