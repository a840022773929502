"""The layers, under Keras' names. Constructor arguments and defaults are those of TensorFlow 1.10's `tf.layers`."""

from __future__ import annotations

from layernet.layers.activation import Activation
from layernet.layers.base import Layer
from layernet.layers.conv import Conv1D, Conv2D
from layernet.layers.dense import Dense
from layernet.layers.dropout import Dropout
from layernet.layers.embedding import Embedding
from layernet.layers.function import Lambda
from layernet.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from layernet.layers.input_spec import InputSpec
from layernet.layers.layer_normalization import LayerNormalization
from layernet.layers.masking import Masking
from layernet.layers.merging import Add, Average, Concatenate, Maximum, Multiply, Subtract
from layernet.layers.normalization import BatchNormalization
from layernet.layers.pooling import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from layernet.layers.rectifiers import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from layernet.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from layernet.layers.resizing import (
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)

__all__ = [
    "ELU",
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
    "Embedding",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "Subtract",
    "ThresholdedReLU",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]
