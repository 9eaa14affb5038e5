"""Colors of figures: their contrast to the ground, and how far they are apart for all eyes."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from kerasteach.plotting.style import ACTIVATIONS, inks, looks, style

# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE
# Transactions on Visualization and Computer Graphics 15 (2009): the matrices of severity 1.0, for linear RGB.
EYES = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# Side by side, a difference of about 1 is just seen in large areas. Lines are thin, markers small, and the legend
# stands apart: ten times that for any two colors, and twenty times for the three that lectures compare.
APART, MAIN_APART = 10, 20
MAIN = ("sigmoid", "tanh", "relu")
GROUNDS = {"light": False, "dark": True}
TO_XYZ = np.array(  # of linear sRGB
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(color):
    """Return the linear RGB of an sRGB color (IEC 61966-2-1)."""
    parts = np.array(to_rgb(color))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(color, ground):
    """Return the contrast ratio of two colors, from 1 to 21, by WCAG 2.2."""
    low, high = sorted(float(TO_XYZ[1] @ linear(one)) for one in (color, ground))
    return (high + 0.05) / (low + 0.05)


def lab(color, eyes="normal"):
    """Return CIELAB (D65) of a color as these eyes see it."""
    ratios = TO_XYZ @ np.clip(np.array(EYES[eyes]) @ linear(color), 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = np.where(ratios > 216 / 24389, np.cbrt(ratios), (24389 / 27 * ratios + 16) / 116)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(first, second):
    """Return CIEDE2000 of two CIELAB colors (Sharma, Wu and Dalal 2005, equations 2 to 22)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    widen = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25**7))
    c1, c2 = np.hypot(widen * a1, b1), np.hypot(widen * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, widen * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    lightness, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, h1 + h2 if c1 * c2 == 0 else h1 + turn / 2
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    t = 1 + sum(share * np.cos(np.radians(times * hue + shift)) for share, times, shift in waves)
    d_l = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2))
    d_c = (c2 - c1) / (1 + 0.045 * chroma)
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * chroma * t)
    rotation = np.sin(np.radians(60 * np.exp(-(((hue % 360 - 275) / 25) ** 2))))
    rotation *= -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7))
    return np.sqrt(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ],
)
def test_the_color_difference_is_that_of_the_published_table(first, second, expected):
    """The formula gives the numbers of table 1 of Sharma, Wu and Dalal (2005)."""
    assert difference(first, second) == pytest.approx(expected, abs=5e-5)


def network_colors():
    """Return every color that a network can have on the current ground."""
    return {look.color for look in looks([*ACTIVATIONS, *map(str, range(20))]).values()}


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_color_can_be_seen_on_its_ground(ground):
    """A line has 3:1 to the ground, as WCAG 2.2 asks of graphics, and what is also written has 4.5:1."""
    with style(dark=GROUNDS[ground]):
        colors = inks()
        assert min(contrast(one, colors.surface) for one in network_colors()) >= 3
        written = (colors.text, colors.muted, colors.forward, colors.backward)
        assert min(contrast(one, colors.surface) for one in written) >= 4.5


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_colors_stay_apart_for_all_eyes(ground, eyes):
    """Any two networks differ by 10 in CIEDE2000, the main three and the two directions by 20."""
    with style(dark=GROUNDS[ground]):
        main = [look.color for look in looks(MAIN).values()]
        groups = ((network_colors(), APART), (main, MAIN_APART), ((inks().forward, inks().backward), MAIN_APART))
    for colors, least in groups:
        assert min(difference(lab(a, eyes), lab(b, eyes)) for a, b in combinations(colors, 2)) >= least


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_main_three_survive_a_gray_printout(ground):
    """Sigmoid, tanh and ReLU differ by 15 or more in lightness."""
    with style(dark=GROUNDS[ground]):
        levels = sorted(lab(look.color)[0] for look in looks(MAIN).values())
    assert np.diff(levels).min() >= 15


def test_markers_tell_networks_apart_without_color():
    """Each activation has its own, and of other names no two among nine share one."""
    assert len({look.marker for look in ACTIVATIONS.values()}) == len(ACTIVATIONS)
    assert len({look.marker for look in looks(map(str, range(9))).values()}) == 9


def test_every_activation_has_a_color_for_each_ground():
    """Its color on a light ground is one of those that have a counterpart on a dark one."""
    with style(dark=True):
        dark = looks(ACTIVATIONS)
    with style():
        light = looks(ACTIVATIONS)
    assert light == ACTIVATIONS
    assert all(dark[name].color != light[name].color for name in ACTIVATIONS)


def test_colors_fit_a_dark_style_of_the_caller():
    """The ground decides, not who made it dark."""
    with style(dark=True):
        expected = looks(["relu"])
    with plt.style.context("dark_background"):
        assert looks(["relu"]) == expected
