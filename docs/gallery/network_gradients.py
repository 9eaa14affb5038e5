import kerasteach as kt

data = kt.datasets.load("digits")
model = kt.models.mlp("tanh", (32,) * 4, inputs=64, outputs=10, seed=0)
model.compile("sgd", "sparse_categorical_crossentropy")
capture = kt.callbacks.GradientCapture()
model.fit(data.x_train, data.y_train, epochs=8, verbose=0, callbacks=[capture])
ax = kt.plotting.network_gradients(capture)
