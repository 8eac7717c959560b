"""What is checked in of the contract is what the code says, and other people's tools can read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cli import contract
from mqtt import messages, schema, topics

ROOT = Path(__file__).resolve().parents[2]
ASYNCAPI_SCHEMA = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text(encoding="utf-8"))

Json = dict[str, Any]


@pytest.fixture
def document() -> Json:
    read: Json = yaml.safe_load((ROOT / "mqtt" / "asyncapi.yaml").read_text(encoding="utf-8"))
    return read


def references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def resolved(document: Json, reference: str) -> Any:
    assert reference.startswith("#/"), f"{reference} leads out of the document"
    part: Any = document
    for name in reference.removeprefix("#/").split("/"):
        assert name in part, f"{reference} leads nowhere"
        part = part[name]
    return part


@pytest.mark.parametrize("name", contract.documents())
def test_a_generated_file_is_up_to_date(name: str) -> None:
    text = (ROOT / "mqtt" / name).read_text(encoding="utf-8")
    assert text == contract.documents()[name], f"mqtt/{name} is not what the code says; run: ./roadproof contract write"


@pytest.mark.parametrize("folder", ["schemas", "broker"])
def test_no_generated_file_is_left_over(folder: str) -> None:
    written = {f"{folder}/{path.name}" for path in (ROOT / "mqtt" / folder).iterdir() if path.suffix in {".json", ".acl"}}
    assert written <= contract.documents().keys()


def test_the_document_is_asyncapi_3(document: Json) -> None:
    assert list(jsonschema.Draft7Validator(ASYNCAPI_SCHEMA).iter_errors(document)) == []


def test_the_asyncapi_schema_would_see_a_wrong_action(document: Json) -> None:
    document["operations"]["send_up_event"]["action"] = "shout"
    assert not jsonschema.Draft7Validator(ASYNCAPI_SCHEMA).is_valid(document)


def test_every_reference_leads_somewhere(document: Json) -> None:
    found = list(references(document))
    assert len(found) > 3 * len(topics.CHANNELS)
    for reference in found:
        resolved(document, reference)


def test_an_operation_uses_the_messages_of_its_own_channel(document: Json) -> None:
    for name, operation in document["operations"].items():
        channel = resolved(document, operation["channel"]["$ref"])
        allowed = [f"{operation['channel']['$ref']}/messages/{key}" for key in channel["messages"]]
        assert [message["$ref"] for message in operation["messages"]] == allowed, name


def test_every_topic_is_described_with_its_qos_retain_and_expiry(document: Json) -> None:
    for channel in topics.CHANNELS:
        operation = next(one for one in document["operations"].values() if address(document, one) == f"rp/v1/{{unit}}/{channel.name}")
        told = operation["bindings"]["mqtt"]
        assert (told["qos"], told["retain"], told.get("messageExpiryInterval")) == (channel.qos, channel.retained, channel.expiry_s)
        assert operation["action"] == ("send" if channel.by is topics.By.UNIT else "receive")


def address(document: Json, operation: Json) -> str:
    told: str = resolved(document, operation["channel"]["$ref"])["address"]
    return told


def test_parameters_are_those_of_the_address(document: Json) -> None:
    for channel in document["channels"].values():
        assert {part[1:-1] for part in channel["address"].split("/") if part.startswith("{")} == channel["parameters"].keys()


def test_the_documents_version_is_the_one_that_units_announce(document: Json) -> None:
    assert document["info"]["version"] == messages.CONTRACT
    assert messages.State(unit="v", boot="abcdef", log="0a1b2c3d", session=1, state="online", t=None).contract == messages.CONTRACT


@pytest.mark.parametrize("kind", schema.json_schemas())
def test_each_json_schema_stands_alone(kind: str) -> None:
    alone = json.loads((ROOT / "mqtt" / "schemas" / f"{kind}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(alone)
    for reference in references(alone):
        resolved(alone, reference)


def test_the_access_rules_let_each_side_publish_its_own_channels_alone() -> None:
    fleet = (ROOT / "mqtt" / "broker" / "fleet.acl").read_text(encoding="utf-8")
    receiver, operator = fleet.split("user svc-operator")
    for channel in topics.CHANNELS:
        rule = f"topic write rp/v1/+/{channel.name}\n"
        assert (rule in receiver, rule in operator) == (channel.by is topics.By.RECEIVER, channel.by is topics.By.OPERATOR)
