"""The panel, real (on gpiozero's mock pins) and simulated: both obey the same rules."""

from __future__ import annotations

import logging
import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin

from drivers.buzzer import MELODIES, Buzzer, Sound
from drivers.errors import DriverError
from drivers.panel import GpioPanel, Pin
from drivers.sim.panel import PanelHands, SimulatedPanel
from tests.eventually import eventually

IGNITION = Pin(bcm=17, active_high=False)
LED = Pin(bcm=27)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    yield factory
    factory.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "key"


def pin(pins: MockFactory, bcm: int) -> MockPin:
    return pins.pin(f"GPIO{bcm}")


def heard(panel: GpioPanel | SimulatedPanel) -> queue.Queue[bool]:
    changes: queue.Queue[bool] = queue.Queue(maxsize=16)
    panel.on_change(changes.put_nowait)
    return changes


@pytest.mark.parametrize("active_high", [True, False])
def test_the_ignition_reads_as_the_profile_says(pins: MockFactory, active_high: bool) -> None:
    panel = GpioPanel(Pin(bcm=17, active_high=active_high), pin_factory=pins)
    assert panel.ignition_on() is False, "an open wire reads as off"
    wire = pin(pins, 17)
    (wire.drive_high if active_high else wire.drive_low)()
    assert panel.ignition_on() is True
    panel.close()


def test_every_turn_of_the_key_is_told(pins: MockFactory) -> None:
    panel = GpioPanel(IGNITION, pin_factory=pins)
    changes = heard(panel)
    pin(pins, 17).drive_low()
    pin(pins, 17).drive_high()
    assert (changes.get(timeout=5), changes.get(timeout=5)) == (True, False)
    panel.close()


def test_the_debounce_time_reaches_the_pin(pins: MockFactory) -> None:
    panel = GpioPanel(Pin(bcm=17, active_high=False, debounce_s=0.25), pin_factory=pins)
    assert pin(pins, 17).bounce == 0.25
    panel.close()


@pytest.mark.parametrize("active_high", [True, False])
def test_the_lamp_is_lit_as_the_profile_says(pins: MockFactory, active_high: bool) -> None:
    panel = GpioPanel(led=Pin(bcm=27, active_high=active_high), pin_factory=pins)
    assert pin(pins, 27).state is not active_high, "the lamp starts dark"
    panel.set_led(True)
    assert pin(pins, 27).state is active_high
    panel.set_led(False)
    assert pin(pins, 27).state is not active_high
    panel.close()


def test_nothing_wired_is_no_ignition_and_no_error() -> None:
    panel = GpioPanel()
    panel.on_change(lambda _on: None)
    panel.set_led(True)
    assert panel.ignition_on() is None
    panel.close()


def test_a_pin_used_twice_is_named(pins: MockFactory) -> None:
    with pytest.raises(DriverError, match="GPIO 17 is named twice"):
        GpioPanel(IGNITION, Pin(bcm=17), pin_factory=pins)


def test_after_an_error_the_other_pins_are_free_again(pins: MockFactory) -> None:
    with pytest.raises(DriverError):
        GpioPanel(IGNITION, Pin(bcm=17), pin_factory=pins)
    GpioPanel(IGNITION, pin_factory=MockFactory()).close()
    assert not pins.pins, "the factory is closed, no pin is held"


def test_a_pin_that_cannot_be_an_input_with_a_pull_is_explained(pins: MockFactory) -> None:
    with pytest.raises(DriverError, match="GPIO 2 cannot be used"):
        GpioPanel(Pin(bcm=2, active_high=True), pin_factory=pins)  # GPIO 2 has a pull-up soldered on


def test_closing_twice_is_closing_once(pins: MockFactory) -> None:
    panel = GpioPanel(IGNITION, LED, pin_factory=pins)
    panel.close()
    panel.close()
    assert panel.ignition_on() is None


def test_without_the_gpio_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lgpio", None)
    monkeypatch.delitem(__import__("sys").modules, "gpiozero.pins.lgpio", raising=False)
    with pytest.raises(DriverError, match="apt-get install python3-lgpio"):
        GpioPanel(IGNITION)


def test_the_simulated_key_is_unknown_until_it_is_turned(path: Path) -> None:
    panel = SimulatedPanel(path)
    assert panel.ignition_on() is None
    panel.close()


def test_the_simulated_key_is_turned_from_outside(path: Path) -> None:
    panel, hands = SimulatedPanel(path), PanelHands(path)
    changes = heard(panel)
    assert hands.turn_key(on=True)
    assert changes.get(timeout=5) is True
    assert panel.ignition_on() is True
    assert hands.turn_key(on=False)
    assert changes.get(timeout=5) is False
    assert panel.ignition_on() is False
    hands.close()
    panel.close()


def test_telling_the_same_again_is_no_change(path: Path) -> None:
    panel, hands = SimulatedPanel(path), PanelHands(path)
    changes = heard(panel)
    for on in (True, True, True, False):
        hands.turn_key(on=on)
    assert (changes.get(timeout=5), changes.get(timeout=5)) == (True, False)
    assert changes.empty()
    hands.close()
    panel.close()


@pytest.mark.parametrize("noise", [b"ignition maybe", b"\xff\x00\xfe", b"ignition  on", b"x" * 5000])
def test_lines_it_does_not_know_are_counted_and_harmless(path: Path, noise: bytes, caplog: pytest.LogCaptureFixture) -> None:
    panel, hands = SimulatedPanel(path), PanelHands(path)
    changes = heard(panel)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger, caplog.at_level(logging.WARNING):
        stranger.sendto(noise, str(path))
        hands.turn_key(on=True)
        assert changes.get(timeout=5) is True
    assert panel.malformed_lines == 1
    assert "(1 such lines so far)" in caplog.text
    hands.close()
    panel.close()


def test_an_empty_message_does_not_stop_the_panel(path: Path) -> None:
    panel, hands = SimulatedPanel(path), PanelHands(path)
    changes = heard(panel)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"", str(path))
    hands.turn_key(on=True)
    assert changes.get(timeout=5) is True
    hands.close()
    panel.close()


def test_hands_without_a_panel_say_so(path: Path) -> None:
    hands = PanelHands(path)
    assert not hands.turn_key(on=True)
    hands.close()


def test_hands_are_told_that_a_panel_has_just_gone(path: Path) -> None:
    hands = PanelHands(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as leaving:
        leaving.bind(str(path))
        leaving.shutdown(socket.SHUT_RD)
        assert not hands.turn_key(on=True)
    hands.close()


def test_the_socket_of_a_killed_panel_is_taken_over(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(path))
    SimulatedPanel(path).close()
    assert not path.exists()


def test_a_second_panel_on_the_same_socket_is_refused(path: Path) -> None:
    panel = SimulatedPanel(path)
    with pytest.raises(DriverError, match="address already in use"):
        SimulatedPanel(path)
    panel.close()


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"cannot listen at .*no such file"):
        SimulatedPanel(tmp_path / "missing" / "key")


def test_a_path_too_long_for_a_socket_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="too long"):
        SimulatedPanel(tmp_path / ("x" * 120))


def test_the_simulated_panel_closes_twice(path: Path) -> None:
    panel = SimulatedPanel(path)
    panel.set_led(True)
    assert panel.led_on
    panel.close()
    panel.close()


def test_the_supply_pin_tells_when_the_vehicle_feeds_the_box_no_longer(pins: MockFactory) -> None:
    panel = GpioPanel(supply_good=Pin(bcm=22, debounce_s=0), pin_factory=pins)
    pins.pin(22).drive_high()
    assert panel.supply_good() is True
    pins.pin(22).drive_low()
    assert panel.supply_good() is False
    panel.close()
    assert GpioPanel().supply_good() is None


def test_the_simulated_supply_is_given_and_taken_by_hand(tmp_path: Path) -> None:
    panel, hands = SimulatedPanel(tmp_path / "panel"), PanelHands(tmp_path / "panel")
    assert panel.supply_good() is None
    hands.feed(good=True)
    eventually(lambda: panel.supply_good() is True)
    hands.feed(good=False)
    eventually(lambda: panel.supply_good() is False)
    hands.close()
    panel.close()


class Tone:
    """A pin that swings; remembers each tone, and when it fell silent."""

    def __init__(self) -> None:
        self.frequency: float | None = None
        self.heard: list[float | None] = []
        self.closed = False
        self._value = 0.0

    @property
    def value(self) -> float:
        return self._value

    @value.setter
    def value(self, value: float) -> None:
        self._value = value
        if value:
            self.heard.append(self.frequency)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("name", list(MELODIES))
def test_each_sound_is_its_own_melody(name: Sound) -> None:
    tone = Tone()
    buzzer = Buzzer(tone)
    buzzer.play(name)
    tones = [hertz for hertz, _ in MELODIES[name] if hertz]
    eventually(lambda: tone.heard == tones and tone.value == 0)
    buzzer.close()


def test_the_four_sounds_are_told_apart_by_rhythm_as_well_as_by_pitch() -> None:
    rhythms = {tuple((bool(hertz), duration_s) for hertz, duration_s in melody) for melody in MELODIES.values()}
    pitches = {tuple(hertz for hertz, _ in melody) for melody in MELODIES.values()}
    assert len(rhythms) == len(pitches) == 4


def test_a_buzzer_that_is_closed_falls_silent_and_no_sound_waits() -> None:
    tone = Tone()
    buzzer = Buzzer(tone)
    for _ in range(50):
        buzzer.play("wrong")  # more than it remembers: none of them makes the caller wait
    buzzer.close()
    buzzer.close()
    assert tone.closed
    assert len(tone.heard) <= 1


def test_the_panels_buzzer_swings_its_pin() -> None:
    pins = MockFactory(pin_class=MockPWMPin)
    panel = GpioPanel(buzzer=Pin(bcm=23), pin_factory=pins)
    assert pins.pin("GPIO23").state == 0
    panel.sound("wrong")
    eventually(lambda: pins.pin("GPIO23").state == 0.5)
    assert pins.pin("GPIO23").frequency == 500
    panel.close()
    panel.sound("accept")
    pins.close()


def test_without_a_buzzer_a_sound_is_nothing() -> None:
    GpioPanel().sound("accept")


def test_the_simulated_panel_tells_what_it_played(path: Path) -> None:
    panel, hands = SimulatedPanel(path), PanelHands(path)
    assert hands.sounds() == []
    panel.sound("accept")
    panel.sound("duplicate")
    assert hands.sounds() == ["accept", "duplicate"]
    assert panel.malformed_lines == 0
    panel.close()
    assert hands.sounds() == []
    hands.close()
