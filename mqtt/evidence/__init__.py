"""Signed proofs of delivery: bytes that a stranger can check without a network, and without trusting whoever hands them over.

Canonical JSON (RFC 8785) under a detached JWS (RFC 7515, appendix F), ES256, in a chain per unit; docs/evidence.md says what that proves.
"""


class EvidenceError(ValueError):
    """Something that claims to be evidence is not; the sentence says what is wrong with it."""
