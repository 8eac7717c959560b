"""A settings file: every mistake in it is named in one sentence, and nothing half right is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from firmware.config import Config
from fleet.config import FleetSettings
from mqtt import settings
from mqtt.settings import SettingsError


class Tank(msgspec.Struct, frozen=True, kw_only=True):
    """A section in a section."""

    litres: Annotated[int, Meta(ge=1, le=200, description="litres that fit in")] = 80


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """A section."""

    fuel: Annotated[Literal["diesel", "petrol"], Meta(description="what it burns")]
    share: Annotated[float, Meta(ge=0, le=1, description="of the power that is used")] = 0.5
    pressure_bar: Annotated[float, Meta(gt=0, description="of the oil")] = 3.0
    tank: Tank = Tank()


class Trailer(msgspec.Struct, frozen=True, kw_only=True):
    """A section that may be left out."""

    axles: Annotated[int, Meta(ge=1, le=3, description="below it")]
    brakes: Annotated[bool, Meta(description="has its own")] = True


class Van(msgspec.Struct, frozen=True, kw_only=True):
    """A settings file with a bit of everything."""

    name: Annotated[str, Meta(pattern="^[a-z]+$", description="what the driver calls it")]
    engine: Engine
    doors: Annotated[int, Meta(ge=2, description="that open")] = 5
    seats: Annotated[int, Meta(le=9, description="with belts")] = 3
    gps: Annotated[bool, Meta(description="has a receiver")] = True
    plate: Annotated[str | None, Meta(description="where it has one")] = None
    colour: Annotated[str, Meta(min_length=1)] = "white"
    nicknames: Annotated[tuple[str, ...], Meta(max_length=2, description="other names")] = ()
    hitch_kg: Annotated[int, Meta(ge=1, description="pulls so much")] | None = None
    trailer: Trailer | None = None
    spare: Annotated[Trailer | None, Meta(description="a second one, where there is one")] = None


GOOD: dict[str, Any] = {"name": "bertha", "engine": {"fuel": "diesel"}}


def faults(table: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        settings.read(table, Van)
    return refused.value.faults


def file_faults(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        settings.load(path, Van)
    return refused.value.faults


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "van.toml"


def test_a_good_file_becomes_its_struct(file: Path) -> None:
    file.write_text('name = "bertha"\n[engine]\nfuel = "diesel"\nshare = 1\n[engine.tank]\nlitres = 60\n', encoding="utf-8")
    assert settings.load(file, Van) == Van(name="bertha", engine=Engine(fuel="diesel", share=1.0, tank=Tank(litres=60)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dors": 4}, "unknown setting dors; did you mean doors?"),
        ({"engine": {"fuel": "diesel", "tank": {"liters": 1}}}, "unknown setting engine.tank.liters; did you mean engine.tank.litres?"),
        (
            {"zzz": 1},
            "unknown setting zzz; known here: name, engine, doors, seats, gps, plate, colour, nicknames, hitch_kg, trailer, spare",
        ),
        ({"doors": 1}, "doors = 1 is not allowed; it must be a whole number, 2 or more"),
        ({"seats": 10}, "seats = 10 is not allowed; it must be a whole number, 9 or less"),
        ({"doors": "5"}, 'doors = "5" is not allowed; it must be a whole number, 2 or more'),
        ({"doors": True}, "doors = true is not allowed; it must be a whole number, 2 or more"),
        ({"doors": 4.5}, "doors = 4.5 is not allowed; it must be a whole number, 2 or more"),
        ({"gps": 1}, "gps = 1 is not allowed; it must be true or false"),
        ({"plate": 7}, "plate = 7 is not allowed; it must be text"),
        ({"colour": ""}, 'colour = "" is not allowed; it must be text, not empty'),
        ({"name": "Bertha"}, 'name = "Bertha" is not allowed; it must be text like ^[a-z]+$'),
        ({"name": "a\nb\n"}, 'name = "a\\nb\\n" is not allowed; it must be text like ^[a-z]+$'),
        ({"engine": {"fuel": "coal"}}, 'engine.fuel = "coal" is not allowed; it must be one of "diesel", "petrol"'),
        ({"engine": {"fuel": "diesel", "share": 1.1}}, "engine.share = 1.1 is not allowed; it must be a number, 0 to 1"),
        ({"engine": {"fuel": "diesel", "pressure_bar": 0}}, "engine.pressure_bar = 0 is not allowed; it must be a number above 0"),
        (
            {"engine": {"fuel": "diesel", "tank": {"litres": 500}}},
            "engine.tank.litres = 500 is not allowed; it must be a whole number, 1 to 200",
        ),
        ({"engine": 3}, "engine is a section: write [engine] and its settings below it"),
        ({"engine": {}}, "setting engine.fuel is missing: what it burns"),
        ({"nicknames": "bertie"}, 'nicknames = "bertie" is not allowed; it must be a list, 2 at most, each text'),
        ({"nicknames": ["a", 1]}, 'nicknames = ["a", 1] is not allowed; it must be a list, 2 at most, each text'),
        ({"nicknames": ["a", "b", "c"]}, 'nicknames = ["a", "b", "c"] is not allowed; it must be a list, 2 at most, each text'),
        ({"trailer": {"axels": 1, "axles": 1}}, "unknown setting trailer.axels; did you mean trailer.axles?"),
        ({"trailer": {"axles": 4}}, "trailer.axles = 4 is not allowed; it must be a whole number, 1 to 3"),
        ({"trailer": {}}, "setting trailer.axles is missing: below it"),
        ({"trailer": 3}, "trailer is a section: write [trailer] and its settings below it"),
        ({"spare": {"axles": 1, "breaks": True}}, "unknown setting spare.breaks; did you mean spare.brakes?"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_is_allowed(change: dict[str, Any], told: str) -> None:
    assert faults({**GOOD, **change}) == [told]


def test_an_empty_file_is_told_what_it_needs(file: Path) -> None:
    file.write_bytes(b"")
    assert file_faults(file) == [
        f"{file}: setting name is missing: what the driver calls it",
        f"{file}: section [engine] is missing; it needs fuel",
    ]


def test_several_mistakes_are_one_sentence_each_in_the_order_of_the_file() -> None:
    told = faults({"wheels": 4, "dors": 4, "name": "bertha", "seats": 99, "gps": "yes", "engine": {"fule": "diesel"}})
    assert [sentence.split(";")[0].split(":")[0] for sentence in told] == [
        "unknown setting wheels",
        "unknown setting dors",
        "unknown setting engine.fule",
        "setting engine.fuel is missing",
        "seats = 99 is not allowed",
        'gps = "yes" is not allowed',
    ]
    assert all("\n" not in sentence for sentence in told)


def test_a_file_that_is_not_toml_is_told_the_place(file: Path) -> None:
    file.write_text('name = "bertha"\ndoors 5\n', encoding="utf-8")
    (told,) = file_faults(file)
    assert told.startswith(f"{file} is not valid TOML: ")
    assert "line 2" in told


def test_a_setting_given_twice_is_not_toml(file: Path) -> None:
    file.write_text("doors = 4\ndoors = 5\n", encoding="utf-8")
    assert "not valid TOML" in file_faults(file)[0]


def test_a_file_that_is_not_utf8_is_told_the_byte(file: Path) -> None:
    file.write_bytes(b'name = "b' + b"\xe9" + b'rtha"\n')
    assert file_faults(file) == [f"{file} is not UTF-8 text: byte 9 is not a character"]


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    assert file_faults(tmp_path) == [f"cannot read {tmp_path}: is a directory"]


def test_a_file_that_is_not_there_is_said_so(file: Path) -> None:
    assert file_faults(file) == [f"cannot read {file}: no such file or directory"]


def test_the_catalogue_lists_every_setting_with_its_limits_and_its_default() -> None:
    listed = {one.key: one for one in settings.catalogue(Van)}
    assert list(listed) == [
        "name", "engine.fuel", "engine.share", "engine.pressure_bar", "engine.tank.litres", "doors", "seats", "gps", "plate", "colour",
        "nicknames", "hitch_kg", "trailer", "trailer.axles", "trailer.brakes", "spare", "spare.axles", "spare.brakes",
    ]  # fmt: skip
    assert (listed["engine.tank.litres"].kind, listed["engine.tank.litres"].default) == ("a whole number, 1 to 200", "80")
    assert (listed["name"].default, listed["plate"].default, listed["gps"].default) == ("required", "none", "true")
    assert listed["colour"].default == '"white"'
    assert listed["doors"].description == "that open"
    assert (listed["nicknames"].kind, listed["nicknames"].default) == ("a list, 2 at most, each text", "[]")
    assert (listed["hitch_kg"].kind, listed["hitch_kg"].description) == ("a whole number, 1 or more", "pulls so much")


def test_a_section_that_may_be_left_out_is_listed_with_what_it_needs() -> None:
    listed = {one.key: one for one in settings.catalogue(Van)}
    assert (listed["trailer"].kind, listed["trailer"].default) == ("a section, may be left out", "none")
    assert listed["trailer"].description == "A section that may be left out"
    assert listed["spare"].description == "a second one, where there is one"
    assert (listed["trailer.axles"].default, listed["trailer.brakes"].default) == ("required in [trailer]", "true")


def test_a_section_that_may_be_left_out_is_read_when_it_is_there() -> None:
    assert settings.read(GOOD, Van).trailer is None
    read = settings.read({**GOOD, "trailer": {"axles": 2}, "nicknames": ["bertie"]}, Van)
    assert (read.trailer, read.nicknames) == (Trailer(axles=2), ("bertie",))
    values = {one.key: one.value for one in settings.catalogue(read)}
    assert (values["trailer"], values["trailer.axles"], values["spare"], values["spare.axles"]) == ("given", 2, None, None)


def test_the_catalogue_of_a_file_has_its_values() -> None:
    read = settings.read({**GOOD, "doors": 4}, Van)
    assert {one.key: one.value for one in settings.catalogue(read)}["doors"] == 4


@pytest.mark.parametrize("kind", [Config, FleetSettings])
def test_each_real_setting_says_what_it_means_and_what_it_allows(kind: type[msgspec.Struct]) -> None:
    for setting in settings.catalogue(kind):
        assert setting.description, setting.key
        assert setting.kind.startswith(("a whole number", "a number", "true or false", "text", "one of", "a list", "a section")), (
            setting.key
        )


@pytest.mark.parametrize("kind", [Config, FleetSettings])
def test_each_real_default_is_allowed(kind: type[msgspec.Struct]) -> None:
    broker = {"host": "broker.example.org"}
    table: dict[str, Any] = {"unit": "van-017", "broker": broker} if kind is Config else {"broker": broker}
    read = settings.read(table, kind)
    assert settings.read(msgspec.to_builtins(read), kind) == read
