"""The command `kerasteach devices`."""

from __future__ import annotations

import typer

from kerasteach.cli.terminal import start_tensorflow


def devices() -> None:
    """List the devices that TensorFlow sees, as `--device` takes them."""
    start_tensorflow()
    import kerasteach as kt

    available = kt.devices.available()
    for device in available:
        typer.echo(f"{device.name:8} {device.description}")
    if not any(device.name.startswith("gpu") for device in available):
        typer.echo(f"No GPU. {kt.devices.gpu_advice()}")
