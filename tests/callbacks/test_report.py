import numpy as np
import pytest

import kerasteach as kt


@pytest.fixture(scope="module")
def trained(request):
    """Return a model that two captures watched, which are the other two."""
    model = kt.models.mlp("sigmoid", hidden=(4, 4), inputs=2, outputs=2)
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    captures = kt.callbacks.GradientCapture(histogram=True), kt.callbacks.ActivationCapture()
    x, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    model.fit(x, y, batch_size=5, epochs=2, validation_data=(x, y), validation_freq=2, verbose=0, callbacks=[*captures])
    return model, *captures


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch):
    """Leave the figures out, which take seconds."""
    monkeypatch.setattr("kerasteach.report.run_page.pictures", lambda run, report: [])
    monkeypatch.setattr("kerasteach.report.charts.available", lambda: False)


def test_the_page_of_a_capture_has_all_tables_and_what_was_trained(trained, tmp_path):
    """With the activations, the histograms and the history of the model's last `fit`."""
    model, gradients, activations = trained
    page = gradients.report(tmp_path / "page.html", activations).read_text()
    assert f"<h1>Training of {model.name}</h1>" in page
    assert f"{model.count_params()} parameters" in page
    assert "SGD, learning rate 0.01" in page
    for table in ("gradients", "activations", "history", "gradient_histograms"):
        assert f'download="{table}.csv.gz"' in page
    assert "dead units" in page


def test_the_page_of_outputs_needs_no_gradients(trained, tmp_path):
    """It says that the diagnosis looks at them."""
    page = trained[2].report(tmp_path / "page.html", title="Outputs").read_text()
    assert "<h1>Outputs</h1>" in page
    assert "this run has none" in page


def test_a_capture_that_recorded_nothing_is_refused(tmp_path):
    """Nothing is written."""
    with pytest.raises(ValueError, match="`gradients` has no row: was the network trained"):
        kt.callbacks.GradientCapture().report(tmp_path / "page.html")
    assert not list(tmp_path.iterdir())
