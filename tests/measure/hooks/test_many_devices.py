import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "backends" / "mirrored.py"
WARNINGS = ["error", "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"]  # Keras's own


@pytest.fixture
def prove(tmp_path):
    """Return a function that has facts of the program hold, in a process of its own with two devices."""

    def run(*facts):
        options = [word for warning in WARNINGS for word in ("-W", warning)]
        environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg"}
        done = subprocess.run(
            [sys.executable, *options, PROGRAM, *facts],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return run


def test_the_recorded_gradient_is_that_of_the_whole_batch(prove):
    """Two devices that share each batch record, once a step, what one device records of it."""
    prove("plain")


def test_two_devices_train_our_pieces_as_one_does(prove):
    """Our layers, PlainSGD and callbacks give losses, weights, gradients and the stop of one device."""
    prove("ours")


@pytest.mark.slow
def test_in_every_mode_it_is_that_of_the_whole_batch(prove):
    """So it is however Keras runs the step, as far as Keras itself can share it between devices."""
    prove("automatic", "executions", "accumulated")


@pytest.mark.slow
def test_it_is_recorded_before_clipping(prove):
    """Keras clips what each device has; the recorded gradient is the whole batch's, unclipped."""
    prove("clipped")


@pytest.mark.slow
def test_the_gradient_of_an_embedding_is_summed_over_devices(prove):
    """Slices of rows from both devices are recorded as one dense gradient."""
    prove("slices")


@pytest.mark.slow
def test_loss_scaled_gradients_are_unscaled(prove):
    """In half precision the norms are those of float32, to its three digits or two."""
    prove("scaled")


@pytest.mark.slow
def test_training_is_not_changed(prove):
    """Weights and the optimizer's state end bit-identical with and without the capture."""
    prove("weights")


@pytest.mark.slow
def test_rows_can_be_spared(prove):
    """`every=3` and `every="epoch"` choose among the very same steps."""
    prove("every")


@pytest.mark.slow
def test_whole_gradients_and_histograms_are_those_of_the_whole_batch(prove):
    """What `raw=` keeps is what one device keeps, and the histogram counts its entries."""
    prove("raw")


@pytest.mark.slow
def test_a_recording_streams_to_disk(prove):
    """Each training becomes a run of its own."""
    prove("streamed")


@pytest.mark.slow
def test_an_unevenly_shared_batch_is_one_row(prove):
    """A last batch of 13 examples is recorded like the others."""
    prove("uneven")


@pytest.mark.slow
def test_what_one_device_alone_finds_not_finite_shows(prove):
    """NaN in the second device's half of a batch makes the step not finite."""
    prove("not_finite")


@pytest.mark.slow
def test_a_training_started_inside_the_scope_is_recorded(prove):
    """It makes no difference whether `fit` is called inside the strategy's scope."""
    prove("inside")


@pytest.mark.slow
def test_a_loop_of_ones_own_is_recorded(prove):
    """`measure.record` inside the strategy's scope gives the whole batch's gradient."""
    prove("by_hand")


@pytest.mark.slow
def test_a_probe_is_refused(prove):
    """A model with a GradientProbe is a RuntimeError that says so, and trains on without the capture."""
    prove("probe")


@pytest.mark.slow
def test_outputs_are_refused(prove):
    """An ActivationCapture is a RuntimeError that says so."""
    prove("activations")


def test_a_stop_is_at_the_first_batch_whose_own_loss_is_below(prove):
    """The loss that is judged is that of the whole batch, whatever each device had of it."""
    prove("stopped")
