"""`roadproof config`: the settings file, shown and checked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from cli.daemon import load_config
from cli.words import Commands, add, add_group
from firmware.config import Config
from mqtt import settings


def add_commands(commands: Commands) -> None:
    """Add `config show` and `config check`."""
    group = add_group(commands, "config", "the unit's settings")
    command = add(group, "show", show, "show every setting with its value, limits and meaning", "roadproof config show roadproof.toml")
    command.add_argument("file", type=Path, nargs="?", help="settings file; without it the defaults are shown")
    command.add_argument("--json", action="store_true", help="for programs")
    command = add(group, "check", check, "check a settings file", "roadproof config check /etc/roadproof/roadproof.toml")
    command.add_argument("file", type=Path, help="settings file")


def show(arguments: argparse.Namespace) -> int:
    """Every setting, for people or programs."""
    listed = list(settings.catalogue(load_config(arguments.file) if arguments.file else Config))
    if arguments.json:
        print(json.dumps([msgspec.to_builtins(setting) for setting in listed]))
        return 0
    view = Table("setting", "value" if arguments.file else "default", "meaning", show_lines=True)
    for setting in listed:
        view.add_row(
            setting.key, _shown(setting.value) if arguments.file else setting.default, f"{setting.description} [dim]({setting.kind})[/dim]"
        )
    Console().print(view)
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Say that the file is good, or (exit code 2) every fault in it."""
    config = load_config(arguments.file)
    print(f"{arguments.file}: good, unit {config.unit}, broker {config.broker.host}:{config.broker.port}")
    return 0


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
