import dataclasses

import pytest
from matplotlib.axes import Axes

import kerasteach as kt
from kerasteach.experiment import paired_experiment


def test_a_comparison_shows_its_size_and_medians(comparison):
    """In a shell and in a notebook: what was trained, the median of each quantity, and what to call next."""
    shown = repr(comparison).splitlines()
    assert shown[0] == "Comparison: 3 variants x 3 seeds, 4 epochs, iris"
    assert shown[-1] == "Next: .plot(), .summary(), .history, .gradients, .report(path), .save(directory)"
    assert [line.split()[0] for line in shown[3:-1]] == ["sigmoid", "tanh", "relu"]
    assert "final_loss" in shown[1]
    assert "final_loss_min" not in shown[1]
    assert "<td>" in comparison._repr_html_()


def test_an_unfinished_comparison_says_how_much_is_trained(comparison):
    """Loaded while it trains, it has fewer networks than it will have."""
    facts = {**comparison.facts, "finished": False, "groups": [{"networks": [{}, {}]}]}
    part = dataclasses.replace(comparison, facts=facts)
    assert repr(part).splitlines()[0].endswith("iris; 2 of 9 networks are trained")


def test_the_usual_figure_is_the_lecture_figure(comparison):
    """Under what was trained on what, unless another title is given."""
    figure = comparison.plot()
    assert "iris: 3 hidden layers of 6, learning rate 0.5" in figure.get_suptitle().replace("\n", " ")
    expected = kt.plotting.lecture_figure(comparison.history, comparison.gradients)
    assert len(figure.findobj(Axes)) == len(expected.findobj(Axes))
    assert comparison.plot(title="mine").get_suptitle() == "mine"


@pytest.mark.slow
def test_without_gradients_the_usual_figure_is_the_learning_curves(comparison):
    """A line a variant."""
    bare = dataclasses.replace(comparison, gradients=comparison.gradients.iloc[:0])
    ax = bare.plot(metric="val_loss")
    expected = kt.plotting.learning_curves(comparison.history, "val_loss")
    assert len(ax.lines) == len(expected.lines) >= 3
    assert ax.get_ylabel() == expected.get_ylabel()


def test_a_variants_network_is_built_twice_before_the_training(monkeypatch):
    """Checks, fingerprint and grouping share a prototype, also of two learning rates; the second repeats its probe."""
    built = []

    def build(activation):
        built.append(activation)
        return kt.models.mlp(activation, (3,), inputs=4, outputs=3)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(paired_experiment, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kt.compare(("tanh", "relu"), models={"mine": build}, vary={"learning_rate": [0.1, 0.2]}, data="iris", verbose=0)
    assert built == ["tanh", "relu", "tanh", "relu"]
