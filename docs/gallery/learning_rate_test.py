import kerasteach as kt

data = kt.datasets.load("digits")
model = kt.models.mlp("relu", (32,) * 2, inputs=64, outputs=10, seed=0)
model.compile("sgd", "sparse_categorical_crossentropy")
test = kt.find_learning_rate(model, data.x_train, data.y_train, verbose=0)
ax = kt.plotting.learning_rate_test(test)
