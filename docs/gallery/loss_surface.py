import kerasteach as kt

data = kt.datasets.load("iris")
model = kt.models.mlp("tanh", (8,), inputs=4, outputs=3, seed=0)
model.compile("sgd", "sparse_categorical_crossentropy")
snapshots = kt.callbacks.WeightSnapshots()
model.fit(data.x_train, data.y_train, epochs=30, verbose=0, callbacks=[snapshots])
surface = kt.loss_surface(model, data.x_train, data.y_train, trajectory=snapshots, verbose=0)
ax = kt.plotting.loss_surface(surface)
