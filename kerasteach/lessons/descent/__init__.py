"""Gradient descent on a function of one or several numbers."""
