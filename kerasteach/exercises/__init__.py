"""Exercises with other numbers for each student, their answers, and what to say about typical mistakes."""

from kerasteach.exercises.check import Verdict, check
from kerasteach.exercises.make import Exercises, make, names

__all__ = ["Exercises", "Verdict", "check", "make", "names"]
