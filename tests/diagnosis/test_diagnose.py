import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.diagnosis.rules import RULES, SETUP_RULES
from kerasteach.tables.captures import with_keys

STUCK, LEARNS = [2.3, 2.29, 2.28, 2.28], [2.3, 1.2, 0.6, 0.3]


def gradients(norms, epochs=4, steps=5, **columns):
    """Return a table of gradients with these norms of the layers' biases in every step, from the input on."""
    rows = [
        {"epoch": epoch, "step": epoch * steps + step, "layer": f"layer_{depth}", "depth": depth, "parameter": "bias"}
        for epoch in range(epochs)
        for step in range(steps)
        for depth in range(1, len(norms) + 1)
    ]
    table = pd.DataFrame(rows).assign(norm=np.tile(np.asarray(norms, "float64"), epochs * steps), finite=True)
    return table.assign(**columns)


def history(loss, **metrics):
    """Return the table of these metrics."""
    return kt.measure.history_table({"loss": loss, **metrics})


def outputs(epochs=4, **columns):
    """Return a table of the outputs of two hidden layers and the last one, captured once an epoch."""
    rows = [
        {"epoch": epoch, "step": 5 * epoch + 4, "layer": name, "depth": depth, "call": 1, "size": 10, "finite": True}
        for epoch in range(epochs)
        for depth, name in enumerate(["hidden_1", "hidden_2", "output"], start=1)
    ]
    return pd.DataFrame(rows).assign(**columns)


def ids(findings):
    """Return the identifiers of what was found."""
    return list(findings.frame["rule"])


def test_a_healthy_training_has_no_finding():
    """Even norms and a falling loss give none, and the text says what was looked at."""
    found = kt.diagnose(gradients([0.1, 0.2, 0.1]), outputs(dead_fraction=0.0), history(LEARNS))
    assert not found
    assert str(found).startswith("No finding. Looked at: not finite, no gradient, vanishing gradient")


def test_vanishing_is_found_along_the_depth():
    """Of norms that fall by one power of ten a layer, the evidence has the factor from the last to the first."""
    found = kt.diagnose(gradients([1e-4, 1e-3, 1e-2, 1e-1]), history=history(STUCK))
    assert ids(found) == ["KT201"]
    row = found.frame.iloc[0]
    assert row["value"] == pytest.approx(3.0)
    assert row["layers"] == "layer_1"
    assert "layer_1, gets 1,000 times less gradient than the last, layer_4" in row["evidence"]


def test_small_gradients_of_a_network_that_learns_are_no_finding():
    """Vanishing is judged only where the loss shows a problem."""
    assert not kt.diagnose(gradients([1e-6, 1e-4, 1e-2]), history=history(LEARNS))


def test_a_network_that_was_good_from_the_start_is_not_stuck():
    """A loss that hardly falls is no problem where the accuracy is high."""
    table = history([0.05, 0.049], accuracy=[0.99, 0.99])
    assert not kt.diagnose(gradients([1e-6, 1e-4, 1e-2]), history=table)


def test_without_a_history_the_symptom_rules_are_not_looked_at():
    """The result says which rules were left out, and what they need."""
    found = kt.diagnose(gradients([1e-6, 1e-4, 1e-2]))
    assert not found
    assert found.skipped["KT201"] == "history"
    assert "Not looked at, without `history=`: vanishing gradient" in str(found)


def test_exploding_is_found_along_the_depth():
    """A gradient that grows towards the input is one where the loss is not finite in the end."""
    found = kt.diagnose(gradients([1e3, 10.0, 0.1]), history=history([5.0, 9.0, np.nan, np.nan]))
    assert ids(found) == ["KT202"]
    assert found.frame["value"].item() == pytest.approx(4.0)


def test_exploding_is_found_over_time():
    """A gradient that grew over the steps counts where the depth shows nothing."""
    table = gradients([0.1, 0.1, 0.1])
    table.loc[table["step"] == 17, "norm"] = 1000.0
    found = kt.diagnose(table, history=history([1.0, 0.9, 0.8, np.inf]))
    assert ids(found) == ["KT202"]
    assert "is 10,000 times as large in step 17 (epoch 4)" in found.frame["evidence"].item()


def test_the_last_layer_with_a_gradient_that_is_not_finite_is_named():
    """Without outputs the backward pass is looked at: what is not finite stays so on its way to the input."""
    table = gradients([0.1, 0.2, 0.3])
    table.loc[(table["step"] >= 7) & (table["depth"] <= 2), ["norm", "finite"]] = [np.nan, False]
    found = kt.diagnose(table)
    assert ids(found) == ["KT101"]
    assert found.frame["layers"].item() == "layer_2"
    assert found.frame["evidence"].item().startswith("the gradient of layer_2 is not finite from step 7 on (epoch 2)")


def test_an_output_that_is_not_finite_comes_first():
    """Where outputs were captured, the first layer in the forward pass is named."""
    table, out = gradients([np.nan, np.nan], finite=False), outputs(dead_fraction=0.0)
    out.loc[out["layer"] != "hidden_1", "finite"] = False
    found = kt.diagnose(table.assign(step=table["step"] + 4), out)
    assert found.frame["layers"].item() == "hidden_2"
    assert "began in the forward pass" in found.frame["evidence"].item()


def test_outputs_of_a_whole_epoch_do_not_say_where_it_began():
    """They may have been lost in a later step of it."""
    table, out = gradients([0.1, 0.2]), outputs(dead_fraction=0.0, finite=False)
    table.loc[table["step"] >= 1, ["norm", "finite"]] = [np.nan, False]
    text = kt.diagnose(table, out).frame["evidence"].item()
    assert text.startswith("the gradient of layer_2 is not finite from step 1 on (epoch 1); 19 of 20")


def test_a_gradient_of_exactly_zero_is_found():
    """Layers whose every step of the last epoch is 0 get no gradient, whatever the loss does."""
    found = kt.diagnose(gradients([0.0, 0.0, 0.1]))
    assert ids(found) == ["KT102"]
    assert found.frame["layers"].item() == "layer_1, layer_2"


def test_a_loss_of_zero_explains_a_gradient_of_zero():
    """Where there is nothing left to learn, no gradient is no finding."""
    assert not kt.diagnose(gradients([0.0, 0.0]), history=history([1.0, 0.5, 0.1, 0.0]))


def test_dead_units_are_found_in_the_last_epoch():
    """More than half of a hidden layer's units, in a network that does not learn."""
    out = outputs(dead_fraction=0.1)
    out.loc[out["layer"] == "hidden_2", "dead_fraction"] = 0.8
    found = kt.diagnose(gradients([0.1, 0.1]), out, history(STUCK))
    assert ids(found) == ["KT301"]
    assert found.frame["evidence"].item().startswith("80 % of the units of hidden_2")


def test_sparse_outputs_are_no_finding():
    """That most outputs are 0 says nothing of dead units."""
    assert not kt.diagnose(gradients([0.1, 0.1]), outputs(dead_fraction=0.0, zero_fraction=0.9), history(STUCK))


@pytest.mark.parametrize(
    ("ratio", "loss", "rule"),
    [(0.5, [2.0, 3.5, 2.4, 4.0], "KT401"), (1e-5, STUCK, "KT402"), (1e-3, STUCK, None), (0.5, LEARNS, None)],
    ids=["too high", "too low", "usual", "high, and it learns"],
)
def test_the_learning_rate_is_judged_by_the_updates(ratio, loss, rule):
    """The share by which a step changes the weights, and a loss that shows a problem."""
    table = gradients([0.1, 0.1], parameter="kernel", update_ratio=ratio)
    loss = [2.3, 2.29, 2.28, 2.27] if rule == "KT402" else loss
    assert ids(kt.diagnose(table, history=history(loss, accuracy=[0.1] * 4))) == ([rule] if rule else [])


@pytest.mark.parametrize(("ratio", "rules"), [(1e-5, []), (9e-7, ["KT402"])])
def test_short_steps_alone_do_not_say_that_the_rate_is_too_low(ratio, rules):
    """Without an accuracy, a good model that is tuned further looks alike, down to steps that change nothing."""
    table = gradients([0.1, 0.1], parameter="kernel", update_ratio=ratio)
    assert ids(kt.diagnose(table, history=history([0.033, 0.0329, 0.0328, 0.0327]))) == rules


def test_a_vanishing_gradient_explains_short_steps():
    """The rate is not blamed for steps that are short because the gradient vanishes."""
    table = pd.concat([gradients([1e-6, 1e-4, 1e-2]), gradients([1e-6, 1e-4, 1e-2], parameter="kernel")])
    losses = history([2.3, 2.29, 2.28, 2.27], accuracy=[0.1] * 4)
    assert ids(kt.diagnose(table.assign(update_ratio=1e-5), history=losses)) == ["KT201"]


@pytest.mark.parametrize(
    "losses",
    [[-0.1, -0.5, -0.9, -0.89], [-0.9, -0.91, -0.91, -0.91], [0.5, 0.0, -0.1, 0.4]],
    ids=["falls", "stands", "passes 0"],
)
def test_a_loss_below_zero_is_not_judged(losses):
    """That of a cosine similarity has no ratio to its beginning."""
    assert not kt.diagnose(gradients([1e-6, 1e-4, 1e-2]), outputs(dead_fraction=1.0), history(losses))


@pytest.mark.parametrize("losses", [[2.0, 0.3, 0.2, 0.35], [0.9, 0.85]], ids=["noise at the end", "two epochs"])
def test_noise_and_a_beginning_are_no_problem(losses):
    """A loss keeps half of what it fell; after two epochs none is called stuck."""
    assert not kt.diagnose(gradients([1e-6, 1e-4, 1e-2]), history=history(losses))


@pytest.mark.parametrize(("accuracy", "rules"), [(0.54, ["KT201"]), (0.56, [])])
def test_the_accuracy_above_chance_counts(accuracy, rules):
    """Of ten classes, the last layer's biases, half of the way from a guess to 1 is 0.55."""
    table = gradients([1e-6, 1e-4, 1e-2], size=10)
    assert ids(kt.diagnose(table, history=history([1.5, 1.49, 1.48], accuracy=[0.5, 0.5, accuracy]))) == rules


def test_exploding_is_read_from_the_steps_that_are_finite():
    """A network that is lost after its second step exploded in the first ones."""
    table = gradients([1e5, 1e3, 1.0])
    table.loc[table["step"] >= 2, ["norm", "finite"]] = [np.nan, False]
    assert ids(kt.diagnose(table, history=history([np.nan] * 4))) == ["KT101", "KT202"]


def test_a_network_thrown_off_early_has_exploded():
    """Its loss was far above a guess, and its accuracy stays poor, though the loss falls ever after."""
    losses = history([1e15, 0.67, 0.66, 0.66], accuracy=[0.5, 0.6, 0.6, 0.6])
    found = kt.diagnose(gradients([1e5, 1e3, 1.0], size=2), history=losses)
    assert ids(found) == ["KT202"]
    assert "was 1e+15, where a guess has 0.693, and the accuracy ends at 0.6" in found.frame["evidence"].item()


def test_a_gradient_that_comes_back_is_no_explosion():
    """Norms that begin at 1e-9 may grow a thousandfold and stay below the last layer's."""
    table = gradients([1e-9, 1e-9, 0.1])
    table.loc[(table["step"] > 10) & (table["depth"] < 3), "norm"] = 1e-3
    assert "KT202" not in ids(kt.diagnose(table, history=history(STUCK)))


def test_frozen_layers_are_named_and_are_no_finding():
    """A capture knows them; their gradients are not there to be judged."""

    class Capture(pd.DataFrame):
        frozen = ("conv", "conv_1")

    found = kt.diagnose(Capture(gradients([0.1, 0.2])))
    assert not found
    assert str(found).endswith("Frozen, and not looked at: conv, conv_1.")


def test_a_front_that_stands_still_is_found():
    """The first layer's share is a hundredth of the last one's, or less."""
    table = gradients([0.1, 0.1, 0.1], parameter="kernel")
    table = table.assign(update_ratio=table["depth"].map({1: 1e-6, 2: 1e-4, 3: 1e-3}))
    found = kt.diagnose(table, history=history([2.3, 2.31, 2.29, 2.3]))
    assert ids(found) == ["KT203"]
    assert "1,000 times less" in found.frame["evidence"].item()


def test_a_finding_of_a_variant_holds_in_most_of_its_seeds():
    """Two of three seeds give a row of the variant, one of three does not."""
    parts, losses = [], []
    for name, sick in (("sigmoid", 2), ("relu", 1)):
        for seed in range(3):
            norms = [1e-5, 1e-3, 1e-1] if seed < sick else [0.1, 0.1, 0.1]
            keys = {"activation": name, "seed": seed}
            parts.append(with_keys(gradients(norms), keys))
            losses.append(with_keys(history(STUCK), keys))
    found = kt.diagnose(pd.concat(parts), history=pd.concat(losses))
    assert found.frame[["activation", "rule", "seeds"]].to_numpy().tolist() == [["sigmoid", "KT201", "2 of 3"]]
    assert str(found).startswith("sigmoid: vanishing gradient (KT201, warning) (2 of 3 seeds)")


def test_a_muted_rule_is_left_out():
    """It is neither found nor named among those that were looked at."""
    found = kt.diagnose(gradients([0.0, 0.1]), mute=["KT102"])
    assert not found
    assert "KT102" not in found.looked_at


def test_a_rule_that_does_not_exist_is_refused():
    """The error names those there are."""
    with pytest.raises(ValueError, match=r"`mute` must be .*KT101"):
        kt.diagnose(gradients([0.1]), mute=["KT999"])


def test_names_are_escaped_in_a_notebook():
    """A layer's name is text, not markup."""
    table = gradients([0.0, 0.1], layer="<script>")
    assert "<script>" not in kt.diagnose(table)._repr_html_()


@pytest.mark.parametrize("rule", [*RULES, *SETUP_RULES])
def test_each_rule_is_explained(rule):
    """The page has its name, when it is wrong, what to try, and a source."""
    page = kt.diagnosis.explain(rule)
    assert page.startswith(f"{rule}: {({**RULES, **SETUP_RULES})[rule].name}")
    assert {"Try", "Source"} <= {line.split(":")[0] for line in page.splitlines()}


@pytest.mark.parametrize(
    "table",
    [
        gradients([0.1]),
        gradients([0.1, 0.2], epochs=1, steps=1),
        gradients([np.inf, np.nan, 0.0], finite=False),
        gradients([0.1, 0.2]).iloc[:0],
    ],
    ids=["one layer", "one step", "not finite", "no row"],
)
def test_odd_tables_are_judged(table):
    """None of them is an error."""
    for loss in (STUCK, [np.nan], [0.0], [1e300, np.inf]):
        assert isinstance(kt.diagnose(table, outputs(dead_fraction=1.0), history(loss)).frame, pd.DataFrame)
