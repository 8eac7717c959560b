"""Who belongs to the fleet: its certificates, its register of units, its one-time codes, and what the broker is told of them."""

from __future__ import annotations

from provisioning.authority.errors import CodeError, FleetError

__all__ = ["CodeError", "FleetError"]
