"""Both verifiers, Python and openssl alone, against the same liars."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from mqtt.evidence import EvidenceError, bundle
from mqtt.evidence.verdict import verify_bundle
from tests.attacks import ATTACKS, Files, openssl_says, unzipped, zipped
from tests.signers import Fleet, Story


class Trial(NamedTuple):
    files: Files
    openssl: Future[tuple[int, str]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(Fleet(tmp_path_factory.mktemp("fleet")))


@pytest.fixture(scope="module")
def trials(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Trial]]:
    """Every attack, the script running over several at a time: it mostly waits for openssl to start."""
    folder = tmp_path_factory.mktemp("trials")
    with ThreadPoolExecutor(4) as pool:
        started = {}
        for name, attack in ATTACKS.items():
            (folder / name).mkdir()
            files = attack.make(story, folder / name)
            started[name] = Trial(files, pool.submit(openssl_says, story, files, folder / name))
        yield started
    assert list(folder.rglob("pwned")) == []


def python_says(story: Story, files: Files) -> list[str]:
    """What speaks against the bundle."""
    try:
        verdict = verify_bundle(bundle.unpack(zipped(files)), story.fleet.root)
    except EvidenceError as error:
        return [str(error)]
    return [finding.text for finding in verdict.findings if finding.level == "bad"]


def test_both_accept_the_good_bundle(story: Story, tmp_path: Path) -> None:
    files = unzipped(story.contents())
    assert python_says(story, files) == []
    code, said = openssl_says(story, files, tmp_path)
    assert (code, said.splitlines()[-1], said.count("good: ")) == (0, "The proof holds.", 8), said


def test_both_accept_a_bundle_without_what_is_optional(story: Story, tmp_path: Path) -> None:
    files = unzipped(story.contents(neighbours={}, after=None))
    assert python_says(story, files) == []
    code, said = openssl_says(story, files, tmp_path)
    assert (code, said.count("note: ")) == (0, 3), said


@pytest.mark.parametrize("name", ATTACKS)
def test_both_refuse(name: str, story: Story, trials: dict[str, Trial]) -> None:
    against = python_says(story, trials[name].files)
    assert any(ATTACKS[name].python in text for text in against), against
    code, said = trials[name].openssl.result(timeout=120)
    assert code == 1, said
    assert any(ATTACKS[name].openssl in line for line in said.splitlines() if line.startswith("BAD:")), said
