"""The live plot: where it draws, how often, and that it never breaks a training."""

import copy
import io
import sys
from functools import partial

import keras
import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest
from kerasteach.callbacks import live_plot, live_screens, redraw_budget
from rich.console import Console

import kerasteach as kt

GRADIENTS = pd.DataFrame(
    {"epoch": 0, "step": 0, "layer": ["first", "last"], "depth": [1, 2], "parameter": "bias", "norm": [1e-5, 0.5]}
)


def training(loss=0.5, note="", gradients=GRADIENTS, epoch=1):
    """Return what is shown of a training."""
    history = pd.DataFrame({"epoch": range(epoch), "metric": "loss", "value": loss})
    return live_screens.Training(history, gradients, ("loss",), epoch, 9, note)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        for module in (redraw_budget, live_plot):
            monkeypatch.setattr(module, "perf_counter", lambda: self.now)


class Slow:
    """A screen on which a picture takes two seconds of that clock."""

    pause, between_lines = 0.0, False

    def __init__(self, clock=None):
        self.clock, self.shown, self.closed = clock, [], 0

    def show(self, training, last=False):
        """Note what is shown."""
        self.shown.append((training, last))
        if self.clock is not None:
            self.clock.now += 2

    def close(self):
        """Count."""
        self.closed += 1


@pytest.fixture(scope="module")
def classifier(classifier):
    """Return the function of that name; its networks take their few steps eagerly, which costs less than a trace."""
    return partial(classifier, run_eagerly=True)


@pytest.fixture
def slow(monkeypatch):
    """Return the screen that the next training has."""
    slow = Slow()
    monkeypatch.setattr(live_plot, "screen", lambda verbose: slow)
    return slow


def test_a_training_takes_a_twentieth_longer_at_most(monkeypatch):
    """Of 1000 epochs of a tenth of a second, a picture of two seconds comes twice: after 40 seconds and after 80."""
    clock = Clock(monkeypatch)
    budget = redraw_budget.RedrawBudget(2.0)
    drawn = []
    for epoch in range(1000):
        clock.now += 0.1
        if budget.allows():
            drawn.append(epoch)
            with budget.redraw():
                clock.now += 2
    assert len(drawn) == budget.count == 2
    assert drawn == pytest.approx([400, 800], abs=1)
    assert budget.share == pytest.approx(0.04)


def test_a_picture_that_got_slower_waits_longer(monkeypatch):
    """The next one is expected to cost what the last one did; a failure is counted, too."""
    clock = Clock(monkeypatch)
    budget = redraw_budget.RedrawBudget(0.0)
    assert budget.allows()
    with pytest.raises(OSError, match="no"):
        _fail(budget, clock)
    clock.now += 399
    assert not budget.allows()
    clock.now += 2
    assert budget.allows()
    assert not budget.allows(pause=500)


def _fail(budget, clock):
    with budget.redraw():
        clock.now += 10
        raise OSError("no")


def test_the_cost_is_said(slow, monkeypatch, blobs, classifier):
    """After 4 epochs of 20 seconds each: drawn once, in the second or later, and at the end."""
    clock = Clock(monkeypatch)
    slow.clock = clock

    class Wait(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.now += 20

    live = kt.callbacks.LivePlot()
    live._expected = 2.0
    classifier().fit(*blobs, epochs=4, verbose=0, callbacks=[live, Wait()])
    assert [(one.epoch, last) for one, last in slow.shown] == [(2, False), (4, False), (4, True)]
    assert (live.redraws, live.share) == (2, pytest.approx(0.05))
    note = "redrawn 2 times, 5 % of the training time"
    assert slow.shown[-1][0].note == note
    assert repr(live).startswith(f"LivePlot: 4 epochs, {note}\n")


def test_what_is_shown_is_what_was_trained(slow, blobs, classifier):
    """The metrics are Keras's, and the gradients the means over the last epoch's steps."""
    live, capture = kt.callbacks.LivePlot(metrics=("loss", "accuracy")), kt.callbacks.GradientCapture()
    history = classifier(metrics=["accuracy"]).fit(
        *blobs, epochs=2, verbose=0, validation_split=0.2, callbacks=[live, capture]
    )
    pd.testing.assert_frame_equal(
        live.frame.sort_values(["metric", "epoch"], ignore_index=True),
        kt.measure.history_table(history).sort_values(["metric", "epoch"], ignore_index=True),
    )
    shown, last = slow.shown[-1]
    assert last
    rows = capture.frame.query("epoch == 1").groupby("path", sort=False)["norm"].mean()
    np.testing.assert_allclose(shown.gradients["norm"], rows, rtol=1e-5)
    assert shown.headline().startswith("epoch 2 of 2, loss ")


def test_a_capture_of_the_list_is_read(slow, blobs, classifier):
    """Its rows are shown, wherever it stands, and the optimizer has no second hook."""

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.listeners = len(vars(self.model.optimizer)["apply"].listeners)

    capture, count = kt.callbacks.GradientCapture(), Count()
    live = kt.callbacks.LivePlot(capture=capture)
    classifier().fit(*blobs, epochs=2, verbose=0, callbacks=[live, capture, count])
    assert count.listeners == 1
    assert len(slow.shown[-1][0].gradients) == len(capture.frame.query("epoch == 1"))
    with pytest.raises(TypeError, match="`capture` must be a GradientCapture"):
        kt.callbacks.LivePlot(capture=kt.callbacks.ActivationCapture())


def test_a_long_epoch_is_shown_while_it_goes_on(slow, blobs, classifier):
    """After every second step: the mean loss so far, and the gradients so far; the epoch's own replace them."""
    live = kt.callbacks.LivePlot(every=2)
    classifier(run_eagerly=False).fit(*blobs, batch_size=15, epochs=1, verbose=0, callbacks=[live])
    assert [len(one.history.query("metric == 'loss'")) for one, _ in slow.shown] == [1] * len(slow.shown)
    assert slow.shown[0][0].gradients["step"].unique().tolist() == [1]
    assert len(live.frame.query("metric == 'loss'")) == 1


@pytest.mark.slow
def test_a_failure_to_draw_is_one_warning(monkeypatch, blobs, classifier):
    """The training goes on with the same numbers, and nothing more is tried."""

    class Broken(Slow):
        def show(self, training, last=False):
            super().show(training, last)
            raise OSError("the screen is broken")

    broken = Broken()
    monkeypatch.setattr(live_plot, "screen", lambda verbose: broken)
    plain = classifier().fit(*blobs, epochs=3, verbose=0, shuffle=False)
    live = kt.callbacks.LivePlot()
    with pytest.warns(UserWarning, match="LivePlot draws no more.*the screen is broken") as warned:
        found = classifier().fit(*blobs, epochs=3, verbose=0, shuffle=False, callbacks=[live])
    assert len(warned) == len(broken.shown) == 1
    np.testing.assert_allclose(found.history["loss"], plain.history["loss"], rtol=1e-5)
    assert len(live.frame) == 3


def test_gradients_that_cannot_be_captured_are_one_warning(slow, monkeypatch, blobs, classifier):
    """The loss is shown without them."""

    def refuse(self, model, replicas):
        raise RuntimeError("not this model")

    monkeypatch.setattr(kt.callbacks.GradientCapture, "_check", refuse)
    model = classifier()
    with pytest.warns(UserWarning, match="LivePlot shows no gradients.*not this model") as warned:
        model.fit(*blobs, epochs=2, verbose=0, callbacks=[kt.callbacks.LivePlot()])
    assert len(warned) == 1
    assert slow.shown[-1][0].gradients is None
    assert "apply" not in vars(model.optimizer)


def test_an_unknown_metric_is_one_warning(slow, blobs, classifier):
    """It names those that there are; the others are shown."""
    live = kt.callbacks.LivePlot(metrics=("loss", "acc"))
    with pytest.warns(UserWarning, match="cannot show acc: the logs hold accuracy, loss") as warned:
        classifier(metrics=["accuracy"]).fit(*blobs, epochs=2, verbose=0, callbacks=[live])
    assert len(warned) == 1
    assert slow.shown


def test_after_an_interruption_the_next_fit_begins_anew(slow, blobs, classifier, interrupt):
    """The table is that of the second training alone, and no hook is left."""
    model, live = classifier(), kt.callbacks.LivePlot()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*blobs, epochs=5, verbose=0, callbacks=[live, interrupt(3)])
    model.fit(*blobs, epochs=1, verbose=0, callbacks=[live])
    assert live.frame["epoch"].unique().tolist() == [0]
    assert slow.shown[-1][1]
    assert "apply" not in vars(model.optimizer)


@pytest.mark.slow
def test_it_can_be_copied_and_drawn(slow, blobs, classifier):
    """A copy, as a tuner makes it, trains; then the figure has a panel for each metric and one for the gradients."""
    live = copy.deepcopy(kt.callbacks.LivePlot(metrics=("loss", "accuracy")))
    with pytest.raises(ValueError, match="no epoch was trained yet"):
        live.plot()
    assert repr(live) == "LivePlot: no epoch yet"
    classifier(metrics=["accuracy"]).fit(*blobs, epochs=2, verbose=0, validation_split=0.2, callbacks=[live])
    figure = live.plot()
    assert [ax.get_ylabel() for ax in figure.axes][:2] == ["loss", "accuracy"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["training", "validation"]
    assert figure.axes[2].get_yscale() == "log"


def test_a_pipe_gets_a_line_now_and_then(monkeypatch, capsys, blobs, classifier):
    """One at the first epoch, none in the next ten seconds, and one at the end."""
    clock = Clock(monkeypatch)

    class Wait(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.now += 3

    classifier().fit(*blobs, epochs=8, verbose=0, callbacks=[kt.callbacks.LivePlot(), Wait()])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == [f"epoch {number} of 8" for number in (1, 5, 8)]
    assert "gradient norm" in lines[0]
    assert "of the training time" in lines[-1]


def test_lines_stand_between_those_of_keras(capsys, blobs, classifier):
    """With `verbose=2` each begins a line of its own, and none of Keras's is torn."""
    classifier().fit(*blobs, epochs=2, verbose=2, callbacks=[kt.callbacks.LivePlot()])
    lines = capsys.readouterr().out.splitlines()
    kinds = ["keras" if line.startswith(("Epoch", "2/2")) else line.partition(",")[0] for line in lines]
    assert kinds == ["keras", "keras", "epoch 1 of 2", "keras", "keras", "epoch 2 of 2"]


def terminal(monkeypatch):
    """Return a terminal of 80 columns and 24 rows, and what is written to it."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    return Console(file=written, force_terminal=True, width=80, height=24, color_system=None), written


UP = "\x1b[1A"


def test_a_terminal_has_one_table_in_its_place(monkeypatch):
    """Each table is drawn over the last one; a bar is as long as the logarithm of the gradient."""
    console, written = terminal(monkeypatch)
    screen = live_screens.Terminal(console, verbose=False)
    screen.show(training(loss=0.5))
    first = written.getvalue()
    height = first.count("\n")
    assert UP not in first
    assert "epoch 1 of 9, loss 0.5" in first
    bars = [line.count("█") for line in first.splitlines() if "█" in line]
    assert bars == [1, 38]  # from 1e-05 to 1
    screen.show(training(loss=0.25, note="redrawn once"), last=True)
    assert written.getvalue()[len(first) :].count(UP) == height
    assert "redrawn once" in written.getvalue()
    assert sys.stdout is written


def test_what_others_write_is_never_overwritten(monkeypatch):
    """Then there are lines, and at the end the table below them; the streams are those from before."""
    console, written = terminal(monkeypatch)
    screen = live_screens.Terminal(console, verbose=False)
    screen.show(training())
    sys.stdout.write("Stopped: Epoch 32\n")
    assert sys.stdout is written  # also where nothing is drawn after it, as after an error
    screen.show(training(loss=0.25))
    screen.show(training(loss=0.125), last=True)
    assert UP not in written.getvalue()
    after = written.getvalue().partition("Stopped: Epoch 32\n")[2]
    assert after.startswith("epoch 1 of 9, loss 0.25; gradient norm 1e-05 in the first layer and 0.5 in the last\n")
    assert after.count("epoch 1 of 9, loss 0.125") == 1
    assert "█" in after


@pytest.mark.parametrize(
    ("norms", "bars"),
    [([0.0, 0.0], [0, 0]), ([np.nan, np.inf], [0, 0]), ([1e-300, 1e300], [1, 40]), ([0.5, 0.5], [34, 34])],
)
def test_odd_gradients_have_a_table(norms, bars):
    """Zero and what is not finite has no bar, and a scale has two powers of ten at least."""
    written = io.StringIO()
    shown = training(gradients=GRADIENTS.assign(norm=norms))
    console = Console(file=written, width=80, color_system=None)
    console.print(live_screens.layer_table(shown, 20, live_screens._decades(shown.norms())))
    rows = [line for line in written.getvalue().splitlines() if "first" in line or "last" in line]
    assert [line.count("█") for line in rows] == bars


def test_a_table_fits_the_terminal():
    """Of 100 layers some are shown, the first and the last among them; without gradients there is the headline."""
    layers = pd.concat([GRADIENTS.assign(layer=f"layer_{number}", depth=number) for number in range(1, 101)])
    table = live_screens.layer_table(training(gradients=layers), 10, (-5, 0))
    assert table.row_count == 10
    assert live_screens.layer_table(training(gradients=None), 10, (-5, 0)).row_count == 0


def test_a_picture_is_of_no_open_figure():
    """A notebook would show it once more; a training without gradients or epochs has one, too."""
    none = training().history.iloc[:0]
    for shown in (training(), training(gradients=None), live_screens.Training(none, None, ("loss",), 1, 9)):
        assert live_screens.picture(shown).startswith(b"\x89PNG")
    assert plt.get_fignums() == []


NOTEBOOK = [
    """
import keras, numpy as np, kerasteach as kt
model = kt.models.mlp("tanh", (3,), inputs=4, outputs=2)
model.compile("sgd", "sparse_categorical_crossentropy")
x, y = np.ones((8, 4)), np.zeros(8)
live = kt.callbacks.LivePlot()
live._expected = 1e-9  # every epoch is drawn
class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
""",
    "history = model.fit(x, y, epochs=3, verbose=0, callbacks=[live])",
    "model.fit(x, y, epochs=3, verbose=0, callbacks=[live, Stop()])",
]


@pytest.mark.slow  # a kernel of its own
def test_a_saved_notebook_has_the_last_picture(monkeypatch):
    """One output below the cell, updated in place, also after an interruption."""
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in NOTEBOOK])
    client = nbclient.NotebookClient(
        notebook, timeout=600, startup_timeout=600, kernel_name="python3", allow_errors=True
    )
    client.execute()
    _, whole, interrupted = notebook.cells
    (shown,) = whole.outputs
    assert set(shown["data"]) == {"image/png", "text/plain"}
    assert shown["data"]["text/plain"].startswith("epoch 3 of 3, loss ")
    pictures = [output for output in interrupted.outputs if output.output_type == "display_data"]
    assert len(pictures) == 1
    assert "interrupted in epoch 2" in pictures[0]["data"]["text/plain"]
    assert interrupted.outputs[-1]["ename"] == "KeyboardInterrupt"
