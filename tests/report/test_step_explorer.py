import json
import re
from html.parser import HTMLParser

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

import kerasteach as kt
from kerasteach.report.page import asset
from kerasteach.report.step_explorer import COMPUTED, MOST_EXAMPLES, ExplorerLayer, ExplorerNetwork, explorer
from kerasteach.tables.training_step import Traced, step_table

ACROSS, AXES = ("example", "unit"), {"W": ("source", "unit"), "b": ("unit",)}


def step(
    units=1,
    examples=1,
    name="dense",
    activation="linear",
    plain=("W", "b"),
    penalties=None,
    value=0.5,
    **changed,
):
    """Return the table of a layer whose numbers are all alike, and its network."""
    rows = {"x": "forward", "z": "forward", "a": "forward", "dE/da": "backward", "dE/dz": "backward"}
    parts = [
        Traced(phase, quantity, np.full((examples, units), value), ACROSS, name, 1) for quantity, phase in rows.items()
    ]
    weights = {"W": np.full((units, units), value), "b": np.full(units, value)}
    for letter, values in weights.items():
        for quantity in (letter, f"dE/d{letter}", f"new {letter}"):
            parts.append(Traced("update", quantity, values, AXES[letter], name, 1))
    parts += [Traced("error", "E", np.full(examples, value), ("example",)), Traced("error", "E", value, ())]
    symbols = (("x", None), ("z", 1), ("a", 1))
    layer = ExplorerLayer(name, 1, activation, known=True, symbols=symbols, penalties=penalties, plain=plain)
    settings = {"loss": "mse", "formula": "mean_squared_error", "targets": np.ones((examples, units)), "divisor": 1}
    settings |= {"fused": False, "mean": True, "optimizer": "PlainSGD", "learning_rate": 0.1, "next_error": 0.25}
    return step_table(parts), ExplorerNetwork((layer,), **(settings | changed))


class Page(HTMLParser):
    """The elements of a page: scripts, styles, and what points to other places."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.addresses, self.data, self.policy = [], [], "", ""
        self.inside = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        self.addresses += [given[name] for name in ("src", "href", "action", "srcset") if name in given]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        self.inside = given.get("id")
        assert not [name for name in given if name.startswith("on") or name == "style"]

    def handle_data(self, text):
        self.data += text if self.inside == "data" else ""

    def handle_endtag(self, tag):
        self.inside = None


def data(html):
    """Return the data that the page's script reads."""
    return json.loads(Page(html).data)


@pytest.fixture(scope="module")
def traced():
    """Return a traced step of two examples, with an activation layer of its own."""
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2), layers.ReLU(name="gate"), layers.Dense(1, "sigmoid")])
    weights = ([[0.5, -0.25], [-0.5, 0.75]], [0.0, 0.1], [[1.0], [-0.5]], [0.0])  # a dead gate would learn nothing
    model.set_weights([np.array(values) for values in weights])
    model.compile(kt.optimizers.PlainSGD(0.5), "binary_crossentropy")
    return kt.trace_step(model, [[0.5, -1.0], [1.0, 0.25]], [[1.0], [0.0]])


@pytest.fixture(scope="module")
def written(traced, tmp_path_factory):
    """Return the page of that step."""
    return traced.report(tmp_path_factory.mktemp("page") / "step.html").read_text(encoding="utf-8")


def test_the_page_has_the_numbers_of_the_table(traced, written):
    """Each value of the table stands in the data, unrounded, where its layer, example, unit and source say."""
    found = data(written)
    names = {layer["name"]: layer for layer in found["layers"]}
    quantities = {"x": "x", "z": "z", "a": "a", "dE/da": "error", "dE/dz": "delta"}
    for row in traced.frame.itertuples():
        if pd.isna(row.layer):
            value = found["total"] if pd.isna(row.example) else found["each"][row.example]
        elif row.quantity in quantities:
            value = names[row.layer][quantities[row.quantity]][row.example][row.unit]
        else:
            when = {"d": "gradient", "n": "after"}.get(row.quantity[0], "before")
            values = names[row.layer]["weights"][row.quantity[-1]][when]
            value = values[row.unit] if pd.isna(row.source) else values[row.source][row.unit]
        assert value == row.value


def test_the_data_say_what_the_network_is(written):
    """Functions, symbols, loss, rate and the error after the step."""
    found = data(written)
    assert [layer["activation"] for layer in found["layers"]] == ["linear", "relu", "sigmoid"]
    assert [layer["symbols"]["a"] for layer in found["layers"]] == [["z", 1], ["a", 1], ["a", 2]]
    assert found["loss"]["formula"] == "binary cross-entropy of sigmoid"
    assert (found["rate"], found["optimizer"], found["computes"]) == (0.5, "PlainSGD", True)
    assert found["next"] < found["total"]


def test_the_page_loads_nothing(written):
    """No address but the skip link, nothing of a network in the text, and a policy that forbids requests."""
    page = Page(written)
    assert page.addresses == ["#main"]
    addresses = set(re.findall(r"https?://[^\s\"'`]+", written))
    assert addresses == {"http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg"}  # names, not places
    assert "default-src 'none'" in page.policy
    assert "unsafe" not in page.policy


def test_a_name_stays_text():
    """A layer called as a script ends no element, and begins none."""
    frame, network = step(name="</script><script>alert(1)</script>", optimizer="<b>", loss="<img src=x>")
    html = explorer(frame, network)
    page = Page(html)
    assert "img" not in page.tags
    assert "b" not in page.tags
    assert "alert(1)</script>" not in html
    assert json.loads(page.data)["layers"][0]["name"] == "</script><script>alert(1)</script>"


def test_numbers_that_json_lacks_reach_the_script():
    """NaN and infinity are texts that JavaScript's `Number` reads."""
    assert data(explorer(*step(value=float("nan"))))["total"] == "NaN"
    assert data(explorer(*step(value=float("inf"))))["layers"][0]["z"] == [["Infinity"]]


@pytest.mark.parametrize(("size", "received"), [((7, 1), "14 units, 1 examples"), ((1, 33), "2 units, 33 examples")])
def test_what_is_too_large_is_refused(size, received):
    """The error names the limits, what else there is, and what was received."""
    wanted = rf"up to 12 units.*{MOST_EXAMPLES} examples.*explain\(\).*plot\(example\).*frame.*Received: {received}\."
    with pytest.raises(ValueError, match=wanted):
        explorer(*step(*size))


@pytest.mark.slow
def test_twelve_units_are_not_too_many():
    """Six inputs and six units fit."""
    assert data(explorer(*step(6, 2)))["computes"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"activation": "gelu"}, "does not know the activation function gelu"),
        ({"formula": None, "targets": None, "loss": "hinge"}, "does not know the loss hinge"),
        ({"plain": (), "optimizer": "Adam"}, "plain gradient descent alone, and Adam has another rule"),
        ({"penalties": {"W": np.ones((1, 1))}}, "what the regularizers add"),
    ],
)
def test_what_the_script_cannot_compute_cannot_be_changed(changed, reason):
    """The page says why, and has no field and no slider."""
    frame, network = step(**changed)
    html = explorer(frame, network)
    assert reason in html
    assert not data(html)["computes"]
    assert "input" not in Page(html).tags


def test_the_script_computes_what_it_says():
    """Each function that the page counts as known has its formula in the script."""
    script = asset("step_explorer_compute.js")
    for name in COMPUTED:
        assert f"{name}: {{" in script or f'"{name}"' in script


@pytest.mark.parametrize(("language", "words"), [("en", "Hide the numbers"), ("de", "Zahlen verdecken")])
def test_the_page_speaks_the_language(language, words):
    """Its texts, and what the browser takes it for."""
    html = explorer(*step(), language=language)
    assert f'<html lang="{language}">' in html
    assert words in html


def test_a_page_replaces_nothing_unasked(traced, tmp_path):
    """A file that exists stays, and another ending is refused."""
    path = tmp_path / "new" / "step.html"
    assert traced.report(path) == path
    with pytest.raises(FileExistsError, match="overwrite=True"):
        traced.report(path)
    assert traced.report(path, overwrite=True) == path
    with pytest.raises(ValueError, match=r"`path` must end in \.html"):
        traced.report(tmp_path / "step.pdf")
    with pytest.raises(ValueError, match="`language` must be one of"):
        traced.report(tmp_path / "other.html", language="xx")
    assert [file.name for file in tmp_path.rglob("*.*")] == ["step.html"]
