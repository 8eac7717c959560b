"""Proofs on the unit: signed into a chain, their pictures sealed on the card."""
