"""Fingerprint of a comparison: numbers of what its parts compute, to know the same comparison again."""
