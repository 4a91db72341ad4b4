#!/usr/bin/env python3
"""Makes Tests/Goldens/onnx.safetensors: small ONNX models with inputs and what ONNX Runtime makes of them.

usage: onnx_cases.py [OUTPUT]      needs onnx, onnxruntime, numpy and safetensors
Of each case the file holds NAME/model (bytes), NAME/in/X and NAME/out/Y.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from safetensors.numpy import save_file

random = np.random.default_rng(7)
tensors = {}


def floats(*shape):
    return random.standard_normal(shape).astype(np.float32)


def model(nodes, inputs, outputs, initializers=None, opset=17, functions=()):
    graph = helper.make_graph(
        nodes, "case",
        [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()],
        [helper.make_empty_tensor_value_info(n) for n in outputs],
        [onnx.numpy_helper.from_array(a, n) for n, a in (initializers or {}).items()])
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(f.domain, 1) for f in functions]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, functions=list(functions))


def case(name, nodes, inputs, outputs=("y",), initializers=None, opset=17, functions=()):
    made = model(nodes, inputs, outputs, initializers, opset, functions).SerializeToString()
    results = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"]).run(list(outputs), inputs)
    tensors[f"{name}/model"] = np.frombuffer(made, dtype=np.uint8).copy()
    for key, value in inputs.items():
        tensors[f"{name}/in/{key}"] = np.array(value, order="C")
    for key, value in zip(outputs, results):
        tensors[f"{name}/out/{key}"] = np.array(value, order="C")


def one(name, kind, inputs, outputs=("y",), opset=17, initializers=None, **attributes):
    names = list(inputs) + list(initializers or {})
    case(name, [helper.make_node(kind, names, list(outputs), **attributes)], inputs, outputs, initializers, opset)


x = floats(2, 3, 5)
for kind in ["Abs", "Exp", "Erf", "Softplus", "Softsign", "HardSwish", "Selu", "Elu", "Round", "Sinh", "Asinh"]:
    one(kind.lower(), kind, {"x": x})
one("celu", "Celu", {"x": x}, alpha=2.0)
one("gelu-tanh", "Gelu", {"x": x}, opset=20, approximate="tanh")
one("add-stretched", "Add", {"a": floats(3, 1, 4), "b": floats(2, 1)})
one("div-integers", "Div", {"a": np.array([7, -7, 9], np.int32), "b": np.array([2, 2, -4], np.int32)})
one("mod-fmod", "Mod", {"a": floats(4), "b": floats(4)}, fmod=1)
one("clip-old", "Clip", {"x": x}, opset=9, min=-0.5, max=0.5)
one("softmax-old", "Softmax", {"x": x}, opset=11, axis=1)
one("softmax", "Softmax", {"x": x}, axis=1)
one("reduce-l2", "ReduceL2", {"x": x}, axes=[0, 2], keepdims=0)
one("reduce-logsumexp-18", "ReduceLogSumExp", {"x": x}, opset=18, initializers={"axes": np.array([-1])})
one("argmax-last", "ArgMax", {"x": np.array([[1, 3, 3], [2, 2, 1]], np.float32)}, axis=1, select_last_index=1)
one("cumsum", "CumSum", {"x": x}, initializers={"axis": np.array(1)}, exclusive=1, reverse=1)
one("slice-back", "Slice", {"x": x}, initializers={
    "starts": np.array([4, 0]), "ends": np.array([-100, 2]), "axes": np.array([2, 0]), "steps": np.array([-2, 1])})
one("pad-reflect", "Pad", {"x": x}, initializers={"pads": np.array([0, 1, 2, 0, 0, 1])}, mode="reflect")
one("pad-edge", "Pad", {"x": x}, initializers={"pads": np.array([1, 0, 2, 0, 3, 0])}, mode="edge")
one("gather-elements", "GatherElements", {"x": x, "i": random.integers(-3, 3, (2, 3, 5))}, axis=1)
one("gather-nd", "GatherND", {"x": x, "i": np.array([[[1, 0]], [[0, -1]]])}, batch_dims=0)
one("scatter-nd-max", "ScatterND", {"x": x, "i": np.array([[0], [1], [0]]), "u": floats(3, 3, 5)}, opset=18, reduction="max")
one("scatter-elements", "ScatterElements", {"x": x, "i": np.array([[[0, 1, 2, 1, 0]]]), "u": floats(1, 1, 5)}, axis=1)
one("onehot", "OneHot", {"i": np.array([0, 2, -1])}, initializers={"d": np.array(4), "v": np.array([-1, 3], np.float32)}, axis=0)
one("topk-smallest", "TopK", {"x": x}, ("y", "i"), initializers={"k": np.array([2])}, axis=2, largest=0)
one("unique", "Unique", {"x": np.array([2, 1, 1, 3, 2], np.float32)}, ("y", "first", "inverse", "counts"))
one("depth-to-space", "DepthToSpace", {"x": floats(1, 8, 2, 3)}, blocksize=2, mode="CRD")
one("trilu", "Trilu", {"x": floats(2, 4, 4)}, initializers={"k": np.array(-1)}, upper=0)
one("einsum", "Einsum", {"a": floats(2, 3, 4), "b": floats(2, 4, 5)}, equation="bij,bjk->bik")
one("gemm", "Gemm", {"a": floats(4, 3), "b": floats(5, 4), "c": floats(5)}, transA=1, transB=1, alpha=0.5, beta=2.0)
one("matmul-batch", "MatMul", {"a": floats(2, 1, 3, 4), "b": floats(3, 4, 2)})
image = floats(2, 4, 7, 6)
one("conv-same", "Conv", {"x": image}, initializers={"w": floats(6, 2, 3, 3), "b": floats(6)}, group=2, auto_pad="SAME_UPPER", strides=[2, 2])
one("conv-1d", "Conv", {"x": floats(2, 3, 9)}, initializers={"w": floats(4, 3, 3)}, dilations=[2], pads=[1, 2])
one("conv-3d", "Conv", {"x": floats(1, 2, 4, 5, 4)}, initializers={"w": floats(3, 2, 2, 3, 2)}, strides=[2, 1, 1], pads=[1, 1, 0, 0, 1, 1])
one("conv-transpose", "ConvTranspose", {"x": image}, initializers={"w": floats(4, 3, 3, 3)}, strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0])
one("maxpool-ceil", "MaxPool", {"x": image}, ("y", "i"), kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1, pads=[1, 0, 1, 1])
one("averagepool", "AveragePool", {"x": image}, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
one("averagepool-pad", "AveragePool", {"x": image}, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
one("batchnorm", "BatchNormalization", {"x": image}, initializers={
    "s": floats(4), "b": floats(4), "m": floats(4), "v": abs(floats(4)) + 0.5})
one("instancenorm", "InstanceNormalization", {"x": image}, initializers={"s": floats(4), "b": floats(4)})
one("layernorm", "LayerNormalization", {"x": image}, initializers={"s": floats(7, 6), "b": floats(7, 6)}, axis=2)
one("lrn", "LRN", {"x": image}, size=3, alpha=0.01, bias=1.5)
one("resize-linear", "Resize", {"x": image}, initializers={
    "roi": np.zeros(0, np.float32), "s": np.array([1, 1, 1.7, 0.6], np.float32)}, mode="linear")
one("resize-cubic", "Resize", {"x": image}, initializers={
    "roi": np.zeros(0, np.float32), "e": np.zeros(0, np.float32), "s": np.array([2, 4, 9, 11])},
    mode="cubic", coordinate_transformation_mode="align_corners")
one("resize-nearest", "Resize", {"x": image}, initializers={
    "roi": np.zeros(0, np.float32), "s": np.array([1, 1, 2, 3], np.float32)}, mode="nearest",
    coordinate_transformation_mode="asymmetric", nearest_mode="floor")
one("gridsample", "GridSample", {"x": image, "g": floats(2, 3, 3, 2) * 0.7}, padding_mode="reflection", align_corners=1)
one("roialign", "RoiAlign", {"x": image, "r": np.array([[0, 0, 4, 5], [1, 2, 5, 4]], np.float32), "b": np.array([0, 1])},
    output_height=2, output_width=3, sampling_ratio=2)
boxes = np.sort(random.uniform(0, 1, (1, 8, 2, 2)), axis=2).reshape(1, 8, 4).astype(np.float32)
one("nms", "NonMaxSuppression", {"b": boxes, "s": random.uniform(0, 1, (1, 2, 8)).astype(np.float32)}, initializers={
    "m": np.array([3]), "o": np.array([0.2], np.float32), "t": np.array([0.1], np.float32)})
seq = floats(4, 2, 3)
lengths = np.array([4, 2], np.int32)
for direction, ways in [("forward", 1), ("bidirectional", 2)]:
    one(f"lstm-{direction}", "LSTM", {"x": seq}, ("y", "h", "c"), initializers={
        "w": floats(ways, 20, 3), "r": floats(ways, 20, 5), "b": floats(ways, 40)}, hidden_size=5, direction=direction)
case("lstm-peepholes", [helper.make_node("LSTM", ["x", "w", "r", "b", "n", "h0", "c0", "p"], ["y", "h", "c"], hidden_size=5, clip=0.8)],
     {"x": seq}, ("y", "h", "c"), {"w": floats(1, 20, 3), "r": floats(1, 20, 5), "b": floats(1, 40), "n": lengths,
                                   "h0": floats(1, 2, 5), "c0": floats(1, 2, 5), "p": floats(1, 15)})
for before in (0, 1):
    one(f"gru-{before}", "GRU", {"x": seq}, ("y", "h"), initializers={
        "w": floats(1, 15, 3), "r": floats(1, 15, 5), "b": floats(1, 30), "n": lengths}, hidden_size=5,
        linear_before_reset=before, direction="reverse")
one("rnn-relu", "RNN", {"x": seq}, ("y", "h"), initializers={"w": floats(1, 5, 3), "r": floats(1, 5, 5)}, hidden_size=5,
    activations=["Relu"])
scale, zero = np.array(0.05, np.float32), np.array(120, np.uint8)
one("quantize", "QuantizeLinear", {"x": x}, initializers={"s": scale, "z": zero})
one("dequantize-axis", "DequantizeLinear", {"x": random.integers(0, 255, (2, 3)).astype(np.uint8)}, initializers={
    "s": np.array([0.1, 0.2, 0.3], np.float32), "z": np.array([3, 4, 5], np.uint8)}, axis=1)
one("qlinearconv", "QLinearConv", {"x": random.integers(0, 255, (1, 2, 5, 5)).astype(np.uint8)}, initializers={
    "xs": scale, "xz": zero, "w": random.integers(-50, 50, (3, 2, 3, 3)).astype(np.int8),
    "ws": np.array([0.02, 0.03, 0.01], np.float32), "wz": np.zeros(3, np.int8), "ys": np.array(0.2, np.float32),
    "yz": zero, "b": random.integers(-99, 99, 3).astype(np.int32)}, pads=[1, 1, 1, 1])
one("softmax-loss", "SoftmaxCrossEntropyLoss", {"x": floats(4, 5), "l": np.array([1, 0, 4, 2])}, ("y", "p"),
    initializers={"w": abs(floats(5))}, ignore_index=0)
one("dft", "DFT", {"x": floats(2, 6, 1)}, onesided=1)

shapes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Gather", ["s", "zero"], ["n"]),
          helper.make_node("Unsqueeze", ["n", "zeros"], ["n1"]), helper.make_node("Concat", ["n1", "rest"], ["t"], axis=0),
          helper.make_node("Reshape", ["x", "t"], ["y"])]
case("shape-arithmetic", shapes, {"x": floats(2, 3, 4)}, ("y",), {
    "zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1, 2])})
loop = helper.make_graph(
    [helper.make_node("Add", ["v", "x"], ["w"]), helper.make_node("Identity", ["c"], ["d"]),
     helper.make_node("Mul", ["w", "w"], ["z"])], "body",
    [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("c", TensorProto.BOOL, []),
     helper.make_tensor_value_info("v", TensorProto.FLOAT, [2])],
    [helper.make_tensor_value_info("d", TensorProto.BOOL, []), helper.make_tensor_value_info("w", TensorProto.FLOAT, [2]),
     helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])])
case("loop", [helper.make_node("Loop", ["n", "", "v0"], ["v", "all"], body=loop)], {"x": floats(2)}, ("v", "all"),
     {"n": np.array(3), "v0": np.zeros(2, np.float32)})
then = helper.make_graph([helper.make_node("Neg", ["x"], ["a"])], "then", [], [helper.make_tensor_value_info("a", TensorProto.FLOAT, None)])
other = helper.make_graph([helper.make_node("Exp", ["x"], ["a"])], "else", [], [helper.make_tensor_value_info("a", TensorProto.FLOAT, None)])
case("if", [helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
     {"x": floats(3), "c": np.array(False)})
swish = helper.make_function("tarn.test", "Swish", ["x"], ["y"], [
    helper.make_node("Constant", [], ["b"]), helper.make_node("Mul", ["x", "b"], ["t"]),
    helper.make_node("Sigmoid", ["t"], ["s"]), helper.make_node("Mul", ["x", "s"], ["y"])],
    [helper.make_opsetid("", 17)], ["beta"])
reference = onnx.AttributeProto(name="value_float", type=onnx.AttributeProto.FLOAT, ref_attr_name="beta")
swish.node[0].attribute.append(reference)
case("function", [helper.make_node("Swish", ["x"], ["y"], domain="tarn.test", beta=1.5)], {"x": x}, functions=[swish])

target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "Tests/Goldens/onnx.safetensors"
save_file(tensors, target)
print(f"{target}: {len({k.split('/')[0] for k in tensors})} cases, {target.stat().st_size} bytes")
