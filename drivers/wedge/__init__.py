"""Hand scanners, on serial ports and on USB."""

from drivers.wedge.devices import HidWedge, SerialWedge
from drivers.wedge.reading import Reading
from drivers.wedge.settings import WedgeSettings
from drivers.wedge.wedges import Wedges

__all__ = ["HidWedge", "Reading", "SerialWedge", "WedgeSettings", "Wedges"]
