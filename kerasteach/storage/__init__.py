"""Runs on disk: files with checksums, the manifest that lists them, and one writer at a time. Needs no Keras."""
