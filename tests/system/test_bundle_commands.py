"""`roadproof verify`, as it is typed; and the script over flipped bits."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import pytest
from msgspec import structs

from cli import verify
from cli.errors import UsageError
from mqtt.evidence import bundle
from mqtt.evidence.chain import seal_record
from mqtt.evidence.verdict import verify_bundle
from tests.attacks import openssl_says, unzipped, zipped
from tests.signers import Fleet, Story, plain, receipt, record, wall


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(Fleet(tmp_path_factory.mktemp("fleet")))


@pytest.fixture
def proof(story: Story, tmp_path: Path) -> Path:
    bundle.write(tmp_path / "pod.zip", story.contents())
    (tmp_path / "root.pem").write_bytes(story.fleet.root)
    return tmp_path / "pod.zip"


def typed(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    verify.add_commands(commands)
    arguments = parser.parse_args([str(word) for word in words])
    return int(arguments.run(arguments))


def test_a_good_proof_holds(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("verify", proof, "--root", proof.with_name("root.pem")) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "The proof holds."
    assert said[0].startswith("note: Checked against the root certificate ")
    assert all(line.startswith("good: ") and line.endswith(".") for line in said[1:-1])


def test_programs_get_the_findings_and_the_record(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("verify", proof, "--root", proof.with_name("root.pem"), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["good"], said["record"]["stop"], said["receipt"]["seq"]) == (True, "stop-2", 2)
    assert {finding["level"] for finding in said["findings"] if finding["about"] != "root"} == {"good"}


def test_a_bad_proof_does_not_hold(proof: Path, story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    files = unzipped(story.contents())
    proof.write_bytes(zipped({**files, "record.json": files["record.json"].replace(b"d-1", b"d-2")}))
    assert typed("verify", proof, "--root", proof.with_name("root.pem")) == 1
    said = capsys.readouterr().out
    assert "BAD:  The record does not hold: its signature does not fit" in said
    assert said.endswith("The proof does NOT hold.\n")


def test_what_is_no_bundle_is_a_finding_too(proof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof.write_bytes(b"not a bundle")
    assert typed("verify", proof, "--root", proof.with_name("root.pem"), "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["findings"][0]["text"] == "The bundle cannot be read: it is no zip file, or a damaged one: ask for it again."
    assert (said["good"], said["record"]) == (False, None)


def test_files_that_cannot_be_used_are_named(proof: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.zip"):
        typed("verify", tmp_path / "absent.zip", "--root", tmp_path / "root.pem")
    with pytest.raises(UsageError, match=r"--root .*one certificate in PEM form"):
        typed("verify", proof, "--root", proof)


@pytest.mark.parametrize("name", ["record.json", "record.jws", "receipt.json", "receipt.jws"])
def test_openssl_alone_refuses_a_sample_of_flipped_bits(name: str, story: Story, tmp_path: Path) -> None:
    files = unzipped(story.contents(neighbours={}, after=None))
    size = len(files[name])
    for number, at in enumerate((0, size // 3, size - 1)):
        data = bytearray(files[name])
        data[at] ^= 1 << number * 3
        code, said = openssl_says(story, {**files, name: bytes(data)}, tmp_path / str(number))
        assert (code, "BAD:" in said) == (1, True), (at, said)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" + "1," * 500_000 + "1]", "[" * 30 + "]" * 30, '["' * 20_000, '{"a":' * 5_000, '{"a":"' + "\\\\" * 300_000]
)
@pytest.mark.parametrize("name", ["record.json", "receipt.json", "chain/1.json"])
def test_no_json_keeps_the_script_busy(name: str, text: str, story: Story, tmp_path: Path) -> None:
    code, said = openssl_says(story, {**unzipped(story.contents()), name: text.encode()}, tmp_path)
    assert (code, said.splitlines()[-1]) == (1, "The proof does NOT hold."), said


def test_the_script_asks_for_what_it_needs(story: Story, tmp_path: Path) -> None:
    code, said = openssl_says(story, {"nothing": b""}, tmp_path, complaint="usage, inside an unpacked bundle")
    assert (code, said) == (2, "")


def test_the_script_takes_no_root_that_came_with_the_evidence(story: Story, tmp_path: Path) -> None:
    files = {**unzipped(story.contents()), "mine.pem": story.fleet.root}
    code, said = openssl_says(story, files, tmp_path, complaint="the root certificate lies among the evidence", root="mine.pem")
    assert (code, said) == (2, "")


@pytest.mark.parametrize(
    "surroundings",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C.utf8"},
        {"LC_ALL": "POSIX", "LANG": "C.utf8"},
        {"TMPDIR": "a b"},
        {"POSIXLY_CORRECT": "1"},
        {"IFS": "a"},
    ],
    ids=str,
)
def test_the_script_says_the_same_everywhere(surroundings: dict[str, str], story: Story, tmp_path: Path) -> None:
    folder = tmp_path / "a folder; $(touch pwned) of 'mine'"
    (folder / "bundle" / "a b").parent.mkdir(parents=True)
    if "TMPDIR" in surroundings:
        (tmp_path / "a b").mkdir()
        surroundings = {"TMPDIR": str(tmp_path / "a b")}
    code, said = openssl_says(story, unzipped(story.contents()), folder, surroundings=surroundings)
    assert (code, said.count("good: "), said.splitlines()[-1]) == (0, 8, "The proof holds."), said
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("answer", ["LibreSSL 3.3.6", "OpenSSL 1.1.1w  11 Sep 2023"])
def test_the_script_says_which_openssl_it_needs(answer: str, story: Story, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "openssl"
    fake.write_text(f"#!/bin/sh\necho '{answer}'\n")
    fake.chmod(0o755)
    path = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    code, said = openssl_says(story, unzipped(story.contents()), tmp_path, complaint="openssl 3.0 or newer is needed", surroundings=path)
    assert (code, said) == (2, "")


@pytest.mark.parametrize("name", ["att/\x1b[2J\x1b[HThe proof holds.", "chain/\r\x1b[2KThe proof holds.\n", "att/\u202eeil"])
def test_the_name_of_a_file_cannot_speak_for_the_script(name: str, story: Story, tmp_path: Path) -> None:
    code, said = openssl_says(story, {**unzipped(story.contents()), name: b"x"}, tmp_path)
    assert (code, said.splitlines()[-1]) == (1, "The proof does NOT hold.")
    assert "does not belong into a bundle" in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize("reason", ["Gate locked!", "\u0645\u063a\u0644\u0642", "not_home", "a" * 200])
def test_a_reason_is_signed_as_the_fleet_wrote_it(reason: str, story: Story, tmp_path: Path) -> None:
    sealed = story.again(reason=reason, items=(structs.replace(story.said.items[0], reason=reason),))
    files = unzipped(story.live(sealed))
    assert reason in files["record.json"].decode()
    code, said = openssl_says(story, files, tmp_path)
    assert code == 0, said
    assert verify_bundle(bundle.unpack(zipped(files)), story.fleet.root).good


def test_the_script_needs_bash_openssl_and_coreutils_alone() -> None:
    text = bundle.script().decode()
    for program in ("sed", "awk", "grep", "jq", "xxd", "unzip", "python", "perl", "curl"):
        assert f"{program} " not in text, program


def test_a_record_of_the_greatest_length_is_checked_by_openssl_too(story: Story, tmp_path: Path) -> None:
    item = story.said.items[0]
    long = story.again(items=tuple(structs.replace(item, line_id="\\" * 150 + str(number)) for number in range(1_000)))
    assert len(long.rec) > 400_000
    after = seal_record(record(3), long.head, story.fleet.unit)
    code, said = openssl_says(story, unzipped(structs.replace(story.live(long), neighbours={3: plain(after)})), tmp_path / "itself")
    assert code == 0, said
    contents = story.live(seal_record(record(3), long.head, story.fleet.unit), after=None)
    given = receipt(story.fleet, seal_record(record(3), long.head, story.fleet.unit), wall(3, 20), link=contents.record.link)
    beside = structs.replace(contents, receipt=given, attachments={}, neighbours={2: plain(long)})
    code, said = openssl_says(story, unzipped(beside), tmp_path / "beside")
    assert code == 0, said
