"""The device that these tests are of; without a GPU they are skipped, but for `--device cpu`, which rehearses them."""

import pytest


@pytest.fixture(scope="session")
def device(request):
    """Return the kind of device to hold against the CPU."""
    from places import compute_in_float32, gpu_is_there

    kind = request.config.getoption("--device")
    if kind == "gpu" and not gpu_is_there():
        pytest.skip("the backend sees no GPU")
    compute_in_float32()
    return kind
