import re

import keras
import numpy as np
import pytest
from keras import layers
from matplotlib.mathtext import MathTextParser

import kerasteach as kt
from kerasteach.lessons.backprop.explain.explanation import explained
from kerasteach.lessons.backprop.explain.formulas import (
    Style,
    constant,
    difference,
    negative,
    product,
    quotient,
    squared,
    symbol,
    total,
)
from kerasteach.lessons.backprop.explain.sections import Equation

A, B = symbol("a", "a", 0.5), symbol("b", "b", -2.0)


def compiled(*made, inputs=2, loss="mse", optimizer=None):
    """Return a compiled chain whose weights are no round numbers."""
    model = keras.Sequential([keras.Input((inputs,)), *made])
    random = np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(random.normal(size=variable.shape))
    model.compile(optimizer or kt.optimizers.PlainSGD(0.5), loss)
    return model


def course():
    """Return the trace of the course's two neurons."""
    model = compiled(
        kt.layers.Dense(1, "sigmoid"), kt.layers.Dense(1, "sigmoid"), inputs=1, loss=kt.losses.HalfSquaredError()
    )
    model.set_weights([np.array([[0.15]]), np.array([0.40]), np.array([[0.45]]), np.array([0.65])])
    return kt.trace_step(model, [[0.1]], [[0.25]], kt.optimizers.PlainSGD(0.4))


def traces():
    """Return traces whose explanations between them have every formula, by name."""
    x, y = np.array([[0.3, -1.2], [0.9, 0.4]]), np.array([[1.0], [0.0]])
    l2 = keras.regularizers.L2(0.01)
    logits, named = keras.losses.SparseCategoricalCrossentropy(from_logits=True), "sparse_categorical_crossentropy"
    yes_no = keras.losses.BinaryCrossentropy(from_logits=True)
    chains = {
        "classes": compiled(layers.Dense(2, "relu"), layers.Dense(3, "softmax"), loss=named),
        "logits": compiled(layers.Dense(3, "tanh"), layers.Dense(2), loss=logits),
        "one layer of softmax": compiled(layers.Dense(2, "softmax"), loss=kt.losses.HalfSquaredError()),
        "yes or no": compiled(layers.Dense(1, "sigmoid"), loss="binary_crossentropy"),
        "yes or no, of logits": compiled(layers.Dense(1), loss=yes_no),
        "penalties": compiled(layers.Dense(2, "gelu", kernel_regularizer=l2), layers.Dense(1), optimizer="adam"),
        "layers": compiled(layers.Dense(2), kt.layers.Tanh(name="my_tanh"), layers.ReLU(), layers.Dense(1)),
        "a function first": compiled(layers.ReLU(), layers.Dense(1), layers.Identity()),
        "frozen": compiled(layers.Dense(2, "leaky_relu", name="old_one", trainable=False), layers.Dense(1)),
        "another loss": compiled(layers.Dense(2, "log_softmax"), layers.Dense(1), loss="mae"),
        "summed": compiled(layers.Dense(1), loss=keras.losses.MeanSquaredError(reduction="sum")),
    }
    found = {"course": course()}
    for name, model in chains.items():
        units = model.output_shape[-1]
        targets = y[:, 0] if units > 1 and model.loss in (named, logits) else np.hstack([y, 1 - y])[:, :units]
        found[name] = kt.trace_step(model, x, targets)
        found[f"{name}, one example"] = kt.trace_step(model, x[:1], targets[:1])
    return found


@pytest.fixture(scope="module")
def all_traces():
    """Return all traces, made once."""
    return traces()


def test_the_courses_step_reads_as_on_the_slide():
    """Formula, numbers and result of the lines that the course writes."""
    text = course().explain()
    for line in (
        "z1 = w1 * x + b1 = 0.15 * 0.1 + 0.4 = 0.415",
        "a1 = sigmoid(z1) = 1 / (1 + exp(-z1)) = 1 / (1 + exp(-0.415)) = 0.6023",
        "E = 1/2 (T - a2)^2 = 1/2 (0.25 - 0.7153)^2 = 0.1082",
        "dE/dw2 = (a2 - T) * a2 (1 - a2) * a1 = (0.7153 - 0.25) * 0.7153 (1 - 0.7153) * 0.6023 = 0.05707",
        "dE/db1 = (a2 - T) * a2 (1 - a2) * w2 * a1 (1 - a1) = "
        "(0.7153 - 0.25) * 0.7153 (1 - 0.7153) * 0.45 * 0.6023 (1 - 0.6023) = 0.01021",
        "new w2 = w2 - learning_rate * dE/dw2 = 0.45 - 0.4 * 0.05707 = 0.4272",
        "new b1 = b1 - learning_rate * dE/db1 = 0.4 - 0.4 * 0.01021 = 0.3959",
    ):
        assert f" {line}\n" in text


def test_two_activation_layers_in_a_row_have_a_line_each():
    """The second one's output has a prime; without it, it would pass for the first one's."""
    model = compiled(layers.Dense(1), kt.layers.Tanh(), layers.ReLU(), layers.Dense(1), inputs=1)
    text = kt.trace_step(model, [[0.5]], [[1.0]]).explain()
    for start in (" a1 = tanh(z1)", " a1' = relu(a1)", " z2 = w2 * a1' + b2", " dE/da1 = dE/da1' * relu'(a1)"):
        assert f"{start} = " in text


def test_there_are_the_four_steps_of_the_course():
    """Each is a title, in their order, in every format."""
    titles = ["1. Initialize", "2. Forward pass and error", "3. Backpropagate and update", "4. Repeat"]
    for form in ("text", "markdown", "latex"):
        text = course().explain(form).replace("~", " ")
        places = [text.index(title) for title in titles]
        assert places == sorted(places)


def test_the_last_step_tells_the_error_with_the_new_weights():
    """It is what a forward pass with them gives."""
    model = compiled(layers.Dense(2, "tanh"), layers.Dense(1))
    x, y = np.ones((2, 2)), np.array([[0.5], [1.0]])
    told = kt.trace_step(model, x, y, apply=True).explain()
    after = float(np.mean((model.predict(x, verbose=0) - y) ** 2))
    assert f"the error of this batch is {after:.4g}" in told


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_the_explanation_speaks_german(form):
    """Its sentences are German, and its formulas those of the English one but for their words."""
    english, german = course().explain(form), course().explain(form, language="de")
    assert "Vorwärtsschritt" in german.replace("~", " ")
    assert "Mit den neuen Gewichten ist der Fehler dieses Batches 0.1033" in german
    assert len(german.splitlines()) == len(english.splitlines())
    formula = r"a_{2} (1 - a_{2})" if form != "text" else "a2 (1 - a2)"
    assert german.count(formula) == english.count(formula) > 0


def test_latex_has_no_umlaut_inside_a_formula(all_traces):
    """Beyond ASCII LaTeX knows letters in texts alone."""
    for trace in all_traces.values():
        text = re.sub(r"\\text(bf)?\{[^{}]*\}", "", trace.explain("latex", language="de"))
        assert text.isascii()


def test_every_formula_gives_its_result(all_traces):
    """With the unrounded numbers put in, each right-hand side is the left-hand side, to float32 rounding."""
    lines = 0
    for name, trace in all_traces.items():
        for section in explained(trace._step):
            for line in section.lines:
                for form in line.forms if isinstance(line, Equation) else ():
                    message = f"{name}: {line.left.write(Style())} = {form.write(Style())}"
                    assert form.value == pytest.approx(line.left.value, rel=2e-4, abs=2e-6), message
                    lines += 1
    assert lines > 300


def test_the_numbers_put_in_give_the_result(all_traces):
    """What stands in the text can be typed into a calculator: softmax's, sigmoid's and the products' lines."""
    functions = {"exp": np.exp, "ln": np.log, "tanh": np.tanh, "relu": lambda z: max(z, 0)}
    checked = 0
    for trace in all_traces.values():
        for line in trace.explain().splitlines():
            parts = line.split(" (by")[0].split(" (R")[0].split(" = ")
            if len(parts) < 3:
                continue
            numbers = re.sub(r"(?<=[\d)]) (?=[\d(])", " * ", parts[-2].replace("^", "**"))
            if not set(re.findall(r"[A-Za-z_]+", numbers)) - {*functions, "e"}:
                value = eval(numbers, {"__builtins__": {}}, functions)
                assert value == pytest.approx(float(parts[-1]), rel=0.03, abs=2e-3), line
                checked += 1
    assert checked > 200


@pytest.mark.slow
def test_the_latex_can_be_set(all_traces):
    """Matplotlib's mathtext sets each formula; braces and environments are closed; underscores in text are escaped."""
    parser, kinds = MathTextParser("path"), {}
    for trace in all_traces.values():
        latex = trace.explain("latex")
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\begin{aligned}") == latex.count(r"\end{aligned}") == latex.count(r"\[") == 4
        for line in latex.splitlines():
            if line.startswith("& "):
                assert line.endswith(r" \\")
                assert not re.search(r"\\text\{[^}]*[^\\]_", line)
                kinds[re.sub(r"\d+(\.\d+)?", "1", line)] = line  # formulas that differ in numbers are alike
    for line in kinds.values():
        parser.parse(f"${line.removeprefix('& ').removesuffix(chr(92) * 2)}$")


def test_markdown_has_each_formula_between_dollar_signs(all_traces):
    """A title a step, and as many formulas as the text has."""
    for trace in all_traces.values():
        markdown, text = trace.explain("markdown"), trace.explain()
        assert markdown.count("### ") == 4
        assert markdown.count("\n$$ ") == len([line for line in text.splitlines() if line.startswith("      ")])


def test_a_notebook_shows_the_markdown():
    """`_repr_markdown_` is the explanation; of a network too large to read it is nothing, and the text stays short."""
    trace = course()
    assert trace._repr_markdown_() == trace.explain("markdown")
    large = kt.trace_step(kt.models.mlp("relu", (20,), inputs=4, outputs=3, seed=0), np.ones((2, 4)), np.eye(3)[:2])
    assert large._repr_markdown_() is None
    assert trace._repr_html_() is None, "a notebook prefers HTML to Markdown"
    assert re.match(r"TracedStep: dense layers: 2, examples: 2, E = [\d.]+\n", repr(large))
    assert "<code>.frame</code>" in large._repr_html_()


def test_another_optimizer_is_named(all_traces):
    """Its rule is not written out; the plain rule is, also Keras's SGD without momentum."""
    assert "(by Adam's rule)" in all_traces["penalties"].explain()
    for optimizer, says in ((keras.optimizers.SGD(0.1), 0), (keras.optimizers.SGD(0.1, momentum=0.5), 2)):
        model = compiled(layers.Dense(1), inputs=1, optimizer=optimizer)
        assert kt.trace_step(model, [[1.0]], [[0.0]]).explain().count("(by SGD's rule)") == says


def test_a_frozen_layer_is_told(all_traces):
    """Its weights stay, and no gradient of them is explained."""
    text = all_traces["frozen"].explain()
    assert "old_one is frozen: its W stays as it is." in text
    assert "dE/dW1" not in text
    assert "dE/dz1" in text


def test_softmax_goes_through_its_jacobian(all_traces):
    """The sum over all outputs, and what it comes to."""
    text = all_traces["classes, one example"].explain()
    sum_of_all = "dE/da2[0] * a2[0] (1 - a2[0]) + dE/da2[1] * a2[1] (0 - a2[0]) + dE/da2[2] * a2[2] (0 - a2[0])"
    assert f"dE/dz2[0] = {sum_of_all} = a2[0] - T[0] = " in text


@pytest.mark.slow
def test_several_examples_are_told_one_by_one_and_summed(all_traces):
    """E is the mean of the examples' errors, a gradient the sum over them."""
    text = all_traces["yes or no"].explain()
    assert "Example 0:" in text
    assert "E = (E(0) + E(1)) / 2 = " in text
    assert "dE/dW1[0,0] = sum over examples of dE/dz1 * x[0] = " in text
    assert "E = E(0) + E(1) = " in all_traces["summed"].explain()


@pytest.mark.parametrize(("units", "examples"), [(11, 1), (2, 5)])
def test_what_is_too_large_to_read_is_refused(units, examples):
    """The error says how much can be read, and where the numbers are."""
    trace = kt.trace_step(compiled(layers.Dense(units)), np.ones((examples, 2)), np.ones((examples, units)))
    with pytest.raises(ValueError, match=r"up to 12 units, with inputs, and 4 examples. The table, `frame`"):
        trace.explain()


def test_an_unknown_format_is_refused():
    """The error lists those there are."""
    with pytest.raises(ValueError, match='`format` must be one of "text", "markdown", "latex"'):
        course().explain("html")


@pytest.mark.parametrize(
    ("formula", "symbols", "numbers"),
    [
        (total(B, A, B), "b + a + b", "-2 + 0.5 + (-2)"),
        (product(A, total(A, B), B), "a * (a + b) * b", "0.5 * (0.5 + (-2)) * (-2)"),
        (difference(A, negative(B)), "a - (-b)", "0.5 - (-(-2))"),
        (quotient(total(A, B), product(A, B)), "(a + b) / (a * b)", "(0.5 + (-2)) / (0.5 * (-2))"),
        (quotient(A, constant(1)), "a", "0.5"),
        (squared(B), "b^2", "(-2)^2"),
        (squared(difference(A, B)), "(a - b)^2", "(0.5 - (-2))^2"),
    ],
)
def test_formulas_have_the_parentheses_that_they_need(formula, symbols, numbers):
    """As symbols, and with numbers that may be negative."""
    assert formula.write(Style()) == symbols
    assert formula.write(Style(numbers=True)) == numbers


def test_powers_of_ten_are_written_as_such_in_latex():
    """1e-05 is no LaTeX."""
    small = squared(symbol("a", "a", 1.2e-5))
    assert small.write(Style(numbers=True, latex=True)) == r"(1.2 \cdot 10^{-5})^2"
