"""`roadproof config`: the settings file, shown and checked."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.daemon import load_config, unusable
from cli.words import Commands, add, add_group
from firmware.config import Config
from fleet.config import FleetSettings
from mqtt import settings
from mqtt.settings import Setting

INTRODUCTION = """# Settings

<!-- Generated: ./roadproof config show --markdown > docs/settings.md -->

Both ends read one TOML file. A section is written `[broker]`, and a setting below it without the section's name:
`broker.port` here is `port = 8883` there. A setting that is absent has its default. `roadproof config check FILE`
(for a receiver's file `roadproof config check --fleet FILE`) names every mistake: an unknown key with the nearest
known one, a value with what is allowed. A section that may be left out has a row of its own; what it needs when it is there is
marked below it.
"""
UNIT_EXAMPLE = """An enrolled unit needs to be told only what its box is and what is fitted: `unit`, `[broker]` and `[evidence]`
come from its identity (the setting `identity`), and what this file says of them is stronger, setting by setting.

```toml
[board]
profile = "raspberry-pi-5"

[terminal]
enabled = true
```

A unit that was set up by hand names the broker and its own certificate:

```toml
unit = "van-017"

[broker]
host = "broker.example.org"
tls_ca = "/etc/roadproof/keys/root.pem"
tls_cert = "/etc/roadproof/keys/tls.pem"
```
"""
FLEET_EXAMPLE = """`roadproof fleet init` writes this file, too.

```toml
store = "postgresql://roadproof@localhost/roadproof"

[broker]
host = "broker.example.org"
port = 8884
tls_ca = "/var/lib/roadproof-authority/receiver/root.pem"
tls_cert = "/var/lib/roadproof-authority/receiver/tls.pem"
tls_key = "/var/lib/roadproof-authority/receiver/tls.key"
```
"""


def add_commands(commands: Commands) -> None:
    """Add `config show` and `config check`."""
    group = add_group(commands, "config", "the unit's settings")
    command = add(group, "show", show, "show every setting with its value, limits and meaning", "roadproof config show roadproof.toml")
    command.add_argument("file", type=Path, nargs="?", help="settings file; without it the defaults are shown")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs")
    form.add_argument("--markdown", action="store_true", help="the settings of unit and receiver as a page: docs/settings.md")
    command = add(group, "check", check, "check a settings file", "roadproof config check /etc/roadproof/roadproof.toml")
    command.add_argument("file", type=Path, help="settings file")
    command.add_argument("--fleet", action="store_true", help="it is a receiver's, not a unit's")


def show(arguments: argparse.Namespace) -> int:
    """Every setting, for people or programs."""
    if arguments.markdown:
        print(markdown(), end="")
        return 0
    listed = list(settings.catalogue(load_config(arguments.file) if arguments.file else Config))
    if arguments.json:
        print(json.dumps([msgspec.to_builtins(setting) for setting in listed]))
        return 0
    view = Table("setting", "value" if arguments.file else "default", "meaning", show_lines=True)
    for setting in listed:
        # Text, for a pattern like [a-z] would be taken for markup.
        shown = _shown(setting.value) if arguments.file else setting.default
        view.add_row(setting.key, Text(shown), Text.assemble(setting.description, (f" ({setting.kind})", "dim")))
    Console().print(view)
    return 0


def markdown() -> str:
    """docs/settings.md: every setting of the unit and of the fleet's receiver."""
    lines = [INTRODUCTION, "## The unit: /etc/roadproof/roadproof.toml\n", UNIT_EXAMPLE, *_markdown_table(settings.catalogue(Config))]
    lines += ["\n## The fleet's receiver: /etc/roadproof/fleet.toml\n", FLEET_EXAMPLE, *_markdown_table(settings.catalogue(FleetSettings))]
    return "\n".join(lines) + "\n"


def _markdown_table(listed: Iterable[Setting]) -> Iterator[str]:
    yield "| setting | default | allowed | meaning |"
    yield "|---|---|---|---|"
    for setting in listed:
        plain = setting.default == "none" or setting.default.startswith("required")
        default = setting.default if plain else f"`{setting.default}`"
        yield "| " + " | ".join((f"`{setting.key}`", default, _cell(setting.kind), _cell(setting.description))) + " |"


def _cell(text: str) -> str:
    """Text in a table's cell: a pattern is code, and its bars are no borders."""
    before, like, pattern = text.partition(" like ")
    return (f"{before}{like}`{pattern}`" if like and pattern.startswith("^") else text).replace("|", "\\|")


def check(arguments: argparse.Namespace) -> int:
    """Say that the file is good, or (exit code 2) every fault in it."""
    if arguments.fleet:
        receiver = _load_fleet(arguments.file)
        print(f"{arguments.file}: good, broker {receiver.broker.host}:{receiver.broker.port}")
        return 0
    config = load_config(arguments.file)
    print(f"{arguments.file}: good, unit {config.unit}, broker {config.broker.host}:{config.broker.port}")
    return 0


def _load_fleet(path: Path) -> FleetSettings:
    try:
        return settings.load(path, FleetSettings)
    except settings.SettingsError as error:
        raise unusable(error.faults) from None


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
