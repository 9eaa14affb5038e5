"""Registry of the rules: what each one looks at, says and explains. A further rule is one entry of `RULES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kerasteach.diagnosis import depth, missing, units
from kerasteach.diagnosis.network import Evidence, Network
from kerasteach.validation import choice

Severity = Literal["error", "warning"]
ALWAYS = "Always, whatever the loss does."
SYMPTOM = "Only where the loss shows a problem: it is not finite, it rose, or it hardly fell."


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        id: Its identifier, which stays as it is.
        name: What it finds.
        severity: `"error"` where nothing can be learned so, or `"warning"`.
        needs: The tables that it reads: out of `"gradients"`, `"activations"` and `"history"`.
        check: Returns what it found in one network, or `None`.
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
    check: Callable[[Network], Evidence | None]
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
            SYMPTOM,
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
            "of ten, in the first epoch; or it grew so much from the first steps to its largest finite value.",
            SYMPTOM,
            "Data in large units have large gradients from the first step on without growing over the depth.",
            "smaller initial weights (`kt.initializers.for_activation`); clipping (`clipnorm=1.0` of the optimizer); a "
            "smaller learning rate; inputs that are standardized.",
            "Pascanu, Mikolov and Bengio (2013); the fit over depth is ours.",
        ),
        Rule(
            "KT301",
            "dead units",
            "warning",
            ("activations", "history"),
            units.dead,
            "In the last epoch, so large a share of a hidden layer's units was 0 for every example. The outputs must "
            'have been captured with `ActivationCapture(every="epoch")`, or the window is one batch only.',
            SYMPTOM,
            "That many outputs are 0 is no fault: ReLU is meant to be sparse. Units are dead only if no example "
            "wakes them.",
            "a smaller learning rate; an initializer for ReLU (`kt.initializers.for_activation`); leaky ReLU, or ELU.",
            "Maas, Hannun and Ng (2013); Lu et al., Dying ReLU and Initialization (2019).",
        ),
        Rule(
            "KT302",
            "saturated units",
            "warning",
            ("activations", "gradients", "history"),
            units.saturated,
            "In the last epoch, so large a share of the outputs of a hidden layer with sigmoid or tanh lies within "
            "0.01 of a limit, and the layers in front of it get less than a tenth of the last layer's gradient.",
            SYMPTOM,
            "Units that are sure of each example are saturated at the end of a good training; there the loss is low.",
            "smaller initial weights; inputs that are standardized; a smaller learning rate; batch normalization.",
            "Glorot and Bengio (2010), section 3.",
        ),
    )
}


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
    found = RULES[choice("rule", rule, RULES)]
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
