import kerasteach as kt

data = kt.datasets.load("moons")
result = kt.compare(("sigmoid", "tanh", "relu"), data="moons", hidden=(8, 8), seeds=2, epochs=20, learning_rate=0.5)
figure = kt.plotting.decision_boundary_figure(result, data.x_train, data.y_train)
