import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

import kerasteach as kt

IMAGES = np.arange(4 * 64).reshape(4, 8, 8)
TRUE = [0, 1, 2, 0]
SHARES = np.array([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.05, 0.05, 0.9]])  # the last two are wrong


def texts(ax):
    """Return what stands below the images."""
    return [text.get_text() for text in ax.texts]


def test_wrong_ones_come_first_with_a_frame_and_a_cross():
    """The surest error leads; below it stands also the image's own class."""
    ax = kt.plotting.predictions_grid(IMAGES, TRUE, SHARES, labels=("cat", "dog", "owl"))
    assert texts(ax) == ["✗ owl 90 %\ntrue: cat", "✗ dog 70 %\ntrue: owl", "✓ cat 60 %", "✓ dog 80 %"]
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(frames) == 2
    np.testing.assert_array_equal(ax.images[0].get_array(), IMAGES[3])
    assert ax.get_title() == "2 of 4 images right\n4 images, the wrong ones first"


@pytest.mark.parametrize(("order", "first"), [("given", [0, 1, 2, 3]), ("unsure first", [0, 2, 1, 3])])
def test_the_order_can_be_chosen(order, first):
    """As given, or by how sure the network is."""
    ax = kt.plotting.predictions_grid(IMAGES, TRUE, SHARES, order=order)
    for image, number in zip(ax.images, first, strict=True):
        np.testing.assert_array_equal(image.get_array(), IMAGES[number])


@pytest.mark.parametrize(
    ("images", "shape"),
    [
        (IMAGES.reshape(4, 64), (8, 8)),
        (IMAGES[..., None], (8, 8)),
        (np.zeros((4, 28, 28)), (28, 28)),
        (np.full((4, 6, 9, 3), 255, "uint8"), (6, 9, 3)),
    ],
)
def test_forms_of_images(images, shape):
    """Flattened squares, one channel, and colors from 0 to 255, which are drawn from 0 to 1."""
    ax = kt.plotting.predictions_grid(images, TRUE, TRUE)
    assert ax.images[0].get_array().shape == shape
    assert ax.images[0].get_array().max() <= max(1, images.max() * (len(shape) == 2))


def test_a_few_pixels_far_out_do_not_make_the_others_black():
    """As a standardized image has them where a pixel is nearly always 0; the gray values of others are all used."""
    images = np.linspace(-1, 1, 300 * 64).reshape(300, 8, 8)
    labels = [0] * 300
    assert kt.plotting.predictions_grid(images, labels, labels).images[0].get_clim() == (-1, 1)
    images[0, 0, 0] = 40
    low, high = kt.plotting.predictions_grid(images, labels, labels).images[0].get_clim()
    assert -1 < low < -0.9
    assert 0.9 < high < 1.1


@pytest.mark.parametrize("style", ["lecture", "paper"])
def test_texts_do_not_overlap(style):
    """Long names make fewer columns."""
    names = [f"a long name {number}" for number in range(3)]
    with kt.plotting.style(style):
        ax = kt.plotting.predictions_grid(np.tile(IMAGES, (3, 1, 1)), TRUE * 3, np.tile(SHARES, (3, 1)), names)
        ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((4, 7))}, "`images` must be"),
        ({"images": IMAGES[:3]}, "`images` must have an image for each"),
        ({"order": "best"}, "`order` must be one of"),
        ({"order": "unsure first", "y_pred": TRUE}, "needs probabilities"),
        ({"most": 0}, "`most` must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    """The error names the argument."""
    given = {"images": IMAGES, "y_true": TRUE, "y_pred": SHARES, **arguments}
    with pytest.raises(ValueError, match=message):
        kt.plotting.predictions_grid(**given)


def test_names_have_14_points_on_a_slide():
    """Below eight images in a row, and below one image, whose figure is no higher than the slide."""
    numbers = np.arange(24) % 3
    for count in (24, 1):
        with kt.plotting.style("lecture"):
            ax = kt.plotting.predictions_grid(
                np.zeros((count, 8, 8)), numbers[:count], numbers[:count] // 2, list("abc")
            )
            figure = ax.get_figure()
            larger = min(np.array((13.33, 7.5)) / figure.get_size_inches())
            assert min(text.get_fontsize() for text in ax.texts) * larger >= 14
