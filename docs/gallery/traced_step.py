import kerasteach as kt

model = kt.models.mlp("tanh", (3,), inputs=2, outputs=1, output_activation="sigmoid", seed=0)
model.compile("sgd", "binary_crossentropy")
trace = kt.trace_step(model, [[0.5, -1.0]], [[1.0]])
ax = kt.plotting.traced_step(trace)
