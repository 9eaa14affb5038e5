"""Tidy tables and their columns, which measuring and drawing share. Needs no Keras."""
