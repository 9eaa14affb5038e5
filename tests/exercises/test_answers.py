"""Answers and typical mistakes of a class of thirty, each computed once more from the text that a student reads."""

import re
from itertools import pairwise

import keras
import numpy as np
import pytest

import kerasteach as kt
from kerasteach.exercises.draw import Draw
from kerasteach.exercises.kinds import KINDS
from kerasteach.exercises.kinds.neurons import traced

CLASS = [f"student {number}" for number in range(30)]
SECRET = "thirty of them"
FIGURES = ("slowest_layer", "dead_units", "gradient_ratio")
FUNCTIONS = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: float(z > 0)),
    "linear": (lambda z: z, lambda z: 1.0),
}


@pytest.fixture(scope="module")
def made():
    """Return a class's exercises of each kind."""
    return {kind: kt.exercises.make(kind, CLASS, SECRET) for kind in kt.exercises.names()}


def sheets(exercises):
    """Yield the exercise of each student."""
    yield from exercises._by_student.values()


def read(text):
    """Return the numbers that a text gives, by their symbols."""
    return {name: float(number) for name, number in re.findall(r"\$\\?(\w+) = (-?[\d.]+)\$", text)}


def said(question, given):
    """Return what is said of an answer: `"right"`, the feedback of a typical mistake, or nothing."""
    if question.answer.accepts(given):
        return "right"
    return next((mistake.feedback for mistake in question.mistakes if mistake.answer.accepts(given)), None)


def check(question, right, wrong):
    """Assert that the right answer is accepted, and each wrong one has a feedback in which a phrase stands."""
    assert abs(question.answer.value - right) < 1e-12 * max(1, abs(right)), question.name
    assert said(question, round(right, 4)) == "right"
    for phrase, number in wrong.items():
        feedback = said(question, round(number, 4))
        assert feedback is not None, (question.name, phrase)
        assert phrase in feedback, (question.name, phrase, feedback)
    assert len(question.mistakes) == len(wrong)


@pytest.mark.parametrize("kind", kt.exercises.names())
def test_no_two_students_have_the_same(made, kind):
    """Thirty students have thirty different exercises, in what they read or in the figure that they look at."""
    assert len({exercise.given for exercise in sheets(made[kind])}) == len(CLASS)
    if kind not in FIGURES:
        texts = {
            (exercise.text, *(question.text for question in exercise.questions)) for exercise in sheets(made[kind])
        }
        assert len(texts) == len(CLASS)


@pytest.mark.parametrize("kind", kt.exercises.names())
def test_no_number_can_be_taken_for_another(made, kind):
    """In every question the accepted answer and all typical mistakes lie apart, and have words of their own."""
    for exercise in sheets(made[kind]):
        for question in exercise.questions:
            numbers = [question.answer, *(mistake.answer for mistake in question.mistakes)]
            spans = sorted((number.value - number.tolerance, number.value + number.tolerance) for number in numbers)
            assert all(first[1] < second[0] for first, second in pairwise(spans)), question
            assert question.answer.value != 0
            assert question.mistakes


@pytest.mark.parametrize("kind", kt.exercises.names())
def test_the_same_call_gives_the_same_exercises(made, kind):
    """A student's numbers depend on the secret and the name: not on the language, and not on later students."""
    again = kt.exercises.make(kind, CLASS[:2], SECRET, language="de")
    assert again.frame.equals(made[kind].frame.head(len(again.frame)))
    other = kt.exercises.make(kind, CLASS[:2], "another secret")
    assert other._by_student[CLASS[0]].given != made[kind]._by_student[CLASS[0]].given


def network(text):
    """Return the given numbers, both activations with their derivatives, and the derivative's factor."""
    names = re.search(r"functions are (\w+) for \$f_1\$ and (\w+) for", text).groups()
    return read(text), [FUNCTIONS[name] for name in names], names, 1.0 if "half the squared" in text else 2.0


def passed(n, functions):
    """Return z_1, a_1, z_2 and a_2."""
    z_1 = n["w_1"] * n["x"] + n["b_1"]
    a_1 = functions[0][0](z_1)
    z_2 = n["w_2"] * a_1 + n["b_2"]
    return z_1, a_1, z_2, functions[1][0](z_2)


def test_a_forward_pass_and_its_mistakes(made):
    """z, a and E of both neurons; what is said of a missing bias, a missing activation and the factor 1/2."""
    for exercise in sheets(made["forward"]):
        n, functions, activations, factor = network(exercise.text)
        z_1, a_1, z_2, a_2 = passed(n, functions)
        by_name = {question.name: question for question in exercise.questions}
        check(
            by_name["z1"],
            z_1,
            {
                "The bias is missing": n["w_1"] * n["x"],
                "sign of the bias": n["w_1"] * n["x"] - n["b_1"],
                "other neuron": n["w_2"] * n["x"] + n["b_1"],
            },
        )
        wrong = {
            "The bias is missing": n["w_2"] * a_1,
            "sign of the bias": n["w_2"] * a_1 - n["b_2"],
            "not $x$": n["w_2"] * n["x"] + n["b_2"],
        }
        if activations[0] not in ("relu", "linear"):
            wrong["not $z_1$"] = n["w_2"] * z_1 + n["b_2"]
        check(by_name["z2"], z_2, wrong)
        for name, z, a, place in (("a1", z_1, a_1, 0), ("a2", z_2, a_2, 1)):
            if activations[place] in ("relu", "linear"):
                check(by_name[name], a, {"the sigmoid of": FUNCTIONS["sigmoid"][0](z)})
            else:
                wrong = {"The activation is missing": z, "activation's derivative": functions[place][1](z)}
                check(by_name[name], a, wrong)
        squared = (n["T"] - a_2) ** 2
        error, other = (squared / 2, squared) if factor == 1 else (squared, squared / 2)
        check(by_name["E"], error, {"factor 1/2": other, "not squared": n["T"] - a_2, "not squared yet": a_2 - n["T"]})


def backward(n, functions, factor, mistake=""):
    """Return the four gradients, right or with a mistake."""
    z_1, a_1, z_2, a_2 = passed(n, functions)
    delta_2 = factor * (a_2 - n["T"]) * (1 if mistake == "slope 2" else functions[1][1](z_2))
    w_2 = n["w_2"] - n["eta"] * delta_2 * a_1 if mistake == "updated" else n["w_2"]
    delta_1 = delta_2 * w_2 * (1 if mistake == "slope 1" else functions[0][1](z_1))
    return {"w2": delta_2 * a_1, "b2": delta_2, "w1": delta_1 * n["x"], "b1": delta_1}


def test_backpropagation_and_its_mistakes(made):
    """Four gradients and four new weights; each typical mistake has the feedback that names it."""
    for exercise in sheets(made["backprop"]):
        n, functions, activations, factor = network(exercise.text)
        right = backward(n, functions, factor)
        other = backward(n, functions, 3 - factor)
        sources = {"w2": "b2", "w1": "b1"}
        inputs = {"b2": passed(n, functions)[1], "b1": n["x"]}
        for question in exercise.questions:
            name = question.name[-2:]
            wrong = {"factor of the error": other[name]}
            if name.endswith("1"):
                wrong["You used the new $w_2$"] = backward(n, functions, factor, "updated")[name]
                if activations[0] != "relu":
                    wrong["first neuron's activation"] = backward(n, functions, factor, "slope 1")[name]
            if activations[1] != "linear":
                wrong["second neuron's activation"] = backward(n, functions, factor, "slope 2")[name]
            if question.name.startswith("new"):
                old = n[f"{name[0]}_{name[1]}"]
                wrong = {phrase: old - n["eta"] * gradient for phrase, gradient in wrong.items()}
                wrong |= {"uphill": old + n["eta"] * right[name], "learning rate is missing": old - right[name]}
                check(question, old - n["eta"] * right[name], wrong)
            else:
                wrong["The sign is wrong"] = -right[name]
                if name in sources:
                    wrong["input is missing"] = right[sources[name]]
                else:
                    wrong["without the neuron's input"] = right[name] * inputs[name]
                check(question, right[name], wrong)


def test_a_batch_and_its_mistakes(made):
    """The mean over two examples; what is said of their sum and of the first one alone."""
    for exercise in sheets(made["batch"]):
        text = exercise.text
        n, name = read(text), re.search(r"activation function (\w+)", text)[1]
        function, slope = FUNCTIONS[name]
        x, t = (np.array(re.findall(rf"\${letter} = (-?[\d.]+)\$", text), dtype=float) for letter in "xT")
        z = n["w"] * x + n["b"]
        error, slopes = 2 * (function(z) - t), np.array([slope(each) for each in z])
        for question in exercise.questions:
            variable = question.name[-1]
            inputs = x if variable == "w" else np.ones(2)
            terms = error * slopes * inputs
            right = terms.mean()
            wrong = {"You summed": terms.sum(), "first example": terms[0], "factor of the error": right / 2}
            if name != "linear":
                wrong["derivative $f'(z)$"] = (error * inputs).mean()
            if question.name.startswith("new"):
                wrong = {phrase: n[variable] - n["eta"] * gradient for phrase, gradient in wrong.items()}
                wrong |= {"uphill": n[variable] + n["eta"] * right, "learning rate is missing": n[variable] - right}
                check(question, n[variable] - n["eta"] * right, wrong)
            else:
                check(question, right, wrong | {"The sign is wrong": -right})


def test_a_descent_and_its_mistakes(made):
    """The gradient, two steps, and the first step below 0.001, found by taking the steps."""
    for exercise in sheets(made["descent"]):
        n = read(exercise.text)
        factor, sign, minimum = re.search(r"f\(w\) = ([\d.]*) ?\(w ([-+]) ([\d.]+)\)\^2", exercise.text).groups()
        c, m = float(factor or 1), float(minimum) * (1 if sign == "-" else -1)
        start, rate = n["w_0"], n["eta"]
        w = [start]
        while c * (w[-1] - m) ** 2 >= 0.001:
            w.append(w[-1] - rate * 2 * c * (w[-1] - m))
        gradient = [2 * c * (each - m) for each in w]
        first, second, third, steps = exercise.questions
        wrong = {"factor 2": gradient[0] / 2, "sign": -gradient[0], "minimum": 2 * c * start}
        check(first, gradient[0], wrong | {"function's value": c * (start - m) ** 2})
        wrong = {"uphill": start + rate * gradient[0], "learning rate": start - gradient[0]}
        check(second, w[1], wrong)
        wrong = {"uphill": w[1] + rate * gradient[1], "learning rate": w[1] - gradient[1], "one step": w[1]}
        check(third, w[2], wrong | {"here at": w[1] - rate * gradient[0]})
        near, place = 0, start
        while abs(place - m) >= 0.001:
            near, place = near + 1, place - rate * 2 * c * (place - m)
        check(steps, len(w) - 1, {"still above": len(w) - 2, "not the points": len(w), "distance": near})


def test_derivatives_and_their_mistakes(made):
    """Sigmoid, tanh and leaky ReLU at a point; what is said of the function's value and of z in place of a."""
    for exercise in sheets(made["derivative"]):
        points = [float(re.search(r"\((-?[\d.]+)\)", question.text)[1]) for question in exercise.questions]
        sigmoid, tanh, leaky = exercise.questions
        z = points[0]
        a, right = FUNCTIONS["sigmoid"][0](z), FUNCTIONS["sigmoid"][1](z)
        check(sigmoid, right, {"value": a, "not $z (1": z * (1 - z), "factor $a$": 1 - a, "of tanh": 1 - a**2})
        z = points[1]
        a, right = np.tanh(z), FUNCTIONS["tanh"][1](z)
        check(tanh, right, {"value": a, "not $1 - z^2$": 1 - z**2, "square": 1 - a, "of sigmoid": a * (1 - a)})
        z = points[2]
        right, other = (1.0, 0.01) if z > 0 else (0.01, 1.0)
        check(leaky, right, {"value": z * right, "other side": other, "of ReLU": 0.0})


def test_layers_in_a_figure(made):
    """The slowest layer has the smallest norm of the table that is drawn, the fastest the largest; and each mistake."""
    for exercise in sheets(made["slowest_layer"]):
        norms = np.array(exercise.given)
        slowest, fastest = int(norms.argmin()) + 1, int(norms.argmax()) + 1
        for question, right, opposite in zip(exercise.questions, (slowest, fastest), (fastest, slowest), strict=True):
            wrong = {"opposite": opposite, "first layer": 1, "last layer": len(norms)}
            if right - 1 not in (1, opposite):
                wrong["from 1 at the input"] = right - 1
            check(question, right, wrong)
        ordered = np.sort(norms)
        assert ordered[1] / ordered[0] > 2
        assert ordered[-1] / ordered[-2] > 2  # apart in the figure


def test_dead_units_in_a_figure(made):
    """Shares of the table that is drawn, times the units that the text gives; and each mistake."""
    for exercise in sheets(made["dead_units"]):
        units = np.array([int(number) for number in re.findall(r"\d+", exercise.text.split("layers have")[1])])
        shares = np.array(exercise.given[:5])
        layer = int(re.search(r"layer (\d)", exercise.questions[0].text)[1]) - 1
        dead = np.round(shares * units)
        one, whole = exercise.questions
        other = dead[layer + 1 if layer < 4 else layer - 1]
        alive, percent = units[layer] - dead[layer], round(100 * shares[layer])
        wrong = {"alive": alive, "percentage": percent, "all units of the layer": units[layer], "another layer": other}
        check(one, dead[layer], wrong)
        mean = round(shares.mean() * units.sum())
        wrong = {"alive": units.sum() - dead.sum(), "all units of the network": units.sum(), "differ in size": mean}
        check(whole, dead.sum(), wrong)


def test_a_ratio_in_a_figure(made):
    """The ratio of two norms of the table that is drawn; and each mistake."""
    for exercise in sheets(made["gradient_ratio"]):
        norms = exercise.given[:-2]
        assert all(np.log10(norm) == pytest.approx(round(np.log10(norm))) for norm in norms)
        for question in exercise.questions:
            high, low = (int(number) for number in re.findall(r"layer (\d)", question.text))
            ratio = norms[high - 1] / norms[low - 1]
            assert question.answer.value == pytest.approx(ratio)
            beside = next(layer for layer in (low + 1, low - 1, high + 1) if 1 <= layer <= len(norms) and layer != high)
            wrong = {
                "inverse": 1 / ratio,
                "power of ten": np.log10(ratio),
                f"layer {beside}": norms[high - 1] / norms[beside - 1],
            }
            for phrase, number in wrong.items():
                assert phrase in said(question, number), question.text
            assert len(question.mistakes) == len(wrong)


def test_rounding_is_inside_the_tolerance(made):
    """Who rounds every intermediate result to four decimals is right; the tolerance is no wider than needed."""
    widest = 0.0
    for exercise in sheets(made["backprop"]):
        n, functions, _, factor = network(exercise.text)
        z_1 = round(n["w_1"] * n["x"] + n["b_1"], 4)
        a_1 = round(functions[0][0](z_1), 4)
        z_2 = round(n["w_2"] * a_1 + n["b_2"], 4)
        a_2 = round(functions[1][0](z_2), 4)
        delta_2 = round(factor * (a_2 - n["T"]) * round(functions[1][1](z_2), 4), 4)
        delta_1 = round(delta_2 * n["w_2"] * round(functions[0][1](z_1), 4), 4)
        gradients = {"w2": delta_2 * a_1, "b2": delta_2, "w1": delta_1 * n["x"], "b1": delta_1}
        for question in exercise.questions[:4]:
            given = round(gradients[question.name[-2:]], 4)
            assert said(question, given) == "right"
            widest = max(widest, abs(given - question.answer.value) / question.answer.tolerance)
    assert 0.2 < widest <= 1


def test_the_gradients_are_those_of_a_traced_step(made):
    """`trace_step`, in float64, has the same gradients and new weights."""
    for exercise in list(sheets(made["backprop"]))[:3]:
        n, _, activations, factor = network(exercise.text)
        chain = [(n["w_1"], n["b_1"], activations[0]), (n["w_2"], n["b_2"], activations[1])]
        loss = "half_squared_error" if factor == 1 else "mean_squared_error"
        frame = traced(chain, [n["x"]], [n["T"]], loss, n["eta"]).frame
        for question in exercise.questions:
            letter, depth = question.name[-2].upper().replace("B", "b"), int(question.name[-1])
            quantity = f"new {letter}" if question.name.startswith("new") else f"dE/d{letter}"
            value = frame[(frame["quantity"] == quantity) & (frame["depth"] == depth)]["value"].item()
            rounding = 1e-7 if question.name.startswith("new") else 1e-14  # Keras has the learning rate in float32
            assert value == pytest.approx(question.answer.value, abs=rounding)


def test_a_descent_is_that_of_gradient_descent(made):
    """`gradient_descent` takes the same steps, and ends after the same one."""
    exercise = next(sheets(made["descent"]))
    c, m, start, rate = exercise.given
    path = kt.gradient_descent(
        lambda w: c * keras.ops.square(w - m), start=start, learning_rate=rate, until={"value": 0.001}
    ).frame
    assert path["step"].iloc[-1] == exercise.questions[3].answer.value
    assert path["w"].iloc[2] == pytest.approx(exercise.questions[2].answer.value)


def test_a_collision_is_resolved(monkeypatch):
    """Where two students would have the same numbers, the later one in the list has the next that differ."""

    def narrow(draw, _, language):
        return KINDS["descent"](Draw("one", "descent", "same", draw.choice(range(40))), _, language)

    monkeypatch.setitem(KINDS, "narrow", narrow)
    exercises = kt.exercises.make("narrow", CLASS[:5], SECRET)
    assert len({exercise.given for exercise in sheets(exercises)}) == 5
    with pytest.raises(RuntimeError, match="not enough different exercises"):
        kt.exercises.make("narrow", [f"{number}" for number in range(60)], SECRET)
