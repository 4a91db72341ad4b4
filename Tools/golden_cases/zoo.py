"""Networks of torchvision: names and shapes, answers, and the gradients of one training step.

The weights are not stored. Each number follows from the tensor's name and its place by `numbers`, which
Tests/TarnModelsTests does as well.
"""

import json

import numpy as np
import torch
import torchvision
from torch.nn import functional as F

from .book import Book, single

# Our names: torchvision's.
NAMES = {
    "resnet18": "resnet18", "resnet34": "resnet34", "resnet50": "resnet50", "resnet101": "resnet101",
    "resnet152": "resnet152", "resnext50-32x4d": "resnext50_32x4d", "wide-resnet50-2": "wide_resnet50_2",
    "vgg11": "vgg11", "vgg11-bn": "vgg11_bn", "vgg13": "vgg13", "vgg13-bn": "vgg13_bn", "vgg16": "vgg16",
    "vgg16-bn": "vgg16_bn", "vgg19": "vgg19", "vgg19-bn": "vgg19_bn", "mobilenet-v2": "mobilenet_v2",
    "googlenet": "googlenet", "alexnet": "alexnet", "squeezenet1_0": "squeezenet1_0", "squeezenet1_1": "squeezenet1_1",
}
# Small enough to be made anew in every test run.
STEPS = ["resnet18", "resnet50", "resnext50-32x4d", "mobilenet-v2", "googlenet", "squeezenet1_0", "squeezenet1_1"]
CLASSES, BATCH, SIZE = 10, 4, 64


def network(name, **options):
    if name == "googlenet":
        options = {"aux_logits": True, "init_weights": True, **options}
    return getattr(torchvision.models, NAMES[name])(weights=None, **options)


def numbers(name, shape):
    """In [-1, 1), exact in float32, by a hash of the name (FNV-1a) and the place."""
    seed = np.uint64(2166136261)
    mask = np.uint64(0xFFFFFFFF)
    for byte in name.encode():
        seed = ((seed ^ np.uint64(byte)) * np.uint64(16777619)) & mask
    h = (np.arange(int(np.prod(shape)), dtype=np.uint64) + seed) & mask
    for factor, shift in ((0x9E3779B1, 15), (0x85EBCA77, 13), (0xC2B2AE3D, 16)):
        h = (h * np.uint64(factor)) & mask
        h ^= h >> np.uint64(shift)
    return torch.from_numpy((h >> np.uint64(8)).astype(np.float64) / 2.0**23 - 1).reshape(shape)


def value(name, shape):
    """What the tensor of this name is; float64 numbers that float32 holds."""
    u = numbers(name, shape)
    kind = name.split(".")[-1]
    if kind == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if len(shape) > 1:
        u = u * np.sqrt(6 / np.prod(shape[1:]))
    elif kind in ("weight", "running_var"):
        u = 1 + 0.2 * u
    else:
        u = 0.1 * u
    return u.to(torch.float32).to(torch.float64)


def without_dropout(model):
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def loss_of(outputs, labels):
    """Cross-entropy; that of auxiliary classifiers counts for 0.3."""
    if isinstance(outputs, tuple):
        return sum(w * F.cross_entropy(o, labels) for w, o in zip((1, 0.3, 0.3), outputs))
    return F.cross_entropy(outputs, labels)


def step(model, x, labels):
    """One training step: logits, loss, gradients by name."""
    model.train().zero_grad()
    outputs = model(x)
    loss = loss_of(outputs, labels)
    loss.backward()
    logits = outputs[0] if isinstance(outputs, tuple) else outputs
    return logits, loss, {k: p.grad for k, p in model.named_parameters()}


def examples():
    x = (2 * numbers("input", (BATCH, 3, SIZE, SIZE))).to(torch.float32).to(torch.float64)
    return x, torch.arange(BATCH) % CLASSES


def make():
    book = Book()
    for name in NAMES:
        with torch.device("meta"):
            options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
            state = network(name, **options)
        text = "\n".join(f"{k} {list(v.shape)}" for k, v in state.state_dict().items())
        book.case(f"names/{name}", f"{NAMES[name]}()")
        book.put(f"names/{name}", "text", np.frombuffer(text.encode(), np.uint8).astype(np.int64))
    for name in STEPS:
        model = without_dropout(network(name, num_classes=CLASSES).double())
        model.load_state_dict({k: value(k, tuple(v.shape)) for k, v in model.state_dict().items()})
        x, labels = examples()
        book.case(name, f"{NAMES[name]}(num_classes={CLASSES})")
        with torch.no_grad():
            book.put(name, "logits", single(model.eval()(x)))
        logits, loss, gradients = step(model, x, labels)
        book.put(name, "training_logits", single(logits))
        book.put(name, "loss", single(loss))
        book.put(name, "norms", single(torch.stack([g.norm() for g in gradients.values()])))
        sums = [(g * numbers("along " + k, tuple(g.shape))).sum() for k, g in gradients.items()]
        book.put(name, "products", single(torch.stack(sums)))
        buffers = [b.norm() for k, b in model.named_buffers() if b.is_floating_point()]
        if buffers:
            book.put(name, "buffers", single(torch.stack(buffers)))
    return book


def write_states(folder):
    """For each network a file of a state dictionary as torchvision starts it, and what it gives: too large to be kept."""
    folder.mkdir(parents=True, exist_ok=True)
    x, labels = examples()
    for name in NAMES:
        torch.manual_seed(0)
        model = without_dropout(network(name, num_classes=CLASSES)).double()
        # Running statistics that suit the weights, else the logits are next to nothing.
        norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        for module in norms:
            module.momentum = 1.0
        with torch.no_grad():
            model.train()(x)
            for tensor in model.state_dict().values():
                if tensor.is_floating_point():
                    tensor.copy_(single(tensor))
        for module in norms:
            module.momentum = 0.1
        tensors = {f"state.{k}": single(v).clone() for k, v in model.state_dict().items()}
        with torch.no_grad():
            tensors["logits"] = single(model.eval()(x))
        logits, loss, gradients = step(model, x, labels)
        tensors |= {"training_logits": single(logits), "loss": single(loss)}
        tensors |= {f"gradient.{k}": single(g) for k, g in gradients.items()}
        write_safetensors(folder / f"{name}.safetensors", tensors)
        print(f"{name}: {len(gradients)} parameters", flush=True)


def write_safetensors(path, tensors):
    """The length of a JSON header, the header, the bytes."""
    types = {torch.float32: "F32", torch.int64: "I64"}
    header, offset = {}, 0
    for name, tensor in tensors.items():
        end = offset + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": types[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().tobytes())
