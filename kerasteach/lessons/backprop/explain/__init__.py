"""Explanation of a training step in sentences and formulas."""
