"""How a blank unit gets its identity."""
