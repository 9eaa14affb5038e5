"""The graphs of a training step: what is inside it, and the order of operations that a hook fixes."""

import gc

import numpy as np
import tensorflow as tf

import kerasteach as kt
from kerasteach.measure.hooks.graphs import after_reading, is_inside


def test_a_gradient_is_handed_on_after_its_readers():
    """The operations that read it, also in another shape, come first; what is handed on is the same tensor."""
    before = []

    @tf.function(autograph=False)
    def step(gradient):
        readers = [tf.reduce_sum(gradient).op, tf.reduce_max(tf.reshape(gradient, (-1,))).op]
        handed_on = after_reading(gradient)
        before.append({operation.name for operation in readers} <= {one.name for one in handed_on.op.control_inputs})
        return handed_on

    gradient = np.array([[1.0, -2.0]], "float32")
    np.testing.assert_array_equal(step(gradient), gradient)
    assert before == [True]


def test_a_function_is_inside_the_step_also_when_the_graph_around_it_is_gone():
    """Keras builds a model in a graph that TensorFlow may have collected before the step ends."""
    found = []

    def nested():
        with tf.__internal__.FuncGraph("around").as_default(), tf.__internal__.FuncGraph("inner").as_default():
            return tf.constant(1.0)

    @tf.function(autograph=False)
    def step():
        inner = nested()
        gc.collect()
        found.append((is_inside(inner), is_inside(elsewhere)))

    with tf.Graph().as_default(), tf.__internal__.FuncGraph("elsewhere").as_default():
        elsewhere = tf.constant(1.0)
        outer = elsewhere.graph.outer_graph
    step()
    assert outer is not None
    assert found == [(True, False)]


def test_weights_of_a_large_layer_are_those_of_a_plain_fit():
    """Over a million weights, whose gradient the update waits for, end as without a capture."""

    def trained(*callbacks):
        model = kt.models.mlp("tanh", (1025,), inputs=1024, outputs=3, seed=0)
        model.compile(kt.optimizers.PlainSGD(0.1), "sparse_categorical_crossentropy", jit_compile=False)
        x = np.random.default_rng(0).normal(size=(12, 1024)).astype("float32")
        model.fit(x, np.arange(12) % 3, batch_size=4, shuffle=False, verbose=0, callbacks=[*callbacks])
        return model.get_weights()

    capture = kt.callbacks.GradientCapture()
    for with_capture, without in zip(trained(capture), trained(), strict=True):
        np.testing.assert_allclose(with_capture, without, rtol=1e-6, atol=1e-7)
    assert capture.frame["size"].max() > 2**20
