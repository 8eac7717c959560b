"""Settings of both ends: one TOML file in, frozen structs out; every fault named with its key, its limit and the nearest known key.

A setting is declared once, as a field of a struct: `Annotated[type, Meta(description=..., ge=..., le=...)] = default`.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import inspect

Settings = TypeVar("Settings", bound=msgspec.Struct)


class SettingsError(Exception):
    """A settings file that cannot be used; `faults` holds one sentence a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as the documentation shows it."""

    key: str  # "broker.port"
    kind: str  # "whole number, 1 to 65535"
    default: str  # as TOML writes it; "required" when there is none, "none" when it may stay away
    description: str
    value: Any = None


def load(path: Path, kind: type[Settings]) -> Settings:
    """Read a TOML file; SettingsError names every fault in it, one sentence each, that begins with the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError([f"{path} is not UTF-8 text: byte {error.start} is not a character"]) from None
    except OSError as error:
        raise SettingsError([f"cannot read {path}: {(error.strerror or str(error)).lower()}"]) from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path} is not valid TOML: {error}"]) from None
    try:
        return read(table, kind)
    except SettingsError as error:
        raise SettingsError([f"{path}: {fault}" for fault in error.faults]) from None


def read(table: Mapping[str, Any], kind: type[Settings]) -> Settings:
    """Check a table against its struct; SettingsError names every fault in it."""
    faults = list(_faults(table, kind, ""))
    if faults:
        raise SettingsError(faults)
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise SettingsError([str(error)]) from None


def _faults(table: Mapping[str, Any], kind: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known here: {', '.join(fields)}"
            yield f"unknown setting {prefix}{key}; {hint}"
    for name, field in fields.items():
        if name in table:
            yield from _value_faults(table[name], field.type, prefix + name)
        elif field.required and (section := _section(field.type)):
            yield f"section [{prefix}{name}] is missing; it needs {', '.join(_required(section))}"
        elif field.required:
            yield f"setting {prefix}{name} is missing: {_description(field.type)}"


def _value_faults(value: Any, kind: Any, key: str) -> Iterator[str]:
    section = _section(kind)
    if section is None:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            yield f"{key} = {_toml(value)} is not allowed; it must be {describe(kind)}"
    elif isinstance(value, Mapping):
        yield from _faults(value, section, f"{key}.")
    else:
        yield f"{key} is a section: write [{key}] and its settings below it"


def _required(section: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(section) if field.required]


def catalogue(settings: msgspec.Struct | type[msgspec.Struct], prefix: str = "") -> Iterator[Setting]:
    """Every setting of a struct, in order, with its value when an instance is given."""
    kind = settings if isinstance(settings, type) else type(settings)
    for field in msgspec.structs.fields(kind):
        section = _section(field.type)
        value = None if isinstance(settings, type) else getattr(settings, field.name)
        if section is not None:
            yield from catalogue(section if value is None else value, f"{prefix}{field.name}.")
            continue
        yield Setting(
            key=prefix + field.name,
            kind=describe(field.type),
            default="required" if field.required else _toml(field.default),
            description=_description(field.type),
            value=value,
        )


def _section(kind: Any) -> type[msgspec.Struct] | None:
    return next((part for part in (kind, *get_args(kind)) if isinstance(part, type) and issubclass(part, msgspec.Struct)), None)


def _description(kind: Any) -> str:
    return str(msgspec.json.schema(kind).get("description", ""))


def describe(kind: Any) -> str:
    """The values a type allows, in words."""
    return _describe(inspect.type_info(kind))


def _describe(info: inspect.Type) -> str:  # noqa: PLR0911  one line a type
    match info:
        case inspect.Metadata(type=inner):
            return _describe(inner)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=low, le=high):
            return "a whole number" + _limits(low, high)
        case inspect.FloatType(ge=low, le=high, gt=above):
            return "a number" + (f" above {above}" if above is not None else _limits(low, high))
        case inspect.StrType(pattern=pattern, min_length=shortest):
            return "text" + (f" like {pattern}" if pattern else ", not empty" if shortest else "")
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(f'"{value}"' for value in values)
        case inspect.UnionType(types=types):
            return " or ".join(_describe(part) for part in types if not isinstance(part, inspect.NoneType))
        case inspect.ListType(item_type=item):
            return "a list, each " + _describe(item)
        case _:
            return type(info).__name__.removesuffix("Type").lower()


def _limits(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", {low} or more" if low is not None else f", {high} or less" if high is not None else ""


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return "none" if value is None else str(value)
