"""Recordings and the epochs that they must give."""
