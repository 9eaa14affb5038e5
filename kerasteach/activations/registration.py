"""Registration of the course's functions with Keras, which runs as soon as Keras is imported."""

import keras

from kerasteach.activations.functions import COURSE

for _properties in COURSE.values():
    keras.saving.register_keras_serializable(package="kerasteach")(_properties.function)
