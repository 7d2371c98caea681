"""Operations whose parameters' gradients are known row by row, by the name of their graph node.

Whatever is not listed, or declines, is left to per-sample Jacobians: slower, never wrong.
"""

from finitewidth.measure.kernel.operations.convolution import convolution
from finitewidth.measure.kernel.operations.elementwise import add, leading_axes, mul
from finitewidth.measure.kernel.operations.embedding import embedding
from finitewidth.measure.kernel.operations.linear import addmm, mm
from finitewidth.measure.kernel.operations.normalization import batch_norm, group_norm, layer_norm
from finitewidth.measure.kernel.operations.rows import Entry

OPERATIONS = {
    "AddmmBackward0": Entry(addmm, lambda use, parameter, axes: 1),
    "MmBackward0": Entry(mm, lambda use, parameter, axes: 1),
    "ConvolutionBackward0": Entry(convolution, lambda use, parameter, axes: 1),
    "NativeLayerNormBackward0": Entry(
        layer_norm, lambda use, parameter, axes: axes - parameter.dim()
    ),
    "NativeGroupNormBackward0": Entry(group_norm, lambda use, parameter, axes: 1),
    "NativeBatchNormBackward0": Entry(batch_norm, lambda use, parameter, axes: 1),
    "EmbeddingBackward0": Entry(embedding, lambda use, parameter, axes: axes - 1),
    "AddBackward0": Entry(add, lambda use, parameter, axes: leading_axes(parameter, axes)),
    "MulBackward0": Entry(mul, lambda use, parameter, axes: leading_axes(parameter, axes)),
}
