"""A small builder for ONNX graphs: names its values, keeps weights in half precision."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
END = np.iinfo(np.int64).max


class Graph:
    """Collects nodes; every method takes and returns names of values."""

    def __init__(self):
        self.nodes, self.initializers, self.constants = [], [], {}

    def add(self, op, inputs, **attributes):
        """A node with one output."""
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def named(self, name, x):
        """``x`` under a name that whoever reads the graph can look for."""
        self.nodes.append(helper.make_node("Identity", [x], [name]))
        return name

    def weight(self, tensor):
        """A trained tensor: stored as half precision, cast to single when the model is loaded."""
        name = f"weight_{len(self.initializers)}"
        array = tensor.detach().numpy().astype(np.float16)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return self.add("Cast", [name], to=TensorProto.FLOAT)

    def constant(self, value, dtype=np.float32):
        """A constant, shared where it is used again."""
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = f"constant_{len(self.constants)}"
            self.initializers.append(numpy_helper.from_array(array, self.constants[key]))
        return self.constants[key]

    def integers(self, *values):
        return self.constant(list(values), np.int64)

    def slice(self, x, start, end, axis):
        return self.add("Slice", [x, self.integers(start), self.integers(end), self.integers(axis)])

    def concat(self, values, axis):
        return self.add("Concat", values, axis=axis)

    def reshape(self, x, *shape):
        return self.add("Reshape", [x, self.integers(*shape)])

    def mul(self, a, b):
        return self.add("Mul", [a, b])

    def plus(self, a, b):
        return self.add("Add", [a, b])

    def matmul(self, x, weight):
        return self.add("MatMul", [x, weight])

    def linear(self, x, layer):
        """A torch ``Linear``."""
        return self.plus(self.matmul(x, self.weight(layer.weight.T)), self.weight(layer.bias))

    def silu(self, x):
        return self.mul(x, self.add("Sigmoid", [x]))

    def normalise(self, x, epsilon):
        """Root-mean-square normalisation over the last axis."""
        mean = self.add("ReduceMean", [self.mul(x, x)], axes=[-1], keepdims=1)
        return self.add("Div", [x, self.add("Sqrt", [self.plus(mean, self.constant(epsilon))])])

    def compand(self, x, exponent):
        magnitude = self.plus(self.add("Abs", [x]), self.constant(1e-12))
        return self.mul(self.add("Sign", [x]), self.add("Pow", [magnitude, self.constant(exponent)]))

    def model(self, name, inputs, outputs, renamed):
        """Closes the graph. ``inputs`` and ``outputs`` are ``(name, type, shape)``; ``renamed`` maps output to value."""
        self.nodes += [helper.make_node("Identity", [value], [output]) for output, value in renamed.items()]
        info = [[helper.make_tensor_value_info(*entry) for entry in entries] for entries in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, name, *info, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        return model
