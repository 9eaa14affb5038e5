"""Inspection of a model, which is left as it was: its loss surface, and the learning-rate range test."""
