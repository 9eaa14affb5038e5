import kerasteach as kt

result = kt.compare(("sigmoid", "tanh", "relu"), data="digits", hidden=(16,) * 5, seeds=3, epochs=12)
figure = kt.plotting.lecture_figure(result)
