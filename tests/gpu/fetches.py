"""What a training step fetches from the device: refused or counted, on the thread that trains.

Keras itself fetches the loss of each batch, for the callbacks that want it, on another thread.
"""

from contextlib import ExitStack, contextmanager

import keras


class FetchError(AssertionError):
    """Something was fetched from the device."""


@contextmanager
def refuse_fetches(allowed=0):
    """Raise FetchError where more than so many numbers are fetched from the device while the block runs.

    On JAX none is allowed, and its own guard refuses it, which a CPU's arrays pass unseen. On PyTorch every operation
    that hands a number or a tensor to the host is counted, on any device.
    """
    if keras.backend.backend() == "jax":
        import jax

        with jax.transfer_guard_device_to_host("disallow_explicit"):
            try:
                yield
            except RuntimeError as error:  # which JAX's own errors are
                if "transfer" not in str(error):
                    raise
                raise FetchError(str(error)) from error
        return
    counter = _counter()
    with counter:
        yield
    if len(counter.found) > allowed:
        raise FetchError(f"{allowed} fetches are allowed. Received: {counter.found}.")


def _counter():
    """Return a mode of PyTorch that notes each operation that waits for the device that Keras computes on."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    device = keras.ops.ones(()).device.type
    waiting = (
        torch.ops.aten._local_scalar_dense.default,  # one number: item, float, int, bool, and an index
        torch.ops.aten.nonzero.default,  # a shape that only the numbers decide
        torch.ops.aten.masked_select.default,
    )

    class Counter(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.found = []

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            result = operation(*args, **(kwargs or {}))
            given = [value for value in args if isinstance(value, torch.Tensor)]
            to_host = device != "cpu" and isinstance(result, torch.Tensor) and result.device.type == "cpu"
            if (operation in waiting or to_host) and any(value.device.type == device for value in given):
                self.found.append(str(operation))
            return result

    return Counter()


class _Begin(keras.callbacks.Callback):
    """Enter a context with the first step of the second epoch: the first epoch compiles."""

    def __init__(self, stack, context):
        super().__init__()
        self.stack, self.context, self.epoch = stack, context, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if self.epoch == 1 and batch == 0:
            self.stack.enter_context(self.context)


class _End(_Begin):
    """Leave it before the last step, whose end Keras fetches the epoch's metrics at."""

    def on_train_batch_begin(self, batch, logs=None):
        if self.epoch == 1 and batch == self.params["steps"] - 1:
            self.stack.close()


def steps_without_fetches(fit, *callbacks, allowed=0):
    """Call `fit(*callbacks)`, which trains for two epochs, and raise FetchError where the second one's steps fetch."""
    with ExitStack() as stack:
        context = refuse_fetches(allowed)
        fit(_Begin(stack, context), *callbacks, _End(stack, None))
