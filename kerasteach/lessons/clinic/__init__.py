"""Fault clinic: networks that do not learn, with six possible causes."""
