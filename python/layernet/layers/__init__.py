"""The layers, under Keras' names. Constructor arguments and defaults are those of TensorFlow 1.10's `tf.layers`."""

from __future__ import annotations

from layernet.layers.activation import Activation
from layernet.layers.base import Layer
from layernet.layers.conv import Conv1D, Conv2D
from layernet.layers.dense import Dense
from layernet.layers.dropout import Dropout
from layernet.layers.input_spec import InputSpec
from layernet.layers.merging import Add, Average, Concatenate, Maximum, Multiply, Subtract
from layernet.layers.normalization import BatchNormalization
from layernet.layers.pooling import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from layernet.layers.reshaping import Flatten, Reshape

__all__ = [
    "Activation",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "InputSpec",
    "Layer",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Multiply",
    "Reshape",
    "Subtract",
]
