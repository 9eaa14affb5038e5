"""One training step of a model: forward pass, backpropagation and update, with every number."""
