import kerasteach as kt

data = kt.datasets.load("digits")
model = kt.models.mlp("relu", (32,) * 3, inputs=64, outputs=10, seed=0)
model.compile("adam", "sparse_categorical_crossentropy")
capture = kt.callbacks.GradientCapture(statistics=["update_ratio"])
model.fit(data.x_train, data.y_train, epochs=8, verbose=0, callbacks=[capture])
ax = kt.plotting.update_ratios(capture)
