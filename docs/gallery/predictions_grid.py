import kerasteach as kt

data = kt.datasets.load("digits")
model = kt.models.mlp("relu", (32,) * 2, inputs=64, outputs=10, seed=0)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(data.x_train, data.y_train, epochs=4, verbose=0)
predicted = model.predict(data.x_test, verbose=0).argmax(axis=1)
images = data.x_test * data.scale + data.shift
ax = kt.plotting.predictions_grid(images, data.y_test, predicted)
