"""Explanation of a training step in words and formulas."""
