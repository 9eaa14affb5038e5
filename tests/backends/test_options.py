"""What a capture can be asked for, on any backend."""

import keras
import numpy as np
import pandas as pd
from network import STATISTICS, X, Y, dense, fit

import kerasteach as kt
from kerasteach.measure.hooks import recorder


def recorded(**options):
    """Return a capture of two epochs of three steps."""
    capture = kt.callbacks.GradientCapture(**options)
    fit(dense(keras.optimizers.Adam(0.01)), capture)
    return capture


def test_every_spares_rows():
    """`every=2` gives each second step, `every="epoch"` the means over each epoch."""
    all_steps = recorded().frame
    second = recorded(every=2).frame
    expected = all_steps[all_steps["step"] % 2 == 0]
    assert second["step"].tolist() == expected["step"].tolist()
    assert second["epoch"].tolist() == expected["epoch"].tolist()
    np.testing.assert_allclose(second["norm"], expected["norm"], rtol=1e-6)
    epochs = recorded(every="epoch").frame
    assert epochs["step"].unique().tolist() == [2, 5]
    means = all_steps.groupby(["epoch", "path"], sort=False)["norm"].mean()
    np.testing.assert_allclose(epochs["norm"], means, rtol=1e-6)


def test_whole_gradients_have_the_statistics_of_the_table():
    """Whole gradients, whose numbers are those of the table."""
    capture = recorded(raw={"output": [0, 4], "hidden_1": 5}, statistics="all")
    assert {step: set(arrays) for step, arrays in capture.raw.items()} == {
        0: {"mlp/output/kernel", "mlp/output/bias"},
        4: {"mlp/output/kernel", "mlp/output/bias"},
        5: {"mlp/hidden_1/kernel", "mlp/hidden_1/bias"},
    }
    table = capture.frame.set_index(["step", "path"])
    for step, arrays in capture.raw.items():
        for path, gradient in arrays.items():
            row = table.loc[step, path]
            assert gradient.size == row["size"]
            np.testing.assert_allclose(np.linalg.norm(gradient), row["norm"], rtol=1e-5)
            np.testing.assert_allclose(np.abs(gradient).max(), row["max_abs"], rtol=1e-6)
            np.testing.assert_allclose(np.abs(gradient).mean(), row["mean_abs"], rtol=1e-5)


def test_histograms_count_the_entries():
    """Counts of the entries by magnitude, which are those of the whole gradients."""
    edges = [1e-4, 1e-3, 1e-2, 1e-1]
    capture = recorded(histogram=edges, raw={"*": [1]})
    table = capture.histograms
    for path, gradient in capture.raw[1].items():
        rows = table[(table["step"] == 1) & (table["path"] == path)]
        magnitudes = np.abs(gradient)
        counts = [
            ((magnitudes >= low) & (magnitudes < high)).sum()
            for low, high in zip(rows["low"], rows["high"], strict=True)
        ]
        assert rows["count"].tolist()[1:-1] == counts[1:-1], path
    assert (table.groupby(["step", "path"], sort=False)["count"].sum().to_numpy() == capture.frame["size"]).all()


def test_a_statistic_of_ones_own_is_that_of_the_gradient():
    """A statistic of one's own is that of the whole gradients, in every second step."""
    l1 = {"l1": lambda gradient: keras.ops.sum(keras.ops.abs(gradient))}
    for options in ({"every": 2}, {"every": "epoch"}):
        found = recorded(statistics=[*STATISTICS, "mean_abs", l1], **options).frame
        np.testing.assert_allclose(found["l1"], found["mean_abs"] * found["size"], rtol=1e-5)


def test_a_run_on_disk_is_the_table_in_memory(tmp_path):
    """A run on disk that is the table in memory."""
    capture = recorded(directory=tmp_path, histogram=True, raw={"output": [3]})
    expected = recorded(histogram=True, raw={"output": [3]})
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path), expected.frame, rtol=1e-4)
    pd.testing.assert_frame_equal(kt.measure.read(tmp_path, table="histograms"), expected.histograms)
    found, gradient = capture.raw[3]["mlp/output/kernel"], expected.raw[3]["mlp/output/kernel"]
    np.testing.assert_allclose(found, gradient, rtol=1e-4, atol=1e-7)
    assert [run.name for run in tmp_path.iterdir()] == ["run-0001"]


def test_the_table_can_be_read_meanwhile():
    """The table, read after each batch, has every step so far."""

    class Peek(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(int(capture.frame["step"].max()))

    seen, capture = [], kt.callbacks.GradientCapture()
    fit(dense(keras.optimizers.Adam(0.01)), Peek(), capture)
    assert seen == list(range(6))
    assert capture.frame["norm"].tolist() == recorded().frame["norm"].tolist()


def test_validation_is_not_recorded():
    """Evaluations between the epochs change nothing."""
    capture = kt.callbacks.GradientCapture()
    dense(keras.optimizers.Adam(0.01)).fit(
        X, Y, validation_data=(X, Y), batch_size=20, epochs=2, shuffle=False, verbose=0, callbacks=[capture]
    )
    assert capture.frame["norm"].tolist() == recorded().frame["norm"].tolist()


def test_long_epochs_are_fetched_in_pieces(monkeypatch):
    """Epochs too long for the device's buffer are fetched in pieces, and nothing is lost."""
    expected = recorded().frame
    monkeypatch.setattr(recorder, "BUFFER_BYTES", 2 * 6 * 4 * 4)
    assert recorded().frame["norm"].tolist() == expected["norm"].tolist()
