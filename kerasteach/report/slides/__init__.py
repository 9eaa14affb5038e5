"""Slides of a run, for PowerPoint or as Markdown: the findings as titles, the numbers in the speaker's notes."""
