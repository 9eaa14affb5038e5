"""Slides of a run, for PowerPoint or as Markdown: the findings as titles, the numbers in the speaker's notes."""

from kerasteach.report.slides.writing import write_slides

__all__ = ["write_slides"]
