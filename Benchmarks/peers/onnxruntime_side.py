"""ONNX Runtime, on networks that PyTorch exports."""

import os
import tempfile

from .definitions import INFERENCE, network_and_batch

PACKAGES = ["onnxruntime", "torch", "torchvision", "onnxscript"]
CONFIGS = {name: ["default"] for name in INFERENCE + ["cold-start"]}
FOLDER = os.path.join(tempfile.gettempdir(), "tarn-benchmarks")

COLD_START = """
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[1])
session = onnxruntime.InferenceSession(sys.argv[2], options, providers=["CPUExecutionProvider"])
x = numpy.ones((1, 3, 224, 224), "float32")
print(session.run(None, {session.get_inputs()[0].name: x})[0].argmax())
"""


def version():
    import onnxruntime

    return f"ONNX Runtime {onnxruntime.__version__}"


def path(workload):
    name, batch = network_and_batch("resnet18-infer-b1" if workload == "cold-start" else workload)
    return os.path.join(FOLDER, f"{name}-{batch}.onnx")


def prepare(workload):
    """Exports the network, in a process of its own: what is timed never has PyTorch in memory."""
    import torch
    import torchvision

    name, batch = network_and_batch("resnet18-infer-b1" if workload == "cold-start" else workload)
    os.makedirs(FOLDER, exist_ok=True)
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    model = getattr(torchvision.models, name)(weights=None, **options).eval()
    torch.onnx.export(model, (torch.randn(batch, 3, 224, 224),), path(workload), dynamo=True)


def is_prepared(workload):
    return os.path.exists(path(workload))


def command(workload, threads):
    # It reads the network where the others make it.
    return ["-c", COLD_START, str(threads), path(workload)] if workload == "cold-start" else None


def make(workload, _, threads):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path(workload), options, providers=["CPUExecutionProvider"])
    x = numpy.random.randn(network_and_batch(workload)[1], 3, 224, 224).astype("float32")
    feed = {session.get_inputs()[0].name: x}
    return (lambda: session.run(None, feed)), 1
