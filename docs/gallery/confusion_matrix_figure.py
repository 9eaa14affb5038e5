import kerasteach as kt

result = kt.compare(("tanh", "relu"), data="iris", hidden=(8, 8), seeds=3, epochs=20)
figure = kt.plotting.confusion_matrix_figure(result)
