"""`roadproof contract`: what unit and fleet say to each other, shown and checked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.errors import UsageError
from cli.words import Commands, add, add_group
from mqtt import access, schema, topics

FORMATS = ("table", "asyncapi", "schemas")
HOME = Path(schema.__file__).parent  # where the written contract is checked in


def add_commands(commands: Commands) -> None:
    """Add `contract show`, `contract check` and `contract write`."""
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
    command = add(
        group, "write", write, "write the contract's generated files: AsyncAPI, JSON Schemas, access rules", "roadproof contract write"
    )
    command.add_argument("--folder", type=Path, default=HOME, help="where to; the project's own mqtt folder when absent")


def show(arguments: argparse.Namespace) -> int:
    """Print the contract."""
    if arguments.json:
        print(json.dumps(schema.asyncapi()))
    elif arguments.format == "asyncapi":
        print(asyncapi_text(), end="")
    elif arguments.format == "schemas":
        print(json.dumps(schema.json_schemas(), indent=2))
    else:
        Console().print(_table())
    return 0


def asyncapi_text() -> str:
    """The AsyncAPI document as it is checked in; UsageError where PyYAML is not installed."""
    try:
        import yaml
    except ImportError:
        raise UsageError("YAML needs the PyYAML package, which units do not have; use --json, or a machine of the fleet") from None
    told = "# Generated: ./roadproof contract write\n# The source is mqtt/messages.py and mqtt/topics.py.\n"
    return told + yaml.safe_dump(schema.asyncapi(), sort_keys=False, width=120, allow_unicode=True)


def documents() -> Mapping[str, str]:
    """Every generated file of the contract: its path below the folder mqtt, and its text."""
    schemas = {f"schemas/{kind}.json": json.dumps(told, indent=2) + "\n" for kind, told in schema.json_schemas().items()}
    return {"asyncapi.yaml": asyncapi_text(), **schemas, "broker/units.acl": access.units(), "broker/fleet.acl": access.fleet()}


def write(arguments: argparse.Namespace) -> int:
    """Write the generated files, and name those that changed."""
    changed = 0
    for name, text in documents().items():
        path = arguments.folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {path}: {(error.strerror or '').lower()}; name another --folder") from None
        print(f"written: {path}")
        changed += 1
    if not changed:
        print("nothing changed")
    return 0


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
