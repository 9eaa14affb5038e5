"""The step explorer in a browser: its script against `trace_step`, its keys, and what a reader needs."""

from functools import cache

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

import kerasteach as kt

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")


def compiled(*made, inputs, loss, rate=0.4):
    """Return a compiled chain in float64, as the page computes, with weights of two digits."""
    exact = [
        type(layer).from_config({**layer.get_config(), "dtype": "float64", "name": f"layer_{number}"})
        for number, layer in enumerate(made)
    ]
    model = keras.Sequential([keras.Input((inputs,), dtype="float64"), *exact])
    random = np.random.default_rng(3)
    for variable in model.variables:
        variable.assign(random.normal(size=variable.shape).round(2))
    model.compile(kt.optimizers.PlainSGD(rate), loss)
    return model


def course():
    """Return the course's two neurons, and its example."""
    neurons = [kt.layers.Dense(1, "sigmoid", name=f"neuron_{number}") for number in (1, 2)]
    model = compiled(*neurons, inputs=1, loss=kt.losses.HalfSquaredError())
    model.set_weights([np.array([[0.15]]), np.array([0.40]), np.array([[0.45]]), np.array([0.65])])
    return model, [[0.1]], [[0.25]]


def relu_at_0():
    """Return a network with a ReLU unit whose z is exactly 0, in an activation layer of its own."""
    model = compiled(layers.Dense(2), layers.ReLU(), layers.Dense(1), inputs=2, loss="mse")
    model.layers[0].set_weights([np.array([[1.0, 0.5], [-1.0, 0.25]]), np.zeros(2)])
    return model, [[1.0, 1.0]], [[1.0]]


def classes():
    """Return a classifier with softmax, and a batch of three."""
    model = compiled(
        layers.Dense(3, "tanh"), layers.Dense(3, "softmax"), inputs=2, loss="sparse_categorical_crossentropy"
    )
    return model, [[0.5, -1.0], [1.5, 0.25], [-0.75, 0.1]], [0, 2, 1]


def logits():
    """Return a classifier that gives logits, summed over a batch of two, with other functions inside."""
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum", label_smoothing=0.1)
    model = compiled(layers.Dense(2, "leaky_relu"), layers.Softmax(), layers.Dense(2), inputs=2, loss=loss)
    return model, [[0.5, -1.0], [1.5, 0.25]], [[1.0, 0.0], [0.0, 1.0]]


def yes_no():
    """Return a network of one probability, the first layer frozen."""
    frozen = layers.Dense(2, "relu", trainable=False)
    model = compiled(frozen, layers.Dense(1, "sigmoid"), inputs=2, loss="binary_crossentropy")
    return model, [[0.5, -1.0], [1.5, 0.25]], [[1.0], [0.0]]


def yes_no_logits():
    """Return two outputs of which each is a logit."""
    model = compiled(layers.Dense(2), inputs=2, loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return model, [[0.5, -1.0]], [[1.0, 0.0]]


NETWORKS = {made.__name__: made for made in (course, relu_at_0, classes, logits, yes_no, yes_no_logits)}


@pytest.fixture(scope="module")
def traced():
    """Return the traced step of each network, by its name, made when it is needed."""
    return cache(lambda name: kt.trace_step(*NETWORKS[name]()))


@pytest.fixture(scope="module")
def file(traced, tmp_path_factory):
    """Return the page of each network, by its name, written when it is needed."""
    folder = tmp_path_factory.mktemp("pages")
    return cache(lambda name: traced(name).report(folder / f"{name}.html"))


@pytest.fixture
def opened(browser, file):
    """Return a function that opens a page; nothing may go wrong there, and no request may leave its file."""
    contexts, wrong = [], []

    def opened(name, **settings):
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        address = file(name).as_uri()
        page.on("request", lambda request: wrong.append(request.url) if request.url != address else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def numbers(page):
    """Return the numbers that the drawn network shows, unrounded, by their symbols."""
    found = page.eval_on_selector_all(
        "[data-value]", "elements => elements.map(one => [one.dataset.key, Number(one.dataset.value)])"
    )
    return dict(found)


def in_symbols(page, trace, example):
    """Return the numbers of a traced step by the symbols that the page gives them."""
    read = "JSON.parse(document.getElementById('data').textContent).layers.map(one => [one.name, one.symbols])"
    symbols, found, frame = dict(page.evaluate(read)), {}, trace.frame
    for row in frame[frame["example"].isna() | (frame["example"] == example).fillna(False)].itertuples():
        if pd.isna(row.layer):
            found["E" if pd.isna(row.example) else "E(example)"] = row.value
            continue
        head, letter = row.quantity[:-1], row.quantity[-1]
        own = frame[(frame["layer"] == row.layer) & (frame["quantity"] == row.quantity)]
        single = len(own) == own["example"].fillna(0).nunique()
        place = [] if single else [int(one) for one in (row.source, row.unit) if not pd.isna(one)]
        letter, depth = symbols[row.layer].get(letter, (letter.lower() if single else letter, row.depth))
        index = f"[{','.join(map(str, place))}]" if place else ""
        found[f"{head}{letter[0]}{depth or ''}{letter[1:]}{index}"] = row.value
    return found


def check(page, trace, examples=1):
    """Compare all numbers that the page draws with those of a traced step, for so many of its examples."""
    for example in range(examples):
        if examples > 1:
            page.select_option("#example", str(example))
        shown, wanted = numbers(page), in_symbols(page, trace, example)
        shown = {key: value for key, value in shown.items() if key[0] != "T" and key != "new E"}
        assert set(wanted) >= {key for key in shown if key != "E(example)"}
        assert not {key for key in wanted if key.startswith(("z", "new", "dE/dW", "dE/db", "E"))} - {
            *shown,
            "E(example)",
        }
        assert shown == pytest.approx({key: wanted[key] for key in shown}, abs=1e-7)  # the learning rate has float32


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_script_computes_what_trace_step_traces(name, opened, traced):
    """After weights are edited and the learning rate is moved, the page has the numbers of a new trace."""
    model, x, y = NETWORKS[name]()
    page = opened(name)
    page.click("[data-step-button='4']")
    check(page, traced(name))
    weights = model.get_weights()
    for field, place, change in ((0, 0, 0.3), (-1, -1, -0.7)):
        page.locator("#weights input").nth(field).fill(str(change))
        weights[field].flat[place] = change
    page.focus("#slider")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    rate = float(page.input_value("#rate"))
    assert rate > 0.4
    model.set_weights(weights)
    check(page, kt.trace_step(model, x, y, kt.optimizers.PlainSGD(rate)), len(x))
    page.click("#reset")
    if len(x) > 1:
        page.select_option("#example", "0")
    check(page, traced(name))


@pytest.mark.slow
def test_the_next_step_begins_with_the_new_weights(opened):
    """It is the second of two steps."""
    model, x, y = course()
    page = opened("course")
    page.click("[data-step-button='4']")
    model.train_on_batch(np.array(x), np.array(y))
    trace = kt.trace_step(model, x, y)
    after = numbers(page)["new E"]
    page.click("#repeat")
    check(page, trace)
    assert numbers(page)["E"] == pytest.approx(after, abs=1e-7)  # the learning rate has float32


@pytest.mark.slow
def test_arrow_keys_go_through_the_four_steps(opened):
    """Each step shows its numbers and its formulas, says so, and the last one is the end."""
    page = opened("course")
    shown = []
    for _ in range(5):
        current = page.locator("[aria-current=step]")
        shown.append((current.inner_text(), len(numbers(page)), page.locator("section.formulas:visible").count()))
        assert page.locator("section.formulas:visible h2").inner_text() == current.inner_text()
        page.keyboard.press("ArrowRight")
    titles = ["1. Initialize", "2. Forward pass and error", "3. Backpropagation", "4. Update", "4. Update"]
    # x, T and four weights; z and a twice, and E; the eight derivatives; four new weights and the new error
    assert shown == [(title, count, 1) for title, count in zip(titles, (6, 11, 19, 24, 24), strict=True)]
    page.keyboard.press("ArrowLeft")
    assert page.locator("[aria-current=step]").inner_text() == "3. Backpropagation"
    assert "From the error back to the input" in page.locator("[aria-live=polite]").inner_text()


@pytest.mark.slow
def test_arrow_keys_in_a_field_stay_there(opened):
    """Who moves the slider stays in the step."""
    page = opened("course")
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    assert page.locator("[aria-current=step]").inner_text() == "1. Initialize"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["hover", "focus"])
def test_a_weight_shows_its_chain_rule(how, opened):
    """In symbols from the error to the weight, and in numbers to the gradient."""
    page = opened("course")
    getattr(page.locator("[data-weight=w1]"), how)()
    assert page.locator("#chain-title").inner_text() == "Chain rule of w1"
    symbols, product = page.locator("#chain-lines .line").all()
    assert symbols.text_content().replace("\u200b", "") == "∂E∂w1=∂E∂a2·∂a2∂z2·∂z2∂a1·∂a1∂z1·∂z1∂w1"
    assert product.text_content().replace("\u200b", "").endswith("·0.1=0.001021")
    assert page.locator(".cable.on").count() == 3


@pytest.mark.slow
def test_enter_on_a_weight_leads_to_its_field(opened):
    """The keyboard is enough to change a weight, and the network shows the new one."""
    page = opened("course")
    page.focus("[data-weight=b2]")
    page.keyboard.press("Enter")
    page.keyboard.type("0.5")
    assert numbers(page)["b2"] == 0.5


@pytest.mark.slow
def test_what_is_no_number_changes_nothing(opened):
    """An empty field is marked, and has the last number again when it is left."""
    page = opened("course")
    field = page.locator("#weights input").first
    field.fill("")
    assert field.get_attribute("aria-invalid") == "true"
    assert numbers(page)["w1"] == pytest.approx(0.15)
    field.blur()
    assert field.input_value() == "0.15"


@pytest.mark.slow
def test_hidden_numbers_are_given_one_at_a_time(opened):
    """What is given stays; what is computed is a question mark, until it is asked for."""
    page = opened("course")
    page.click("[data-step-button='3']")
    page.click("#hide")
    assert set(numbers(page)) == {"x", "T", "w1", "b1", "w2", "b2"}
    assert "0.05707" not in page.locator("main").inner_text()
    page.get_by_role("button", name="Show dE/dw2").first.click()
    assert "dE/dw2" in numbers(page)
    assert "0.05707" in page.locator("#formulas-3").inner_text()
    page.click("#hide")
    assert len(numbers(page)) == 19


@pytest.mark.slow
@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("name", "scheme"), [("course", "light"), ("classes", "light"), ("classes", "dark"), ("course", "dark")]
)
def test_the_page_is_accessible(name, scheme, opened):
    """Axe finds nothing serious where all is shown, and where the numbers are hidden."""
    page = opened(name, color_scheme=scheme)
    page.click("[data-step-button='4']")
    page.locator(".weight").first.focus()
    for _ in range(2):
        found = axe.Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        page.click("#hide")


@pytest.mark.slow
def test_a_phone_shows_it_without_scrolling_sideways(opened):
    """The network scrolls in its own frame; the page does not."""
    page = opened("classes", viewport={"width": 360, "height": 740})
    page.click("[data-step-button='3']")
    page.locator(".weight").first.focus()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.slow
def test_paper_has_all_four_steps(opened):
    """Printing shows every section, without the controls, and the network with all its numbers."""
    page = opened("course")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("section.formulas:visible").count() == 4
    assert not page.locator("#hide").is_visible()
    assert "new w1" in numbers(page)
