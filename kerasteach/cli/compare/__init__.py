"""The command `kerasteach compare`."""
