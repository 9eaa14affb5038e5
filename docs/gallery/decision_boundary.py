import kerasteach as kt

data = kt.datasets.load("moons")
result = kt.compare("tanh", data="moons", hidden=(8, 8), seeds=2, epochs=20, learning_rate=0.5)
ax = kt.plotting.decision_boundary(result, data.x_train, data.y_train)
