#!/usr/bin/env python3
"""Compares Tarn with ONNX Runtime on files: each is run on random inputs by both.

usage: onnx_compare.py CHECKER FILE.onnx...      CHECKER: the built TarnONNXCheck; needs onnx, onnxruntime, numpy, safetensors
Weights that a file makes with ConstantOfShape, as ONNX's "light" networks do, are replaced by random ones: numbers that are all
alike would hide mistakes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

random = np.random.default_rng(1)


def with_weights(model):
    graph = model.graph
    shapes = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    kept = []
    variances = {n.input[4] for n in graph.node if n.op_type == "BatchNormalization"}
    for node in graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
            kept.append(node)
            continue
        shape = shapes[node.input[0]]
        fan = max(1, np.prod(shape[1:])) if len(shape) > 1 else 25
        values = random.standard_normal(shape) * np.sqrt(2 / fan)
        if node.output[0] in variances:
            values = 0.5 + abs(values)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
    del graph.node[:]
    graph.node.extend(kept)
    return model


worst = 0.0
for path in map(Path, sys.argv[2:]):
    model = with_weights(onnx.load(path))
    given = {i.name for i in model.graph.initializer}
    inputs = {
        i.name: random.uniform(0, 1, [d.dim_value or 1 for d in i.type.tensor_type.shape.dim]).astype(np.float32)
        for i in model.graph.input if i.name not in given}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        onnx.save(model, folder / "model.onnx")
        save_file(inputs, folder / "in.safetensors")
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs()]
        expected = dict(zip(names, session.run(names, inputs)))
        subprocess.run([sys.argv[1], "run", folder / "model.onnx", folder / "in.safetensors", folder / "out.safetensors"], check=True)
        found = load_file(folder / "out.safetensors")
    for name in names:
        error = abs(found[name] - expected[name]).max() / abs(expected[name]).max()
        spread = expected[name].std() / abs(expected[name]).max()
        print(f"{path.stem:22} {name:30} {error:.1e} of the largest; spread {spread:.2f}")
        worst = max(worst, error)
print(f"largest difference over largest output: {worst:.1e}")
sys.exit(not worst < 1e-4)
