import kerasteach as kt

table = kt.activations.table(["sigmoid", "tanh", "relu"])
ax = kt.plotting.activation_curves(table, "derivative")
