"""Inspection of a model without a trace: its loss surface, and the learning-rate range test."""
