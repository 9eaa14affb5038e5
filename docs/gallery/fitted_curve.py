import kerasteach as kt

data = kt.datasets.load("line")
result = kt.compare(("linear", "relu"), data="line", hidden=(8,), seeds=3, epochs=20)
ax = kt.plotting.fitted_curve(result, data.x_train, data.y_train)
