"""The run as a file: JSON of a plan, read strictly, every fault named with its place. Pure, but for the salt of a PIN."""

from __future__ import annotations

import difflib
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from mqtt import run, settings
from mqtt.messages import END, MessageError, Run, utc_ms
from mqtt.run import Plan, Secret

SECRETS = {"pin", "badge"}  # where a file may hold plain text, of which only a hash leaves this program
SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # of mqtt.run.Secret
SHORTEST_PIN = 4
SIZE_LIMIT_BYTES = 100_000  # a broker takes 131,072 and the envelope
VERSION = get_type_hints(Run, include_extras=True)["n"]
Json = dict[str, Any]


class RunFileError(Exception):
    """A file that is no run; `faults` holds one sentence a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says."""

    plan: Plan
    n: int | None  # the version, where the file says it


def read(text: str) -> RunFile:
    """Read a run file; RunFileError names every fault in it."""
    try:
        told = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise RunFileError([f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}"]) from None
    except RecursionError:
        raise RunFileError(["it is nested too deeply"]) from None
    if not isinstance(told, dict):
        raise RunFileError(["it must be a JSON object with day, drivers and stops"])
    version = told.pop("n", None)
    hidden = _hidden(told, "")
    faults = [] if version is None else list(_faults(version, VERSION, "n"))
    faults += _faults(hidden, Plan, "")
    if faults:
        raise RunFileError(faults)
    plan = msgspec.convert(hidden, Plan)
    faults = [*run.faults(plan), *_impossible_times(plan)]
    if (size := len(msgspec.json.encode(plan))) > SIZE_LIMIT_BYTES:
        faults.append(f"the run has {size:,} bytes and {SIZE_LIMIT_BYTES:,} is the most: send fewer stops or shorter notes")
    if faults:
        raise RunFileError(faults)
    return RunFile(plan=plan, n=version)


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise RunFileError([f"the key {twice!r} is there twice in one object"])
    return found


def _hidden(told: Any, path: str) -> Any:
    """The same with each plain PIN or badge as its salted hash."""
    if isinstance(told, list):
        return [_hidden(part, f"{path}[{number}]") for number, part in enumerate(told)]
    if not isinstance(told, dict):
        return told
    return {key: _secret(value, _below(path, key)) if key in SECRETS and isinstance(value, str) and _may_hold(path) else
            _hidden(value, _below(path, key)) for key, value in told.items()}  # fmt: skip


def _may_hold(path: str) -> bool:
    """Drivers and stops have secrets; `proofs.pin` is a need."""
    return path.endswith("]")


def _secret(plain: str, path: str) -> Json:
    if len(plain) < SHORTEST_PIN:
        raise RunFileError([f"{path}: {SHORTEST_PIN} characters or more"])
    salt = secrets.token_bytes(16)
    return msgspec.to_builtins(Secret(salt=salt.hex(), hash=hashlib.scrypt(plain.encode(), salt=salt, **SCRYPT).hex()))  # type: ignore[no-any-return]


def _faults(told: Any, kind: Any, path: str) -> Iterator[str]:
    """What the types of the contract do not allow, each with the place where it stands."""
    try:
        msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        inner = list(_inner_faults(told, kind, path))
        yield from inner or [f"{path or 'the file'}: {_sentence(error, kind)}"]
    else:
        yield from _inner_faults(told, kind, path)


def _inner_faults(told: Any, kind: Any, path: str) -> Iterator[str]:
    struct, element = _struct(kind), _element(kind)
    if struct is not None and isinstance(told, Mapping):
        yield from _field_faults(told, struct, path)
    elif element is not None and isinstance(told, list):
        for number, part in enumerate(told):
            yield from _faults(part, element, f"{path}[{number}]")


def _field_faults(told: Mapping[str, Any], struct: type[msgspec.Struct], path: str) -> Iterator[str]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for key in told:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
            yield f"{_below(path, key)}: unknown key; " + (f"did you mean {near[0]}?" if near else f"known here: {', '.join(fields)}")
    for name, field in fields.items():
        if name in told:
            yield from _faults(told[name], field.type, _below(path, name))
        elif field.required:
            yield f"{_below(path, name)}: it is missing"


def _struct(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field holds, itself or as an option."""
    return next((part for part in (kind, *get_args(kind)) if isinstance(part, type) and issubclass(part, msgspec.Struct)), None)


def _element(kind: Any) -> Any:
    """What the items of a list must be; None when it is no list."""
    if get_origin(kind) in {list, tuple}:
        return get_args(kind)[0]
    return next((found for part in get_args(kind) if (found := _element(part)) is not None), None)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _sentence(error: msgspec.ValidationError, kind: Any) -> str:
    """What a value must be: never the value itself, it may be a PIN."""
    if _struct(kind) is None and _element(kind) is None:
        return "it must be " + settings.describe(kind).replace(END, "$")
    return str(error).split(" - at `", 1)[0].lower().replace("`", "")


def _impossible_times(plan: Plan) -> Iterator[str]:
    """Days that no calendar has: the types see only digits."""
    times = {f"messages[{number}].t": notice.t for number, notice in enumerate(plan.messages)}
    for number, stop in enumerate(plan.stops):
        if stop.window is not None:
            times |= {f"stops[{number}].window.begin": stop.window.begin, f"stops[{number}].window.end": stop.window.end}
    times["day"] = f"{plan.day}T00:00:00.000Z"
    for path, text in times.items():
        try:
            utc_ms(text)
        except MessageError as error:
            yield f"{path}: {error}"
