"""Our camera on the real picamera2, on libcamera's virtual pipeline, in a tree of its own.

Building the tree takes a minute and 0.9 GB: `sh ../shared/tools/camera/build.sh DIR`, then `ROADPROOF_PICAMERA2_TREE=DIR`. The tree
gets our one dependency, msgspec, from the package index by pip.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT.parent / "shared" / "tools" / "power" / "chroot_run.sh"
TREE = os.environ.get("ROADPROOF_PICAMERA2_TREE")
SITE = "opt/roadproof-test"
COMMAND = (
    "cd /tmp; LIBCAMERA_LOG_LEVELS=*:FATAL LD_PRELOAD=/usr/local/lib/udmabuf_shim.so PYTHONDONTWRITEBYTECODE=1"
    f" PYTHONPATH=/opt/picam:/{SITE}:/mnt/bind exec timeout -s KILL 120 python3 -u -m tests.system.picamera2_tree"
)


@pytest.fixture(scope="module")
def tree() -> Path:
    if TREE is None:
        pytest.skip("the environment variable ROADPROOF_PICAMERA2_TREE names no tree with the real picamera2")
    if not RUN.is_file():
        pytest.skip("the tools beside the checkout (../shared/tools) are not there")
    found = Path(TREE)
    site = found / SITE
    if not (site / "msgspec").is_dir():
        _install(found, site)
    return found


def test_our_camera_keeps_its_promises_on_the_real_library(tree: Path) -> None:
    run = subprocess.run(
        ["sh", str(RUN), str(tree), "sh", "-c", COMMAND],
        env=os.environ | {"BIND": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("passed ") == 6


def _install(tree: Path, site: Path) -> None:
    """The tree's Python is another version than ours, so the wheel is fetched for it and unpacked."""
    version = next(path.name.removeprefix("python") for path in sorted((tree / "usr/lib").glob("python3.*")))
    site.mkdir(parents=True, exist_ok=True)
    fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--python-version", version]
    platforms = [word for name in ("manylinux2014", "manylinux_2_17", "manylinux_2_28") for word in ("--platform", f"{name}_x86_64")]
    subprocess.run([*fetch, *platforms, "-d", str(site), "msgspec"], check=True)
    for wheel in site.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        wheel.unlink()
