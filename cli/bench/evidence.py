"""What signing, sealing and checking cost, on a proof that a unit made."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from cli.bench.figure import Told, p50
from cli.bench.unit import typed
from mqtt.evidence import bundle
from mqtt.evidence.chain import Head, read_record, seal_record
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.sealing import Seal
from mqtt.evidence.verdict import verify_bundle
from mqtt.evidence.verify import verify_record

TIMES, PROGRAM_TIMES = 100, 3
PHOTO_BYTES = 300_000  # the largest photo

FIGURES = (
    Told("record", "B", "the signed record alone"),
    Told("record, signature", "B", "its signature"),
    Told("sign a record", "ms", "check its form, make it canonical, sign, link; key in a file"),
    Told("verify a record", "ms", "form, signature, certificates up to the root"),
    Told("seal a photo", "ms", "HPKE of 300 kB"),
    Told("bundle", "B", "record, receipt, certificates, neighbours, photo, signature, script, zipped"),
    Told("verify a bundle", "ms", "all findings, in Python, within the process"),
    Told("roadproof verify", "s", "the command, from its start to its end"),
    Told("verify-openssl.sh", "s", "the script in the bundle, unpacked before"),
)


def measured(fleet: Path, proof_id: str, keys: Path) -> dict[str, float]:
    """Every figure; `fleet` is the receiver's settings file, `keys` the folder of the stage."""
    folder, root = fleet.parent, keys / "unit" / "root.pem"
    path = folder / "proof.zip"
    typed("fleet", "bundle", proof_id, "-o", str(path), "--config", str(fleet))
    contents = bundle.unpack(path.read_bytes())
    signed, record = contents.record, read_record(contents.record)
    signer = FileSigner.load(keys / "unit" / "unit.key", keys / "unit" / "unit.pem")
    seal, photo, authority = Seal((keys / "receiver" / "seal.pub").read_bytes()), os.urandom(PHOTO_BYTES), root.read_bytes()
    head = Head(seq=record.seq - 1, link=record.prev)
    shutil.unpack_archive(path, folder / "proof")
    return {
        "record": len(signed.rec.encode()),
        "record, signature": len(signed.jws),
        "sign a record": _ms(lambda: seal_record(record, head, signer)),
        "verify a record": _ms(
            lambda: verify_record(signed.rec, signed.jws, unit=contents.unit, issuing=contents.issuing, root=authority, at=record.t.wall)
        ),
        "seal a photo": _ms(lambda: seal.seal(photo)),
        "bundle": path.stat().st_size,
        "verify a bundle": _ms(lambda: verify_bundle(contents, authority)),
        "roadproof verify": _ms(lambda: typed("verify", str(path), "--root", str(root)), PROGRAM_TIMES) / 1000,
        "verify-openssl.sh": _ms(lambda: _script(folder / "proof", root), PROGRAM_TIMES) / 1000,
    }


def _ms(work: Callable[[], object], times: int = TIMES) -> float:
    """The median of some times."""
    took = []
    for _ in range(times):
        began_s = time.perf_counter()
        work()
        took.append((time.perf_counter() - began_s) * 1000)
    return p50(took)


def _script(folder: Path, root: Path) -> None:
    subprocess.run(["bash", "verify-openssl.sh", str(root)], cwd=folder, check=True, stdout=subprocess.DEVNULL)
