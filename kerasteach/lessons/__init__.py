"""Lessons: gradient descent, one training step and the training loop, with every number."""

__all__: list[str] = []
