"""Gradient descent on a function, step by step."""
