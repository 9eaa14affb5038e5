"""How to read each figure of a run: sentences for the speaker's notes."""

from __future__ import annotations

# By the names of `kerasteach.plotting.run_figures.FIGURES`.
HOW_TO_READ = {
    "lecture": "On top: the training loss, the test score, and the gradient by layer. Below: the gradient of each "
    "network by layer and epoch, as colors on one scale. Look first at the top right, then at the loss: a network "
    "whose gradient falls towards the input learns late or not at all.",
    "learning_curves": "Horizontal: epochs trained. Vertical: the loss on the training data, lower is better. A curve "
    "that stays flat does not learn. A band goes from the lowest to the highest seed.",
    "test_scores": "Horizontal: epochs trained. Vertical: the score on examples that were not trained with. A gap to "
    "the training score is overfitting. A band goes from the lowest to the highest seed.",
    "score_distribution": "Each point is one seed, after the last epoch. A thin line joins the networks of one seed, "
    "which began with the same initial weights where their shapes agree. Where the points of two networks overlap, one "
    "run would not have shown which is better.",
    "gradient_flow": "Horizontal: the layers, from the input (left) to the output (right). Vertical: the norm of the "
    "gradient, on a logarithmic scale: each line of the grid is a power of ten. A line that falls to the left has "
    "vanished: the first layers hardly learn. Flat is healthy.",
    "gradient_heat_map": "Horizontal: epochs trained. Vertical: the layers, the output on top. Colors: the norm of the "
    "gradient, on a logarithmic scale. One color from top to bottom is healthy; a dark lower part has vanished.",
    "network_gradients": "Each network is drawn from the input (left) to the output. The width of an arrow shows the "
    "gradient that flows back through it.",
    "update_ratios": "Vertical: how far one step moves a kernel, divided by the size of the kernel. About 0.001 is "
    "usual; the shaded range is 0.0001 to 0.1. Above it the learning rate is too large, below it too small.",
    "gradient_histograms": "Left: how the magnitudes of all gradient entries are spread, for an early, a middle and a "
    "late epoch. Right: the same over time, a panel a layer. A mountain far to the left has vanished.",
    "activation_statistics": "Vertical: the layers, the output on top. A dead unit puts out 0 for every example and "
    "learns nothing. An output near a limit is saturated: the derivative is small there.",
    "activation_histograms": "How the magnitudes of the outputs of each layer are spread. Outputs that shrink from "
    "layer to layer leave the last ones nothing to work with.",
    "confusion_matrix": "Rows: the true class. Columns: the predicted class. The diagonal is right. A dark field off "
    "the diagonal is a pair of classes that the network confuses.",
    "decision_boundary": "Colors: the class that the network finds most probable at each place of the plane. Points: "
    "the examples. The boundary is where the color changes.",
    "fitted_surface": "Colors: the value that the network predicts at each place of the plane. Points: the "
    "examples, in the same colors. A point that stands out is predicted badly.",
    "fitted_curve": "Lines: the value that each network predicts. Points: the examples. Between and beyond the points "
    "nothing but the network's own shape decides.",
}
