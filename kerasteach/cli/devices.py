"""The command `kerasteach devices`."""

from __future__ import annotations

import typer

from kerasteach.cli.terminal import start_tensorflow


def devices() -> None:
    """List what TensorFlow can compute on here, as `--device` takes it."""
    start_tensorflow()
    import kerasteach as kt

    found = kt.devices.available()
    for device in found:
        typer.echo(f"{device.name:8} {device.description}")
    if not any(device.name.startswith("gpu") for device in found):
        typer.echo(f"No GPU. {kt.devices.gpu_advice()}")
