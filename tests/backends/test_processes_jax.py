"""Keras on JAX in two processes that share each batch, as on two machines."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
from distributed_fit import train


def test_two_processes_train_what_one_does():
    """`keras.distribution` gives the losses, gradients and weights of one process alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}  # a device each
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    program = train.__code__.co_filename
    processes = [subprocess.Popen([sys.executable, program, address, number], **options) for number in "01"]
    expected = train()
    for process in processes:
        printed, errors = process.communicate()
        assert process.returncode == 0, errors
        [line] = [line for line in printed.splitlines() if line.startswith("{")]
        for name, values in json.loads(line).items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)
