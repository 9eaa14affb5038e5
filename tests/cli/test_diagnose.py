from functools import partial

import pandas as pd
import pytest

import kerasteach as kt


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the folder of a saved comparison of two networks, made by hand; of one the gradient vanishes."""
    networks = {"sigmoid": (1e-4, [2.3, 2.29, 2.29]), "relu": (0.5, [2.3, 0.8, 0.4])}
    rows = [
        (name, 0, epoch, epoch, f"dense_{depth}", depth, "bias", f"dense_{depth}/bias", 3, share ** (3 - depth), True)
        for name, (share, _) in networks.items()
        for epoch in (0, 1, 2)
        for depth in (1, 2, 3)
    ]
    columns = ["activation", "seed", "epoch", "step", "layer", "depth", "parameter", "path", "size", "norm", "finite"]
    losses = [
        (name, 0, epoch, "loss", loss) for name, (_, curve) in networks.items() for epoch, loss in enumerate(curve)
    ]
    history = pd.DataFrame(losses, columns=["activation", "seed", "epoch", "metric", "value"])
    arguments = {"error_below": None, "hidden": [3, 3], "vary": [], "seeds": [0], "epochs": 3, "data": "yours"}
    facts = {
        "arguments": {**arguments, "split_seed": 0},
        "variants": [{"activation": name} for name in networks],
        "data": {"name": "yours", "task": "classification", "feature_names": []},
        "groups": [],
    }
    folder = tmp_path_factory.mktemp("saved") / "run"
    kt.Comparison(history, pd.DataFrame(rows, columns=columns), facts).save(folder)
    return folder


@pytest.fixture
def diagnose(called):
    """Return a function that runs `kerasteach diagnose`: its status, and what it printed."""
    return partial(called, "diagnose")


def test_a_saved_comparison_is_diagnosed_by_variant(saved, diagnose):
    """Only the network whose gradient vanishes is named."""
    code, out, _ = diagnose(saved)
    assert code == 0
    assert out.startswith("sigmoid: vanishing gradient (KT201, warning)")
    assert "relu:" not in out


def test_a_rule_can_be_muted_by_name(saved, diagnose):
    """Nothing else is found."""
    assert diagnose(saved, "--mute", "vanishing_gradient")[1].startswith("No finding.")


def test_a_rule_is_explained_without_a_run(diagnose):
    """Its page begins with its name."""
    assert diagnose("--explain", "KT301")[1].startswith("KT301: dead units")


@pytest.mark.parametrize(("words", "error"), [((), "Received: neither"), (("nowhere",), "which is no folder")])
def test_without_a_run_there_is_a_clear_error(diagnose, words, error):
    """Exit status 2, and what would work."""
    code, _, err = diagnose(*words)
    assert code == 2
    assert error in err
