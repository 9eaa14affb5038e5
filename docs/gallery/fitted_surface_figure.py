import numpy as np

import kerasteach as kt

x = np.random.default_rng(0).uniform(-1, 1, (300, 2))
y = x[:, 0] * x[:, 1]
result = kt.compare(("linear", "tanh"), data=(x, y), task="regression", hidden=(16,), epochs=40, learning_rate=0.2)
figure = kt.plotting.fitted_surface_figure(result)
