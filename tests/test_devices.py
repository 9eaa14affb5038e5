import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import kerasteach as kt


def test_the_cpu_is_there():
    """Every machine has a CPU, and its description says something."""
    first = kt.devices.available()[0]
    assert first.name == "cpu:0"
    assert "cores" in first.description


@pytest.mark.parametrize("device", ["cpu", "CPU", "cpu:0"])
def test_a_cpu_can_be_asked_for(device):
    """The number and the case may be left out."""
    assert kt.devices.resolve(device) == "cpu:0"


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_install():
    """The error names what was received, what is there, and the extra."""
    with pytest.raises(ValueError, match=r"it sees cpu:0\. .*tensorflow\[and-cuda\].*Received: device='gpu:1'"):
        kt.devices.resolve("gpu:1")


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="this machine has a GPU")
def test_auto_is_the_cpu_without_a_gpu():
    """`auto` never fails."""
    assert kt.devices.resolve("auto") == "cpu:0"


@pytest.mark.parametrize("device", ["tpu", "gpu:one", "gpu:²", "cpu:-1", ""])
def test_other_names_are_an_error(device):
    """The error names the argument and what would work."""
    with pytest.raises(ValueError, match=r'`device` must be "auto", "cpu", "gpu".*Received: device='):
        kt.devices.resolve(device)


@pytest.mark.parametrize("device", [None, 0, pd.NA, np.array(["cpu"]), ["cpu"], b"cpu"])
def test_what_is_no_text_is_no_device(device):
    """An array, which has no truth value, is refused as anything else that is no text."""
    with pytest.raises(TypeError, match=r"`device` must be .*Received: device="):
        kt.devices.resolve(device)


def test_work_under_a_scope_is_placed_there():
    """A tensor computed in the scope lies on the device."""
    with kt.devices.scope("cpu"):
        assert tf.constant(1.0).device.endswith("CPU:0")


@pytest.mark.gpu
@pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="TensorFlow sees no GPU")
def test_auto_is_the_gpu_where_there_is_one():
    """`auto` prefers the GPU."""
    assert kt.devices.resolve("auto") == "gpu:0"
