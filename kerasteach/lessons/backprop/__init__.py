"""Backpropagation: one training step of a model, with every number."""
