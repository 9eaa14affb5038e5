import kerasteach as kt

rates = {"learning_rate": [0.001, 0.1]}
result = kt.compare("relu", vary=rates, data="iris", hidden=(8, 8), seeds=1, epochs=20, statistics=["update_ratio"])
figure = kt.plotting.update_ratios_figure(result)
