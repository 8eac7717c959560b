"""What the vehicle does, from fix to fix. Pure."""
