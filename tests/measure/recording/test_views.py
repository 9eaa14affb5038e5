"""What a capture and `record` show of themselves: a title, the head of the table, a figure."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasteach as kt


def test_a_capture_draws_its_gradients(blobs, classifier):
    """`plot` is `gradient_flow` of its table, with the same options."""
    capture = kt.callbacks.GradientCapture()
    classifier().fit(*blobs, epochs=2, verbose=0, callbacks=[capture])
    other = plt.figure().subplots()
    ax = capture.plot(parameter="bias", epoch=1, ax=other)
    assert ax is other
    expected = kt.plotting.gradient_flow(capture.frame, "bias", 1)
    for line, same in zip(ax.get_lines(), expected.get_lines(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), same.get_xydata())


def test_a_recorded_loop_draws_its_gradients(blobs, classifier):
    """`record` has the same figure, and shows itself in a notebook."""
    model = classifier()
    with kt.measure.record(model.optimizer, model) as tape:
        model.train_on_batch(*blobs)
    assert tape.plot().get_yscale() == "log"
    html = tape._repr_html_()
    assert "record: 6 parameters, 1 captured step<" in html
    assert "hidden_1" in html
    assert "<code>.plot()</code>" in html


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("kind", "count", "calls"),
    [
        (kt.callbacks.GradientCapture, "6 parameters", '.plot(), .frame, .layer("name"), .at(step)'),
        (kt.callbacks.ActivationCapture, "3 layers", '.plot(), .frame, .layer("name"), .at(step)'),
    ],
)
def test_a_shell_shows_what_was_recorded(kind, count, calls, blobs, classifier):
    """Before a training nothing; after it how much, the head of the table, and what to call next."""
    capture = kind(every=2)
    assert repr(capture) == f"{kind.__name__}: nothing recorded yet"
    classifier().fit(*blobs, batch_size=20, verbose=0, callbacks=[capture])
    shown = repr(capture).splitlines()
    assert shown[0] == f"{kind.__name__}: {count}, 2 captured steps"
    assert shown[1].split()[:3] == ["epoch", "step", "layer"]
    assert shown[-1] == f"Next: {calls}"
