"""The layers, under Keras' names. Constructor arguments and defaults are those of TensorFlow 1.10's `tf.layers`."""

from __future__ import annotations

from layernet.layers.activation import Activation
from layernet.layers.base import Layer
from layernet.layers.conv import Conv1D, Conv2D, Conv3D
from layernet.layers.conv_transpose import Conv2DTranspose, Conv3DTranspose
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
from layernet.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
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
from layernet.layers.separable import DepthwiseConv2D, SeparableConv1D, SeparableConv2D

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "DepthwiseConv2D",
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
    "MaxPooling3D",
    "Maximum",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
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
