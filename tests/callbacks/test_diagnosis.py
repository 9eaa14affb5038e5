import keras
import numpy as np
import pytest

import kerasteach as kt

X = np.random.default_rng(1).normal(size=(32, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


def network(layers=1, activation="relu", rate=0.1):
    """Return a compiled network of so many hidden layers."""
    model = kt.models.mlp(activation, (6,) * layers, inputs=4, outputs=2, seed=1)
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", run_eagerly=True)
    return model


def test_a_finding_is_printed_once_and_ends_the_training(capsys):
    """A NaN in the data: the training ends after its first epoch."""
    poisoned = X.copy()
    poisoned[3, 0] = np.nan
    watch = kt.callbacks.Diagnosis(stop_on=("KT101",))
    history = network().fit(poisoned, Y, epochs=5, verbose=0, callbacks=[watch])
    assert history.epoch == [0]
    assert capsys.readouterr().out.count("not finite (KT101") == 1


def test_a_finding_without_an_order_to_stop_is_said_once(capsys):
    """Five epochs have it, one line says it."""
    poisoned = np.full_like(X, np.nan)
    network().fit(poisoned, Y, epochs=5, verbose=0, callbacks=[kt.callbacks.Diagnosis()])
    assert capsys.readouterr().out.count("KT101") == 1


def test_a_slow_beginning_is_not_judged(capsys):
    """Before `after` epochs no rule that needs a symptom is asked; then, and at the end, it is."""
    watch = kt.callbacks.Diagnosis(after=4)
    seen = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(bool(watch.findings)))
    network(8, "sigmoid", 0.01).fit(X, Y, epochs=5, verbose=0, callbacks=[watch, look])
    assert seen == [False, False, False, True, True]
    assert "vanishing gradient (KT201" in capsys.readouterr().out


def test_captures_of_the_caller_are_used(capsys):
    """Dead units are found with the caller's own captures, in silence where it is asked for."""
    gradients = kt.callbacks.GradientCapture()
    outputs = kt.callbacks.ActivationCapture(every="epoch")
    model = network(2)
    model.layers[0].bias.assign(-100 * np.ones(6))
    watch = kt.callbacks.Diagnosis(gradients=gradients, activations=outputs, verbose=0)
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[gradients, outputs, watch])
    assert "KT301" in list(watch.frame["rule"])
    assert "KT301" in list(gradients.diagnose(outputs).frame["rule"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"stop_on": ["vanish"]}, "`stop_on` must be"),
        ({"after": 1}, "`after` must be"),
        ({"gradients": kt.callbacks.ActivationCapture()}, "`gradients` must be GradientCapture"),
    ],
)
def test_wrong_arguments_are_refused(options, error):
    """The error names the argument."""
    with pytest.raises((ValueError, TypeError), match=error):
        kt.callbacks.Diagnosis(**options)
