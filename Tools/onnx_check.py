#!/usr/bin/env python3
"""Checks models that `swift run TarnONNXCheck export FOLDER` wrote: onnx.checker, then ONNX Runtime's output.

usage: onnx_check.py FOLDER      needs onnx, onnxruntime, numpy and safetensors
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

worst = 0.0
for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    data = load_file(path.with_suffix(".safetensors"))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {"input": data["input"]})
    error = np.abs(output - data["output"]).max() / np.abs(data["output"]).max()
    note = ""
    if model.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        # Another number of examples: the first ones must come out as before.
        more = np.concatenate([data["input"], data["input"][:1]])
        (longer,) = session.run(None, {"input": more})
        error = max(error, np.abs(longer[: len(output)] - output).max() / np.abs(output).max())
        note = ", any batch"
    kinds = sorted({node.op_type for node in model.graph.node})
    print(f"{path.stem:14} {error:.1e}{note}: {len(model.graph.node)} nodes, {' '.join(kinds)}")
    worst = max(worst, error)
print(f"largest difference over largest output: {worst:.1e}")
sys.exit(worst > 1e-4)
