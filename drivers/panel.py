"""The panel: the ignition line in, the lamp and the buzzer out, through the pins of the header."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, Protocol

import msgspec

from drivers.buzzer import Buzzer, Sound
from drivers.errors import DriverError

Bcm = Annotated[int, msgspec.Meta(ge=2, le=27)]  # the pins that are free on the 40-pin header, as the chip numbers them


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wire on the header."""

    bcm: Bcm
    active_high: bool = True  # false: an optocoupler, or a button to ground, pulls it low
    debounce_s: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.1  # longer than a relay chatters; 5 is what lgpio can do


class Panel(Protocol):
    """What the terminal needs of a panel, real or simulated."""

    def ignition_on(self) -> bool | None:
        """Whether the key is turned; None where no ignition line is wired."""

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Call back with each new state of the ignition, from a thread of the panel's own: put it on a bounded queue and nothing else."""

    def supply_good(self) -> bool | None:
        """Whether the vehicle feeds the box; False: it runs on the hold-up supply, for seconds. None where that is not wired."""

    def set_led(self, on: bool) -> None:
        """Light the lamp or not; without a lamp nothing happens."""

    def sound(self, name: Sound) -> None:
        """Play it and return at once; without a buzzer nothing happens."""

    def close(self) -> None:
        """Give the pins back; the second time nothing happens."""


class GpioPanel:
    """The panel of a Raspberry Pi, through gpiozero.

    Wiring: hardware/wiring.md. An input is pulled to its inactive side, so a broken wire reads as ignition off, or as supply lost. Other
    pins of a profile stay untouched, and without a pin so does the library. `pin_factory` is gpiozero's; None opens the Pi's own. Raises
    DriverError.
    """

    def __init__(
        self,
        ignition: Pin | None = None,
        led: Pin | None = None,
        supply_good: Pin | None = None,
        buzzer: Pin | None = None,
        *,
        pin_factory: Any = None,
    ) -> None:
        self._factory: Any = None
        self._ignition: Any = None
        self._supply: Any = None
        self._led: Any = None
        self._buzzer: Buzzer | None = None
        if ignition is None and led is None and supply_good is None and buzzer is None:
            return
        self._factory = pin_factory or _open_factory()
        try:
            self._ignition = ignition and self._input(ignition)
            self._led = led and self._output(led)
            self._supply = supply_good and self._input(supply_good)
            self._buzzer = Buzzer(self._tone(buzzer)) if buzzer is not None else None
        except DriverError:
            self.close()
            raise

    def ignition_on(self) -> bool | None:
        """Whether the key is turned; None where no ignition line is wired."""
        return None if self._ignition is None else bool(self._ignition.is_active)

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Call back with each new state of the ignition, from gpiozero's thread: put it on a bounded queue and nothing else."""
        if self._ignition is not None:
            self._ignition.when_activated = lambda: callback(True)  # noqa: FBT003  the callback takes the state alone
            self._ignition.when_deactivated = lambda: callback(False)  # noqa: FBT003

    def supply_good(self) -> bool | None:
        """Whether the vehicle feeds the box; None where that is not wired."""
        return None if self._supply is None else bool(self._supply.is_active)

    def set_led(self, on: bool) -> None:
        """Light the lamp or not; without a lamp nothing happens."""
        if self._led is not None:
            self._led.value = on

    def sound(self, name: Sound) -> None:
        """Play it and return at once; without a buzzer nothing happens."""
        if self._buzzer is not None:
            self._buzzer.play(name)

    def close(self) -> None:
        """Give the pins back; the second time nothing happens."""
        for part in (self._buzzer, self._ignition, self._led, self._supply, self._factory):
            if part is not None:
                part.close()
        self._ignition = self._led = self._supply = self._factory = self._buzzer = None

    def _input(self, pin: Pin) -> Any:
        from gpiozero import DigitalInputDevice

        return self._claim(DigitalInputDevice, pin, pull_up=not pin.active_high, bounce_time=pin.debounce_s or None)

    def _output(self, pin: Pin) -> Any:
        from gpiozero import DigitalOutputDevice

        return self._claim(DigitalOutputDevice, pin, active_high=pin.active_high)

    def _tone(self, pin: Pin) -> Any:
        from gpiozero import PWMOutputDevice

        return self._claim(PWMOutputDevice, pin, active_high=pin.active_high)

    def _claim(self, device: Any, pin: Pin, **arguments: Any) -> Any:
        from gpiozero.exc import GPIOPinInUse, GPIOZeroError

        try:
            return device(pin.bcm, pin_factory=self._factory, **arguments)
        except GPIOPinInUse:
            raise DriverError(f"GPIO {pin.bcm} is named twice in the board profile; give each part a pin of its own") from None
        except (GPIOZeroError, OSError, _lgpio_error()) as error:
            raise DriverError(f"GPIO {pin.bcm} cannot be used ({error}); another program or overlay may hold it, see `gpioinfo`") from None


def _open_factory() -> Any:
    """The pins of this Pi; DriverError says what is missing where there are none."""
    try:
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError:
        raise DriverError("the GPIO library is missing; install it with: apt-get install python3-lgpio") from None
    except OSError as error:  # on import it makes a pipe in the working directory, or in $LG_WD
        raise DriverError(f"the GPIO library cannot make its pipe ({error}); start in a folder that may be written") from None
    from gpiozero.exc import GPIOZeroError

    try:
        return LGPIOFactory()
    except (GPIOZeroError, OSError, _lgpio_error()) as error:
        raise DriverError(f"the GPIO pins cannot be opened ({error}); is this a Raspberry Pi, and is the user in the group gpio?") from None


def _lgpio_error() -> type[Exception]:
    """The library's own exception, which has no parent that tells it apart; where the library is not loaded it cannot be raised."""
    return getattr(sys.modules.get("lgpio"), "error", OSError)
