import keras
import numpy as np
import pytest

import kerasteach as kt

X = np.array([[-1.0, 0.5], [1.0, -0.5], [0.5, 1.0], [-0.5, -1.0]], "float32")
BINARY = np.array([0, 1, 1, 0])


def linear(outputs=1, activation=None, loss=None, weights=None):
    """Return a model of one dense layer, with weights of its own."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(outputs, activation=activation)])
    model.compile(loss=loss) if loss else None
    kernel = np.arange(1.0, 1 + 2 * outputs).reshape(2, outputs) if weights is None else weights
    model.set_weights([kernel, np.zeros(outputs)])
    return model


def numbers(regions):
    """Return the points of the grid, and the values, `(points, outputs)`."""
    outputs = regions.frame["output"].nunique()
    points = regions.frame[["x_1", "x_2"]].to_numpy()[::outputs]
    return points, regions.frame["value"].to_numpy().reshape(-1, outputs)


def sigmoid(z):
    """Return the logistic function."""
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("sigmoid", "binary_crossentropy"),
        (None, keras.losses.BinaryCrossentropy(from_logits=True)),
        ("sigmoid", "mse"),
    ],
)
def test_one_output_gives_the_probabilities_of_two_classes(activation, loss):
    """Of a sigmoid, also under a squared error with targets 0 and 1, and of a logit that the loss says is one."""
    regions = kt.decision_regions(linear(1, activation, loss), X, BINARY, classes=("no", "yes"), points=5)
    points, values = numbers(regions)
    expected = sigmoid(points @ [1.0, 2.0])
    np.testing.assert_allclose(values, np.stack([1 - expected, expected], axis=1), atol=1e-6)
    assert regions.frame["output"].unique().tolist() == ["no", "yes"]
    assert regions.task == "classification"


@pytest.mark.parametrize(("activation", "from_logits"), [("softmax", None), (None, True)])
def test_several_outputs_give_the_probabilities_of_classes(activation, from_logits):
    """Of a softmax, and of logits by an argument; one-hot targets are read as numbers."""
    y = np.eye(3)[[0, 1, 2, 0]]
    regions = kt.decision_regions(linear(3, activation), X, y, from_logits=from_logits, points=4, task="classification")
    points, values = numbers(regions)
    scores = np.exp(points @ np.arange(1.0, 7.0).reshape(2, 3))
    np.testing.assert_allclose(values, scores / scores.sum(axis=1, keepdims=True), atol=1e-6)
    assert regions.y.tolist() == [0, 1, 2, 0]


def test_a_sigmoid_for_each_class_is_divided_by_their_sum():
    """The most probable class stays the same."""
    regions = kt.decision_regions(linear(3, "sigmoid", "categorical_crossentropy"), X, points=4)
    points, values = numbers(regions)
    each = sigmoid(points @ np.arange(1.0, 7.0).reshape(2, 3))
    np.testing.assert_allclose(values, each / each.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_regression_keeps_its_values():
    """The table has the outputs as they are, and the plane covers the examples by a tenth of their range."""
    regions = kt.decision_regions(linear(1, None, "mse"), X, X @ [1.0, 2.0], points=4)
    points, values = numbers(regions)
    np.testing.assert_allclose(values[:, 0], points @ [1.0, 2.0], atol=1e-6)
    assert points.min(axis=0).tolist() == pytest.approx([-1.2, -1.2])
    assert points.max(axis=0).tolist() == pytest.approx([1.2, 1.2])
    assert regions.task == "regression"


@keras.saving.register_keras_serializable(package="test_decision_regions")
class Own(keras.Model):
    """A subclassed model with normalization and dropout, which counts its calls."""

    def __init__(self):
        super().__init__()
        self.layers_of_own = [keras.layers.BatchNormalization(), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x, training=False):
        """Return the logits."""
        self.calls.assign(self.calls + 1)
        for layer in self.layers_of_own:
            x = layer(x, training=training) if not isinstance(layer, keras.layers.Dense) else layer(x)
        return x


def test_a_subclassed_model_is_left_as_it_was():
    """No variable changes, not even one that the model's own call writes; the call is no training."""
    model = Own()
    model(X)
    before = [np.array(variable) for variable in model.variables]
    regions = kt.decision_regions(model, X, BINARY, from_logits=True, task="classification", points=8, batch_size=10)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value)
    again = kt.decision_regions(model, X, BINARY, from_logits=True, task="classification", points=8)
    np.testing.assert_allclose(regions.frame["value"], again.frame["value"], atol=1e-6)


def test_a_model_with_an_input_for_each_feature():
    """Columns in a dictionary name the axes."""
    inputs = {name: keras.Input((1,), name=name) for name in ("height", "weight")}
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(list(inputs.values()))))
    model.set_weights([np.array([[1.0], [2.0]]), np.zeros(1)])
    regions = kt.decision_regions(model, {"height": X[:, 0], "weight": X[:, 1]}, points=4)
    points, values = numbers(regions)
    np.testing.assert_allclose(values[:, 0], points @ [1.0, 2.0], atol=1e-6)
    assert regions.plot().get_xlabel() == "height"


def test_a_model_that_was_never_called_is_built():
    """A Sequential without an Input."""
    regions = kt.decision_regions(keras.Sequential([keras.layers.Dense(1)]), X, points=4)
    assert len(regions.frame) == 16


def test_one_input_gives_a_curve():
    """The table has one coordinate, and the figure is the fitted curve."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.array([[2.0]]), np.zeros(1)])
    regions = kt.decision_regions(model, X[:, :1], 2 * X[:, 0], points=5)
    np.testing.assert_allclose(regions.frame["value"], 2 * regions.frame["x_1"], atol=1e-6)
    assert "0 off the line" in regions.plot().get_title()


def test_the_result_shows_itself():
    """In a shell and in a notebook, with what to call next."""
    regions = kt.decision_regions(linear(1, "sigmoid"), X, ["no", "yes", "yes", "no"], points=4)
    assert repr(regions).startswith("DecisionRegions over 2 inputs: 2 classes at 16 points, 4 examples")
    assert "<code>.plot()</code>" in regions._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": np.zeros((3, 4))}, ValueError, r"`x` must be \(examples, 2\).*shape \(3, 4\)"),
        ({"x": np.full((3, 2), np.nan)}, ValueError, "`x` must be finite.*6 NaN"),
        ({"y": [1, 0]}, ValueError, "`y` must have a target for each example"),
        ({"y": BINARY, "task": "classification"}, ValueError, "`from_logits` must be True"),
        ({"task": "class"}, ValueError, "`task` must be one of"),
        ({"points": 1}, ValueError, "`points` must be a whole number from 2"),
        ({"points": 10**9}, ValueError, "`points` must ask for a table"),
        ({"margin": -1}, ValueError, "`margin` must not be negative"),
        ({"model": 3}, TypeError, "`model` must be a Keras model"),
        ({"features": ["one"]}, ValueError, "`features` must name the model's 2 inputs"),
        ({"x": X[:, :1]}, ValueError, "`x` must be examples as the model takes them"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    """The error names the argument."""
    given = {"model": linear(weights=np.full((2, 1), 5.0)), "x": X, **arguments}
    with pytest.raises(error, match=message):
        kt.decision_regions(given.pop("model"), given.pop("x"), **given)
