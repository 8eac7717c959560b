"""Settings of both ends: one TOML file in, frozen structs out; every fault named with its key, its limit and the nearest known key.

A setting is declared once, as a field of a struct: `Annotated[type, Meta(description=..., ge=..., le=...)] = default`.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

Settings = TypeVar("Settings", bound=msgspec.Struct)
OPTIONAL_SECTION = "a section, may be left out"


class SettingsError(Exception):
    """A settings file that cannot be used; `faults` holds one sentence a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as the documentation shows it."""

    key: str  # "broker.port"
    kind: str  # "a whole number, 1 to 65535"
    default: str  # as TOML writes it; "required" when there is none, "none" when it may stay away
    description: str
    value: Any = None


def load(path: Path, kind: type[Settings]) -> Settings:
    """Read a TOML file; SettingsError names every fault in it, one sentence each, that begins with the file."""
    return read_from(path, table(path), kind)


def table(path: Path) -> dict[str, Any]:
    """What stands in a TOML file, unchecked; SettingsError when it is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError([f"{path} is not UTF-8 text: byte {error.start} is not a character"]) from None
    except OSError as error:
        raise SettingsError([f"cannot read {path}: {(error.strerror or str(error)).lower()}"]) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path} is not valid TOML: {error}"]) from None


def read_from(path: Path, table: Mapping[str, Any], kind: type[Settings]) -> Settings:
    """Check a table against its struct; SettingsError names every fault in it, one sentence each, that begins with the file."""
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
    if section is not None and isinstance(value, Mapping):
        yield from _faults(value, section, f"{key}.")
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        if section is None:
            yield f"{key} = {_toml(value)} is not allowed; it must be {describe(kind)}"
        else:
            yield f"{key} is a section: write [{key}] and its settings below it"


def _required(section: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(section) if field.required]


def catalogue(settings: msgspec.Struct | type[msgspec.Struct], prefix: str = "") -> Iterator[Setting]:
    """Every setting of a struct, in order, with its value when an instance is given.

    A section that may be left out is listed itself, before its settings; of those it needs, the default is "required in [section]".
    """
    kind = settings if isinstance(settings, type) else type(settings)
    for field in msgspec.structs.fields(kind):
        key = prefix + field.name
        section = _section(field.type)
        value = None if isinstance(settings, type) else getattr(settings, field.name)
        if section is None:
            default = "required" if field.required else _toml(field.default)
            yield Setting(key=key, kind=describe(field.type), default=default, description=_description(field.type), value=value)
        elif field.default is None:
            yield _optional_section(key, field.type, section, given=value is not None)
            for setting in catalogue(value or section, f"{key}."):
                needed = setting.default == "required"
                yield msgspec.structs.replace(setting, default=f"required in [{key}]") if needed else setting
        else:
            yield from catalogue(value or section, f"{key}.")


def _optional_section(key: str, kind: Any, section: type[msgspec.Struct], *, given: bool) -> Setting:
    description = _description(kind) or (section.__doc__ or "").split("\n")[0].rstrip(".")
    return Setting(key=key, kind=OPTIONAL_SECTION, default="none", description=description, value="given" if given else None)


def _section(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field holds, also where it may be left out; None for any other field."""
    return _struct(inspect.type_info(kind))


def _struct(info: inspect.Type) -> type[msgspec.Struct] | None:
    match info:
        case inspect.StructType(cls=section):
            return section
        case inspect.Metadata(type=inner):
            return _struct(inner)
        case inspect.UnionType(types=types):
            return next((found for part in types if (found := _struct(part))), None)
        case _:
            return None


def _description(kind: Any) -> str:
    """Of a type that may also be none, it may stand within."""
    schema = msgspec.json.schema(kind)
    return next((str(part["description"]) for part in (schema, *schema.get("anyOf", ())) if "description" in part), "")


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
        case inspect.ListType(item_type=item, max_length=most) | inspect.VarTupleType(item_type=item, max_length=most):
            return "a list" + ("" if most is None else f", {most} at most") + ", each " + _describe(item)
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
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return "none" if value is None else str(value)
