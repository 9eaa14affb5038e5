import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAMS = Path(__file__).parent / "backends"
WARNINGS = ["error", "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"]  # Keras's own

JAX, TORCH = (
    pytest.param(name, marks=pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is missing"))
    for name in ("jax", "torch")
)
pytestmark = pytest.mark.slow
either = pytest.mark.parametrize("backend", [JAX, TORCH])
on_jax = pytest.mark.parametrize("backend", [JAX])
on_torch = pytest.mark.parametrize("backend", [TORCH])


@pytest.fixture
def run(tmp_path):
    """Return a function that has facts of a program hold with Keras on a backend, and gives back what it prints."""

    def run(backend, program, *facts, **environment):
        options = [word for warning in WARNINGS for word in ("-W", warning)]
        environment |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg"}
        done = subprocess.run(
            [sys.executable, *options, PROGRAMS / f"{program}.py", *facts],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@either
def test_the_recorded_gradient_is_that_of_an_independent_twin(backend, run):
    """For SGD, clipping Adam and accumulation, norms and means are those of a loop that differentiates by itself."""
    run(backend, f"twin_{backend}", "plain", "stateful", "clipped", "accumulated")


@on_jax
def test_in_every_mode_it_is_that_of_the_twin(backend, run):
    """So it is without jax.jit, and with three steps an execution."""
    run(backend, "twin_jax", "eager", "executions")


@either
def test_vanished_and_exploded_gradients_have_their_norms(backend, run):
    """Whatever the size of a gradient and of its entries, the statistics are NumPy's."""
    run(backend, "ranges")


@either
def test_scaled_gradients_are_unscaled(backend, run):
    """With LossScaleOptimizer norms are those of the true gradient, and a step that it skips is not finite."""
    run(backend, f"twin_{backend}", "scaled", "skipped")


@either
def test_training_is_not_changed(backend, run):
    """Weights and the optimizer's state end equal, but for rounding, with and without the capture."""
    run(backend, "leaving", "weights")


@either
def test_a_checkpoint_written_meanwhile_loads_whole(backend, run):
    """A model saved during the capture loads with its optimizer's state, and the optimizer keeps no trace."""
    run(backend, "leaving", "checkpoint")


@either
def test_weights_can_be_loaded_meanwhile(backend, run):
    """A callback that restores a saved file finds the optimizer's state in it, and the recording goes on."""
    run(backend, "leaving", "loading")


@either
def test_two_captures_work_together(backend, run):
    """Both record, a checkpoint holds neither, and nothing is left behind."""
    run(backend, "leaving", "together")


@either
def test_each_fit_starts_a_new_table(backend, run):
    """A second training and another capture record what they are asked for."""
    run(backend, "leaving", "twice")


@either
def test_a_block_compiles_the_step_once(backend, run):
    """Inside `with capture:` several trainings share the training step, and have tables of their own."""
    run(backend, "leaving", "one_block")


@either
def test_a_training_step_that_is_still_held_is_not_used_again(backend, run):
    """A reference to an earlier training step, such as a traceback holds, does not decide what is recorded."""
    run(backend, "leaving", "held")


@either
def test_what_was_recorded_survives_an_interruption(backend, run):
    """After an exception in fit the steps taken are in the table, and `detach` leaves no trace."""
    run(backend, "leaving", "interrupted")


@either
def test_a_left_hook_is_harmless(backend, run):
    """After an exception a training without the capture is as it would be, and is not recorded."""
    run(backend, "leaving", "left")


@either
def test_every_option_works(backend, run):
    """`every=`, `raw=`, `histogram=`, `statistics=` and `directory=` give what they promise."""
    run(backend, "options", "every", "raw", "histogram", "own", "directory")


@either
def test_the_table_can_be_read_meanwhile(backend, run):
    """A callback that reads the table after each batch finds every step so far, and disturbs none."""
    run(backend, "options", "peeking")


@either
def test_validation_is_not_recorded(backend, run):
    """Evaluations between the epochs leave the table as it would be without them."""
    run(backend, "options", "validated")


@either
def test_long_epochs_are_fetched_in_pieces(backend, run):
    """With room for two steps on the device, nothing is lost."""
    run(backend, "options", "small_buffer")


@on_jax
@pytest.mark.parametrize(("shared", "optimizer"), [("data", "adam"), ("weights", "adam"), ("data", "plain")])
def test_two_devices_record_and_train_what_one_does(shared, optimizer, backend, run):
    """Whether two devices share the batch or the weights, gradients, weights and the stop are those of one."""
    flags = "--xla_force_host_platform_device_count=2"
    one = json.loads(run(backend, "devices_jax", "nothing", optimizer, XLA_FLAGS=flags))
    two = json.loads(run(backend, "devices_jax", shared, optimizer, XLA_FLAGS=flags))
    assert (one.pop("devices"), two.pop("devices")) == (1, 2)
    assert (one.pop("part"), two.pop("part")) == ([4, 3], [2, 3] if shared == "weights" else [4, 3])
    for name in ("stop", "step", "path", "histogram"):
        assert one.pop(name) == two.pop(name)
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-5, atol=1e-7, err_msg=name)


@on_jax
def test_two_processes_train_what_one_does(backend, run):
    """On two machines, here two processes, `keras.distribution` gives the losses, gradients and weights of one."""
    run(backend, "processes_jax")


@on_torch
def test_outputs_are_those_of_the_model(backend, run):
    """On PyTorch every statistic of ActivationCapture is that of the outputs computed directly."""
    run(backend, "listeners_torch", "activations", "dead_all_epoch")


@on_torch
def test_a_probe_records_the_gradient(backend, run):
    """On PyTorch a GradientProbe records what torch.autograd.grad gives, also under a loss scale."""
    run(backend, "listeners_torch", "probe")


@on_torch
def test_listening_changes_nothing(backend, run):
    """On PyTorch the weights are the same, but for rounding, with outputs and a probe recorded."""
    run(backend, "listeners_torch", "unchanged")


@on_jax
def test_what_jax_cannot_give_is_refused(backend, run):
    """ActivationCapture and a GradientProbe are RuntimeErrors that say what works, and leave nothing behind."""
    run(backend, "refused_jax", "activations", "probe")


@either
def test_a_loop_of_ones_own_is_recorded(backend, run):
    """`measure.record` gives the gradients that the loop hands over, and does not change the training."""
    run(backend, f"loops_{backend}", "by_hand")


@either
def test_train_on_batch_is_recorded(backend, run):
    """`measure.record` gives a row for each call of `train_on_batch`, also where it was called before."""
    run(backend, f"loops_{backend}", "on_batches")


@on_jax
def test_a_stateless_loop_gets_errors_that_say_what_it_must_do(backend, run):
    """An optimizer that is not built, and state that is not assigned back, are errors that say so."""
    run(backend, "loops_jax", "not_built", "not_assigned")


@either
def test_a_stop_is_at_the_first_batch_whose_own_loss_is_below(backend, run):
    """On epochs and on batches, in a first and in a second fit."""
    run(backend, "stopping", "epoch", "batch")


@either
def test_what_happens_between_batches_is_not_judged(backend, run):
    """Evaluations in any order of the callbacks, and a compilation in mid-fit: only training batches are judged."""
    run(backend, "stopping", "evaluated", "compiled")


@either
def test_after_an_exception_no_other_training_counts(backend, run):
    """Neither `train_on_batch` nor a fit without the capture is in its table, and nothing is left behind."""
    run(backend, "leaving", "others")


@on_jax
def test_a_stop_within_an_execution_names_the_batch(backend, run):
    """So it is with three steps an execution."""
    run(backend, "stopping", "executions")


@either
def test_a_range_test_leaves_the_model_as_it_was(backend, run):
    """It works with arrays and TensorFlow's data sets; the loss surface is refused with a clear error."""
    run(backend, "learning_rates", "restored", "data_set", "surface")


@either
def test_activations_without_a_formula_are_differentiated(backend, run):
    """Derivatives, Jacobians and the table of Keras's functions are those of the backend."""
    run(backend, "derivatives")
