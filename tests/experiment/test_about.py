from kerasteach.experiment.about import about


def test_the_settings_of_a_comparison_are_named(comparison):
    """What was trained on what, and how."""
    found = about(comparison.facts)
    assert found.title == "sigmoid, tanh and relu on iris"
    assert found.settings["units of the hidden layers"] == "6, 6, 6"
    assert found.settings["optimizer"] == "PlainSGD"
    assert found.settings["learning rate"] == "0.5"
    assert found.settings["data"].startswith("iris; 120 examples to train on, 30 to test; 4 features, standardized")
    assert found.versions["keras"] == comparison.facts["versions"]["keras"]


def test_what_varies_is_not_named_as_if_all_had_it(comparison):
    """The heading names the variants, a number with what it is."""
    facts = comparison.facts
    arguments = {**facts["arguments"], "vary": {"optimizer": ["sgd"], "width": [2, 3], "batch_size": [1]}}
    found = about({**facts, "arguments": arguments, "variants": [{"width": 2}, {"width": 3}]})
    assert found.title == "width 2 and width 3 on iris"
    assert not {"optimizer", "units of the hidden layers", "batch size"} & set(found.settings)


def test_many_variants_are_counted(comparison):
    """Names would not fit into a heading."""
    variants = [{"activation": name} for name in ("a", "b", "c", "d", "e")]
    assert about({**comparison.facts, "variants": variants}).title == "5 networks on iris"


def test_an_earlier_run_with_fewer_facts_has_a_page(comparison):
    """What is not known is left out, with the call."""
    arguments = {"error_below": 0.1, "hidden": None, "vary": {}, "seeds": [0], "epochs": 5}
    found = about({"arguments": arguments, "variants": [{"activation": "relu"}], "data": {"name": "d", "task": "t"}})
    assert found.call == ""
    assert found.settings["epochs"] == "5 at most, to a loss below 0.1"
