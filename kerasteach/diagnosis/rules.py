"""Registry of the rules: what each one looks at, says and explains. A further rule is one entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from kerasteach.diagnosis import depth, missing, setup, units, updates
from kerasteach.diagnosis.network import Evidence
from kerasteach.validation import choice

Severity = Literal["error", "warning"]
ALWAYS = "Always, whatever the loss does."
SYMPTOM = (
    "Only where the loss shows a problem: it is not finite; it rose, and lost half of what it had learned; it fell by "
    "less than 10 % in three epochs or more. Of a finite loss never where an accuracy of the training is at least half "
    "of the way from a guess to 1, or where the loss reaches 0 or less, so that it has no ratio."
)
HARDLY_LEARNS = f"{SYMPTOM} Not where the loss is not finite."
THROWN_OFF = (
    f"{SYMPTOM} Also where the loss of some epoch was more than ten times that of a guess, log(classes), and the "
    "accuracy does not get half of the way: a network that was thrown off early may stand at a low loss ever after."
)


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        id: Its identifier, which stays as it is.
        name: What it finds.
        severity: `"error"` where nothing can be learned so, or `"warning"`.
        needs: What it reads: the tables `"gradients"`, `"activations"` and `"history"`, and columns of the gradients,
            such as `"update_ratio"`.
        check: Returns what it found in one `Network`, or in one `Setup`; `None` for nothing.
        definition: When it speaks.
        when: Whether it needs a symptom.
        wrong: When it is wrong.
        remedy: What to try.
        source: Where the rule comes from.
    """

    id: str
    name: str
    severity: Severity
    needs: tuple[str, ...]
    check: Callable[[Any], Evidence | None]
    definition: str
    when: str
    wrong: str
    remedy: str
    source: str


RULES = {
    rule.id: rule
    for rule in (
        Rule(
            "KT101",
            "not finite",
            "error",
            ("gradients",),
            missing.not_finite,
            "A gradient holds a NaN or an infinite entry in some step. Where outputs were captured too, a layer whose "
            "output is not finite in that step or before comes first: the fault began in the forward pass.",
            ALWAYS,
            "With mixed precision, the steps in which a loss scale is found are not finite, and are left out by the "
            "optimizer; they are no fault.",
            "a smaller learning rate; a look at the data for NaN and infinite values (`numpy.isfinite(x).all()`); "
            "clipping (`clipnorm=1.0` of the optimizer).",
            "The arithmetic of floating point; Zhang et al., AutoTrainer (ICSE 2021), call it exploding.",
        ),
        Rule(
            "KT102",
            "no gradient",
            "error",
            ("gradients",),
            missing.no_gradient,
            "The gradient of a layer that has weights is exactly 0 in every captured step of the last epoch, while the "
            "last layer's is not, or all are.",
            ALWAYS,
            "A network whose loss is exactly 0 has no gradient because there is nothing left to learn.",
            "a look at what lies behind the layer: units that are all dead (KT301), a function without a slope, a loss "
            "that is constant, or weights that start at 0.",
            "By definition.",
        ),
        Rule(
            "KT201",
            "vanishing gradient",
            "warning",
            ("gradients", "history"),
            depth.vanishing,
            "The norm of the error signal falls from the last layer to the first by more than the threshold, in "
            "powers of ten, along the straight line that fits its logarithm over the depth, in the first epoch.",
            HARDLY_LEARNS,
            "A network may stand still for another reason, such as a tiny learning rate, and have small gradients in "
            "front as well. Layers of very different widths, or weights shared between them, have norms that do not "
            "compare.",
            "ReLU or tanh in place of sigmoid; an initializer that fits the function "
            "(`kt.initializers.for_activation`); batch normalization; fewer layers; connections that skip layers.",
            "Hochreiter (1991); Glorot and Bengio (2010), section 4; the fit over depth is ours.",
        ),
        Rule(
            "KT202",
            "exploding gradient",
            "warning",
            ("gradients", "history"),
            depth.exploding,
            "The norm of the error signal grows from the last layer to the first by more than the threshold, in powers "
            "of ten, over the finite steps of the first epoch; or it grew so much from the first step to its largest "
            "finite value, and beyond ten times the last layer's (one that had vanished and comes back does not). The "
            "mean over the whole epoch would not do: most networks that explode do so in their first three steps, and "
            "what follows is not finite, or 0.",
            THROWN_OFF,
            "A network that is thrown off by its loss alone, with little growth from layer to layer, is missed.",
            "smaller initial weights (`kt.initializers.for_activation`); clipping (`clipnorm=1.0` of the optimizer); a "
            "smaller learning rate; inputs that are standardized.",
            "Pascanu, Mikolov and Bengio (2013); the fit over depth is ours.",
        ),
        Rule(
            "KT203",
            "front that stands still",
            "warning",
            ("gradients", "history", "update_ratio"),
            updates.front_stands_still,
            "In the first epoch, a step changes the weights of the first layer, as a share of them, by less than the "
            "threshold times the share by which it changes those of the last.",
            HARDLY_LEARNS,
            "Weights that start at 0 have no share by which they change. Adam and RMSprop give each weight a step of "
            "one size, so that the front moves also where its gradient vanishes; there, look at KT201.",
            "what KT201 says; an optimizer such as Adam.",
            "The update ratio is Karpathy's (CS231n, Babysitting the learning process); the comparison of layers is "
            "ours.",
        ),
        Rule(
            "KT301",
            "dead units",
            "warning",
            ("activations", "history"),
            units.dead,
            "In the last epoch, so large a share of a hidden layer's units was 0 for every example. The outputs must "
            'have been captured with `ActivationCapture(every="epoch")`, or the window is one batch only.',
            THROWN_OFF,
            "That many outputs are 0 is no fault: ReLU is meant to be sparse. Units are dead only if no example "
            "wakes them.",
            "a smaller learning rate; an initializer for ReLU (`kt.initializers.for_activation`); leaky ReLU, or ELU.",
            "Maas, Hannun and Ng (2013); Lu et al., Dying ReLU and Initialization (2019).",
        ),
        Rule(
            "KT401",
            "learning rate too high",
            "warning",
            ("gradients", "history", "update_ratio"),
            updates.rate_too_high,
            "In the median step of the first epoch, the weights of some layer change by the threshold or more, as a "
            "share of their norm.",
            SYMPTOM,
            "Data in large units, or weights that start very small, have such steps at a fitting rate as well.",
            "a tenth of the learning rate; `kt.find_learning_rate(model, x, y)`, which tries many.",
            "Karpathy, CS231n, Babysitting the learning process: about 1e-3 is usual.",
        ),
        Rule(
            "KT402",
            "learning rate too low",
            "warning",
            ("gradients", "history", "update_ratio"),
            updates.rate_too_low,
            "The loss falls in at least 80 % of the epochs, and in the median step of the first epoch the weights of "
            "each layer change by the threshold at most, as a share of their norm.",
            "Only where the loss fell by less than 10 % in three epochs or more, and no accuracy of the training is "
            "half of the way from a guess to 1; never where the gradient vanishes (KT201), which makes the steps short "
            "as well. Without an accuracy, a model that is good already and is tuned in short steps looks alike: "
            "there the threshold is 1e-6.",
            "A model with an accuracy that is poor, and as good as it can be, has such steps at the end.",
            "ten times the learning rate; `kt.find_learning_rate(model, x, y)`, which tries many.",
            "Karpathy, CS231n, Babysitting the learning process: about 1e-3 is usual.",
        ),
    )
}

BEFORE = "Before training, on one batch."
SETUP_RULES = {
    rule.id: rule
    for rule in (
        Rule(
            "KT501",
            "output and loss do not fit",
            "error",
            ("setup",),
            setup.output_and_loss,
            "The last layer's function is not the one whose values the loss takes: softmax with binary cross-entropy, "
            "sigmoid with categorical cross-entropy, no function with a loss that takes probabilities, one unit with "
            "softmax.",
            BEFORE,
            "A loss of one's own is not known and not judged.",
            "for classes, softmax with `sparse_categorical_crossentropy` (class numbers) or `categorical_crossentropy` "
            "(one-hot); for yes or no, one unit with sigmoid and `binary_crossentropy`; without a function, "
            "`from_logits=True`.",
            "The definitions of the losses in Keras.",
        ),
        Rule(
            "KT502",
            "targets outside of the outputs",
            "error",
            ("setup",),
            setup.targets_and_outputs,
            "The batch holds a class number without an output, targets that are no probabilities for a loss that takes "
            "these, or values that the last layer's function never gives.",
            BEFORE,
            "A regression may have few targets beyond the range of its last layer on purpose.",
            "class numbers from 0; as many outputs as classes; no function in the last layer of a regression.",
            "The definitions of the losses in Keras.",
        ),
        Rule(
            "KT503",
            "inputs not scaled",
            "warning",
            ("setup",),
            setup.inputs_not_scaled,
            "The root mean square of the inputs is above the threshold, and none of the first three layers scales "
            "them.",
            BEFORE,
            "A layer of one's own, or a preprocessing inside the model under another name, may scale them.",
            "`keras.layers.Rescaling(1 / 255)` for pixels; `keras.layers.Normalization()`, adapted, for tables.",
            "LeCun, Bottou, Orr and Mueller, Efficient BackProp (1998), section 4.3.",
        ),
        Rule(
            "KT504",
            "first weights all alike",
            "error",
            ("setup",),
            setup.weights_alike,
            "A kernel with several units has one and the same value everywhere: its units get the same gradient, and "
            "stay alike.",
            BEFORE,
            "The last layer of a residual branch may start at 0 on purpose.",
            "an initializer that draws: `glorot_uniform`, Keras's own, or `kt.initializers.for_activation`.",
            "Goodfellow, Bengio and Courville, Deep Learning (2016), section 8.4.",
        ),
        Rule(
            "KT505",
            "sure before it learned",
            "warning",
            ("setup", "losses"),
            setup.first_loss,
            "The loss of the untrained classifier is the threshold times as large as log(classes), the loss of a "
            "guess, or more.",
            BEFORE,
            "A model with weights from another task may start so.",
            "inputs that are scaled (KT503); smaller initial weights.",
            "Karpathy, A Recipe for Training Neural Networks (2019): verify the loss at the start.",
        ),
        Rule(
            "KT506",
            "one batch cannot be learned",
            "warning",
            ("setup", "losses"),
            setup.one_batch,
            "Trained on one and the same batch, the loss falls by less than the threshold, as a share of it, or is not "
            "finite in the end.",
            BEFORE,
            "A very small learning rate, strong dropout or a strong penalty need more `steps`. A model that begins "
            "below half of the loss of a guess (log(classes), or the variance of the targets) has learned before, and "
            "is not judged.",
            "what the other findings say; `kt.find_learning_rate(model, x, y)`.",
            "Karpathy, A Recipe for Training Neural Networks (2019): overfit one batch.",
        ),
        Rule(
            "KT507",
            "nothing to train",
            "error",
            ("setup",),
            setup.nothing_to_train,
            "No layer of the model has a weight that is trainable.",
            BEFORE,
            "A model that is only to predict needs no training.",
            "`layer.trainable = True` for the layers that are to learn, before `compile`; a layer with weights.",
            "By definition.",
        ),
    )
}
_ALL = {**RULES, **SETUP_RULES}


def identifier(argument: str, name: str) -> str:
    """Return the identifier of a rule of `diagnose`, which may be given by its name: `"not_finite"`.

    Raises:
        TypeError: If it is no text.
        ValueError: If there is no such rule.
    """
    names = {rule.name.replace(" ", "_"): rule.id for rule in RULES.values()}
    found = choice(argument, name, [*RULES, *names])
    return names.get(found, found)


def rule_of(identifier: str) -> Rule:
    """Return a rule by its identifier."""
    return _ALL[identifier]


def explain(rule: str) -> str:
    """Return a rule's page: when it speaks, when it is wrong, what to try, and where it comes from.

    Args:
        rule: Its identifier: `"KT201"`.

    Raises:
        TypeError: If it is no text.
        ValueError: If there is no such rule; the message lists those there are.

    Example:
        >>> import kerasteach as kt
        >>> print(kt.diagnosis.explain("KT102").splitlines()[0])
        KT102: no gradient (error)
    """
    found = rule_of(choice("rule", rule, _ALL))
    return "\n\n".join(
        [
            f"{found.id}: {found.name} ({found.severity})",
            f"It speaks: {found.definition}",
            f"When: {found.when}",
            f"Its threshold and how often it is right: docs/diagnosis.md. It is wrong: {found.wrong}",
            f"Try: {found.remedy}",
            f"Source: {found.source}",
            f"It reads: {', '.join(found.needs)}.",
        ]
    )
