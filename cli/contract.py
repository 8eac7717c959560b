"""`roadproof contract`: what unit and fleet say to each other, shown and checked."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.errors import UsageError
from cli.words import Commands, add, add_group
from mqtt import schema, topics

FORMATS = ("table", "asyncapi", "schemas")


def add_commands(commands: Commands) -> None:
    """Add `contract show` and `contract check`."""
    group = add_group(commands, "contract", "the messages between unit and fleet")
    command = add(
        group, "show", show, "show the topics, or the contract for tools", "roadproof contract show --format asyncapi > asyncapi.yaml"
    )
    command.add_argument("--format", choices=FORMATS, default="table", help="table for people, an AsyncAPI 3.0 document, or JSON Schemas")
    command.add_argument("--json", action="store_true", help="the AsyncAPI document as JSON")
    command = add(
        group, "check", check, "check a message against the contract", "roadproof contract check payload.json --topic rp/v1/van-1/up/event"
    )
    command.add_argument("file", type=Path, help="the payload as it was published, or - for standard input")
    command.add_argument("--topic", help="its topic; without it the message's own typ and unit say which")


def show(arguments: argparse.Namespace) -> int:
    """Print the contract."""
    if arguments.json:
        print(json.dumps(schema.asyncapi()))
    elif arguments.format == "asyncapi":
        print(asyncapi_text(), end="")
    elif arguments.format == "schemas":
        kinds = [channel.message for channel in topics.CHANNELS if channel.message]
        print(json.dumps({kind.__name__: schema.json_schema(kind) for kind in kinds}, indent=2))
    else:
        Console().print(_table())
    return 0


def asyncapi_text() -> str:
    """The AsyncAPI document as it is checked in."""
    try:
        import yaml
    except ImportError:
        raise UsageError("YAML needs the PyYAML package, which units do not have; use --json, or a machine of the fleet") from None
    told = "# Generated: ./roadproof contract show --format asyncapi > mqtt/asyncapi.yaml\n"
    return told + yaml.safe_dump(schema.asyncapi(), sort_keys=False, width=120, allow_unicode=True)


def check(arguments: argparse.Namespace) -> int:
    """Say that a message keeps the contract, or (exit code 1) how it breaks it."""
    try:
        payload = sys.stdin.buffer.read() if str(arguments.file) == "-" else arguments.file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {arguments.file}: {(error.strerror or '').lower()}") from None
    faults = schema.check(arguments.topic or _own_topic(payload), payload)
    for fault in faults:
        print(f"{arguments.file}: {fault}")
    if not faults:
        print(f"{arguments.file}: keeps the contract")
    return int(bool(faults))


def _own_topic(payload: bytes) -> str:
    try:
        message = json.loads(payload)
        channel = next(channel for channel in topics.CHANNELS if channel.message and channel.kind == message["typ"])
        return channel.topic(message["unit"])
    except (ValueError, KeyError, TypeError, StopIteration):
        raise UsageError("the payload does not say its typ and unit (a track is deflated); name its topic with --topic") from None


def _table() -> Table:
    view = Table("topic", "by", "QoS", "retained", "expiry s", "when full", "note")
    for channel in topics.CHANNELS:
        view.add_row(
            f"{topics.ROOT}/UNIT/{channel.name}",
            channel.by.value,
            str(channel.qos),
            "yes" if channel.retained else "",
            str(channel.expiry_s or ""),
            "" if channel.keep is topics.Keep.NONE else channel.keep.value,
            channel.note,
        )
    return view
