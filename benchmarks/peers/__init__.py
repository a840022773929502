"""One module per library. Each offers, as far as the library can:

version()                        the library's version
inference(workload, x)           {variant: call}, where call() scores the rows x and returns the result
train(training, x, y)            {variant: call}, where call() makes one step and returns the loss before it
overheads()                      {what: (call, how many operations one call makes)}

Inputs are converted before the clock starts wherever the library lets its user keep them in its own form, so a peer
never pays for a conversion that a program written for it would not make.
"""

NAMES = ("layernet", "numpy", "litert", "onnxruntime", "openvino", "torch", "jax", "sklearn")
