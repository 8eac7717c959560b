"""The roads between a unit and its broker, with hands: a TCP relay that anybody may run, and a tunnel of IP packets for root."""
