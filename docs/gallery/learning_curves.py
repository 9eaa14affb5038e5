import kerasteach as kt

result = kt.compare(("sigmoid", "tanh", "relu"), data="digits", hidden=(16,) * 5, seeds=3, epochs=12)
ax = kt.plotting.learning_curves(result, "val_accuracy", chance=0.1)
