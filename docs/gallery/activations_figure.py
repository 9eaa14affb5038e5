import kerasteach as kt

table = kt.activations.table()
figure = kt.plotting.activations_figure(table)
