"""docs/track-format.md: its decoders read what units publish, and its words are those of the code."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mqtt import codec, messages, topics
from mqtt.codec import TrackPoint
from mqtt.messages import Track
from tests.contract import golden_messages

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "track-format.md").read_text(encoding="utf-8")
PAYLOADS = [golden.payload for golden in golden_messages.every() if golden.channel is topics.TRACK]
LINES_LIMIT = 15
PYTHON = "import base64, sys\nprint(json.dumps([fixes(base64.b64decode(line)) for line in sys.stdin]))"
NODE = """
const lines = require("node:fs").readFileSync(0, "utf8").trim().split("\\n");
console.log(JSON.stringify(lines.map((line) => fixes(Buffer.from(line, "base64")))));
"""
BROWSER = """
const lines = require("node:fs").readFileSync(0, "utf8").trim().split("\\n");
Promise.all(lines.map((line) => fixes(Buffer.from(line, "base64")))).then((all) => console.log(JSON.stringify(all)));
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def run(*command: str) -> Any:
    told = b"\n".join(map(base64.b64encode, PAYLOADS)) + b"\n"
    ran = subprocess.run(command, input=told, capture_output=True, check=True, timeout=60)
    return json.loads(ran.stdout)


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed: apt-get install nodejs")
    return found


def expected() -> list[list[dict[str, Any]]]:
    """What the decoders should give: the fixes with the columns that their batch has."""
    tracks = [codec.unpack(payload) for payload in PAYLOADS]
    return [
        [{name: getattr(point, name) for name in codec.COLUMNS if name in track.cols} for point in codec.from_columns(track.cols)]
        for track in tracks
    ]


def test_the_payloads_compared_have_gaps_and_an_empty_batch() -> None:
    batches = expected()
    assert [] in batches
    assert any(None in fix.values() for batch in batches for fix in batch)


def test_the_python_decoder_reads_what_units_publish() -> None:
    (decoder,) = blocks("python")
    assert run(sys.executable, "-I", "-c", f"{decoder}\n{PYTHON}") == expected()


def test_the_javascript_decoder_reads_what_units_publish() -> None:
    decoder, _ = blocks("js")
    assert run(node(), "-e", decoder + NODE) == expected()


def test_the_browsers_first_line_does_the_same_without_node_zlib() -> None:
    decoder, first_line = blocks("js")
    lines = decoder.splitlines()[1:]
    at = next(number for number, line in enumerate(lines) if "inflateSync" in line)
    browser = "\n".join([*lines[:at], first_line, *lines[at + 1 :]]).replace("function fixes", "async function fixes")
    assert run(node(), "-e", browser + BROWSER) == expected()


@pytest.mark.parametrize(("language", "which"), [("python", 0), ("js", 0)])
def test_a_decoder_has_fifteen_lines_at_most(language: str, which: int) -> None:
    assert len([line for line in blocks(language)[which].splitlines() if line.strip()]) <= LINES_LIMIT


def test_the_example_is_a_track_that_keeps_the_contract() -> None:
    (example,) = blocks("json")
    track = codec.unpack(codec.pack(messages.decode(example.encode(), Track)))
    assert len(codec.from_columns(track.cols)) == track.span


def test_the_table_names_every_column_and_the_content_type() -> None:
    described = re.findall(r"^\| `(\w+)` \| ([^|]*)\| (yes)? ?\| ", PAGE, re.MULTILINE)
    assert tuple(name for name, _, _ in described) == codec.COLUMNS
    assert tuple(name for name, _, always in described if always) == codec.REQUIRED
    assert f"`{topics.TRACK.content_type}`" in PAGE
    assert {field.name for field in msgspec.structs.fields(TrackPoint) if field.required} == set(codec.REQUIRED)
