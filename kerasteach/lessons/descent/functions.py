"""Gallery of functions to descend, each with its known minima, a start, and learning rates to compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kerasteach.activations import Tensor
from kerasteach.validation import choice

Point = float | tuple[float, ...]  # a number of a function of one number
Ranges = tuple[float, float] | tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Function:
    """A function of one or two numbers, with its known minima.

    It is called as any function is, with numbers, arrays of one shape, or tensors.

    Attributes:
        rule: The function itself; its arguments name the coordinates.
        formula: The function as a lecture writes it.
        minima: Every local minimum, the lowest first; empty if the function has none.
        start: Where a descent may begin.
        ranges: The lowest and highest value of each coordinate to draw.
        learning_rates: One too small, a good one, and one too large for plain gradient descent from `start`. Of the
            saddle, which has no minimum, three that leave it ever sooner.
        steps: How many steps show the difference.
    """

    rule: Callable[..., Tensor]
    formula: str
    minima: tuple[Point, ...]
    start: Point
    ranges: Ranges
    learning_rates: tuple[float, float, float]
    steps: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "__wrapped__", self.rule)  # where inspect.signature finds the arguments' names
        object.__setattr__(self, "__doc__", self.rule.__doc__)

    @property
    def name(self) -> str:
        """The name that `get` takes."""
        return self.rule.__name__

    def __call__(self, *coordinates: Tensor) -> Tensor:
        """Return the function's value at a point, or at each of several."""
        return self.rule(*coordinates)


_GALLERY: dict[str, Function] = {}


def names() -> tuple[str, ...]:
    """Return the names of the gallery's functions."""
    return tuple(_GALLERY)


def get(function: str) -> Function:
    """Return the function of the gallery that has this name.

    Raises:
        TypeError: If it is no text.
        ValueError: If none has it; the message lists the names.

    Example:
        >>> import kerasteach as kt
        >>> rosenbrock = kt.lessons.functions.get("rosenbrock")
        >>> rosenbrock.minima, rosenbrock(1.0, 1.0)
        (((1.0, 1.0),), 0.0)
    """
    return _GALLERY[choice("function", function, _GALLERY)]


def _in_gallery(**facts: Any) -> Callable[[Callable[..., Tensor]], Function]:
    """Return a decorator that adds a function with its facts to the gallery."""

    def add(rule: Callable[..., Tensor]) -> Function:
        function = Function(rule, **facts)
        _GALLERY[function.name] = function
        return function

    return add


@_in_gallery(formula="x²", minima=(0.0,), start=-2.5, ranges=(-3.0, 3.0), learning_rates=(0.01, 0.3, 1.02), steps=30)
def parabola(x: Tensor) -> Tensor:
    """Return `x^2`: one minimum, 0 at `x = 0`.

    A step with the learning rate `eta` multiplies `x` by `1 - 2 eta`: below 1/2 it slides down one side, between 1/2
    and 1 it jumps across the minimum and back, ever closer; at 1 it jumps for ever, and beyond 1 it flies off.
    """
    return x**2


@_in_gallery(
    formula="(x² + 10 y²) / 2",
    minima=((0.0, 0.0),),
    start=(-4.0, 1.0),
    ranges=((-5.0, 5.0), (-2.5, 2.5)),
    learning_rates=(0.01, 0.18, 0.202),
    steps=50,
)
def elongated_bowl(x: Tensor, y: Tensor) -> Tensor:
    """Return `(x^2 + 10 y^2) / 2`: one minimum, 0 at `(0, 0)`.

    A step multiplies `x` by `1 - eta` and `y` by `1 - 10 eta`. The steep direction allows no learning rate above 0.2,
    and with it the flat direction is slow: the best that both can have is 2 / 11, and then each step leaves 9 / 11.
    """
    return (x**2 + 10 * y**2) / 2


@_in_gallery(
    formula="(1 - x)² + 100 (y - x²)²",
    minima=((1.0, 1.0),),
    start=(-1.2, 1.0),
    ranges=((-2.0, 2.0), (-1.0, 3.0)),
    learning_rates=(0.0001, 0.0018, 0.004),
    steps=5000,
)
def rosenbrock(x: Tensor, y: Tensor) -> Tensor:
    """Return `(1 - x)^2 + 100 (y - x^2)^2`: one minimum, 0 at `(1, 1)`, at the end of a curved and nearly flat valley.

    Its curvature at the minimum is 1001.6 across the valley and 0.4 along it: learning rates up to 2 / 1001.6 are
    stable there, and with them thousands of steps go along it.

    Reference:
        Rosenbrock (1960), An automatic method for finding the greatest or least value of a function; the start too.
    """
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


@_in_gallery(
    formula="(x² + y - 11)² + (x + y² - 7)²",
    minima=(
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ),
    start=(0.0, 0.0),
    ranges=((-5.5, 5.5), (-5.5, 5.5)),
    learning_rates=(0.001, 0.01, 0.03),
    steps=50,
)
def himmelblau(x: Tensor, y: Tensor) -> Tensor:
    """Return `(x^2 + y - 11)^2 + (x + y^2 - 7)^2`: four minima, all 0.

    They lie at `(3, 2)` and, to six digits, `(-2.805118, 3.131313)`, `(-3.779310, -3.283186)` and
    `(3.584428, -1.848127)`. Which one a descent finds depends on where it starts, and on its learning rate.

    Reference:
        Himmelblau (1972), Applied Nonlinear Programming.
    """
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@_in_gallery(
    formula="x² - y²",
    minima=(),
    start=(1.0, 0.001),
    ranges=((-1.5, 1.5), (-1.5, 1.5)),
    learning_rates=(0.01, 0.05, 0.1),
    steps=38,
)
def saddle(x: Tensor, y: Tensor) -> Tensor:
    """Return `x^2 - y^2`: no minimum. At `(0, 0)` the gradient is 0, and the way down leads along `y` without end.

    A descent that starts exactly on the ridge, at `y = 0`, ends in the saddle point. The least deviation grows by
    `1 + 2 eta` a step, so that it is first drawn towards the saddle point, stays there for long, and then leaves it.
    """
    return x**2 - y**2


@_in_gallery(
    formula="x⁴ - 2 x² + x / 2",
    minima=(-1.0574537707383778, 0.9304029265558516),
    start=1.7,
    ranges=(-1.9, 1.9),
    learning_rates=(0.001, 0.05, 0.12),
    steps=40,
)
def two_minima(x: Tensor) -> Tensor:
    """Return `x^4 - 2 x^2 + x / 2`: the lower minimum at `x = -1.057454`, the higher one at `x = 0.930403`.

    Between them, at `x = 0.127051`, is a maximum. From the right, small steps end in the higher minimum; a large
    first step leaps over it.
    """
    return x**4 - 2 * x**2 + x / 2
