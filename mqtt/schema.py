"""The contract as documents for other people's tools: JSON Schemas and an AsyncAPI 3.0 description, from the structs and the table."""

from __future__ import annotations

from typing import Any

import msgspec

from mqtt import codec, messages, run, topics

Json = dict[str, Any]

SCHEMAS = "#/components/schemas/"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def _components() -> tuple[dict[type, Json], Json]:
    kinds = [channel.message for channel in topics.CHANNELS if channel.message]
    refs, components = msgspec.json.schema_components(kinds, ref_template=SCHEMAS + "{name}")
    return dict(zip(kinds, refs, strict=True)), components


def json_schema(kind: type[messages.Message]) -> Json:
    """A self-contained JSON Schema (2020-12) of one message."""
    return {"$schema": DRAFT, **msgspec.json.schema(kind)}


def json_schemas() -> dict[str, Json]:
    """The JSON Schema of every message by its kind, as its `typ` says it; of a track before it is deflated."""
    return {channel.kind: json_schema(channel.message) for channel in topics.CHANNELS if channel.message}


def asyncapi() -> Json:
    """The whole contract as an AsyncAPI 3.0 document (plain dicts), seen from the unit: it sends up/, it receives dn/."""
    refs, components = _components()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Roadproof",
            "version": messages.CONTRACT,
            "description": "What a Roadproof unit and its fleet say to each other over MQTT 5.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_key(channel): _channel(channel) for channel in topics.CHANNELS},
        "operations": {f"{_action(channel)}_{_key(channel)}": _operation(channel) for channel in topics.CHANNELS},
        "components": {
            "messages": {_key(channel): _message(channel, refs) for channel in topics.CHANNELS},
            "schemas": components,
        },
    }


def _key(channel: topics.Channel) -> str:
    return "_".join(part for part in channel.name.split("/") if not part.startswith("{"))


def _action(channel: topics.Channel) -> str:
    return "send" if channel.by is topics.By.UNIT else "receive"


def _channel(channel: topics.Channel) -> Json:
    address = f"{topics.ROOT}/{{unit}}/{channel.name}"
    told = {
        "unit": f"the unit's name, {topics.UNIT.pattern}",
        "sha": "SHA-256 of the attachment, 64 hexadecimal digits",
        "offset": "position of the chunk in the attachment, in bytes",
    }
    return {
        "address": address,
        "description": channel.note,
        "parameters": {name: {"description": text} for name, text in told.items() if f"{{{name}}}" in address},
        "messages": {_key(channel): {"$ref": f"#/components/messages/{_key(channel)}"}},
    }


def _operation(channel: topics.Channel) -> Json:
    binding: Json = {"qos": channel.qos, "retain": channel.retained, "bindingVersion": "0.2.0"}
    if channel.expiry_s is not None:
        binding["messageExpiryInterval"] = channel.expiry_s
    return {
        "action": _action(channel),
        "channel": {"$ref": f"#/channels/{_key(channel)}"},
        "messages": [{"$ref": f"#/channels/{_key(channel)}/messages/{_key(channel)}"}],
        "summary": f"published by the {channel.by}; when the unit's store runs full: {channel.keep}",
        "bindings": {"mqtt": binding},
    }


def _message(channel: topics.Channel, refs: dict[type, Json]) -> Json:
    if channel.message is None:
        return {"name": channel.kind, "summary": "reserved: a later minor version defines the payload"}
    told: Json = {"name": channel.kind, "payload": refs[channel.message]}
    if channel.content_type:
        told["contentType"] = channel.content_type
        told["summary"] = "the payload is this JSON, deflated (zlib, RFC 1950)"
    return told


def check(topic: str, payload: bytes) -> list[str]:
    """What is wrong with a published message, as sentences; an empty list when nothing is.

    A kind without a payload of its own yet (reserved, or a newer version's) keeps the contract whatever it carries.
    """
    address = topics.parse(topic)
    if address is None:
        return [f"{topic} is no topic of the contract ({topics.ROOT}/UNIT/up/... or dn/...)"]
    channel = address.channel
    if channel is None or channel.message is None:
        return []
    try:
        message = codec.unpack(payload) if channel is topics.TRACK else messages.decode(payload, channel.message)
        for name in ("t", "received"):
            if isinstance(text := getattr(message, name, None), str):
                messages.utc_ms(text)
    except messages.MessageError as error:
        return [f"{channel.name}: {error}"]
    if message.unit != address.unit:
        return [f"{channel.name}: the payload is of unit {message.unit}, the topic of {address.unit}"]
    return [f"{channel.name}: {fault}" for fault in run.faults(message.plan)] if isinstance(message, messages.Run) else []
