"""Networks of torchvision: names and shapes, answers, and the gradients of one training step.

The weights are not stored. Each number follows from the tensor's name and its place by `numbers`, which
Tests/TarnModelsTests does as well.
"""

import json

import numpy as np
import torch
import torchvision
from torch.nn import functional as F

from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.densenet import DenseNet
from torchvision.models.vision_transformer import VisionTransformer
from torchvision.ops import StochasticDepth

from .book import Book, single
from .networks import OURS

# torchvision's networks; ours have - for _ where they have not always been called otherwise.
TORCHVISION = """
resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d wide_resnet50_2
wide_resnet101_2 vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn alexnet googlenet inception_v3 squeezenet1_0
squeezenet1_1 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large efficientnet_b0 efficientnet_b1 efficientnet_b2
efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7 densenet121 densenet161 densenet169
densenet201 convnext_tiny convnext_small convnext_base convnext_large vit_b_16 vit_b_32 vit_l_16 vit_l_32
""".split()
NAMES = {name if name.startswith("squeezenet") else name.replace("_", "-"): name for name in TORCHVISION}
# Small enough to be made anew in every test run; those of whole families in a small size.
SMALL = {
    "densenet-small": "DenseNet(growth_rate=8, block_config=(2, 3, 2, 2), num_init_features=16, num_classes=10)",
    "convnext-small-sized":
        "ConvNeXt([CNBlockConfig(16, 24, 2), CNBlockConfig(24, None, 2)], num_classes=10)",
    "vit-small":
        "VisionTransformer(64, 16, num_layers=2, num_heads=4, hidden_dim=48, mlp_dim=96, num_classes=10)",
}
STEPS = ["resnet18", "resnet50", "resnext50-32x4d", "mobilenet-v2", "googlenet", "squeezenet1_0", "squeezenet1_1",
         "mobilenet-v3-small", "efficientnet-b0", "inception-v3", "cifar-resnet20", "mobilenet-v1-0.25",
         "efficientnet-lite0", *SMALL]
CLASSES, BATCH, SIZE = 10, 4, 64
# Those that need more pixels.
SIZES = {"inception-v3": 80}


def network(name, **options):
    if name in SMALL:
        return eval(SMALL[name])
    if name in OURS:
        return OURS[name](**options)
    if name in ("googlenet", "inception-v3"):
        options = {"aux_logits": True, "init_weights": True, **options}
    return getattr(torchvision.models, NAMES[name])(weights=None, **options)


def called(name):
    """What made it, for the list of cases."""
    return SMALL.get(name) or (f"networks.OURS[{name!r}]" if name in OURS else NAMES[name]) + f"(num_classes={CLASSES})"


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
        if isinstance(module, (torch.nn.Dropout, StochasticDepth)):
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


def examples(size=SIZE, batch=BATCH):
    x = (2 * numbers("input", (batch, 3, size, size))).to(torch.float32).to(torch.float64)
    return x, torch.arange(batch) % CLASSES


def make():
    book = Book()
    for name in [*NAMES, *OURS]:
        with torch.device("meta"):
            options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
            options |= {"init_weights": False} if name == "inception-v3" else {}
            state = network(name, **options)
        text = "\n".join(f"{k} {list(v.shape)}" for k, v in state.state_dict().items())
        book.case(f"names/{name}", f"{NAMES.get(name, name)}()")
        book.put(f"names/{name}", "text", np.frombuffer(text.encode(), np.uint8))
    for name in STEPS:
        # The classifier on the way wants 17×17 features, as only large pictures give; the check of whole states has it.
        options = {"aux_logits": False} if name == "inception-v3" else {}
        model = without_dropout(network(name, num_classes=CLASSES, **options).double())
        model.load_state_dict({k: value(k, tuple(v.shape)) for k, v in model.state_dict().items()})
        x, labels = examples(SIZES.get(name, SIZE))
        book.case(name, called(name))
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


# Pictures of those that do not take 64×64.
PICTURES = {"inception-v3": (299, 2), "lenet": (28, 4)}


def pictures(name):
    size, batch = PICTURES.get(name, (224, 2) if name.startswith("vit") else (32, 4) if name.startswith("cifar") else (64, 4))
    x, labels = examples(size, batch)
    return (x[:, :1] if name == "lenet" else x), labels


def enliven(model):
    """Numbers of its own wherever a network starts with ones, zeros or next to nothing; and all of it as float32 holds it."""
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            kind = key.split(".")[-1]
            if kind == "running_var" or (kind == "weight" and tensor.ndim == 1):
                tensor.mul_(1 + 0.2 * (2 * torch.rand_like(tensor) - 1))
            elif kind == "layer_scale" or not tensor.any():
                tensor.copy_(0.1 * torch.randn_like(tensor))
            tensor.copy_(single(tensor))


def settle(model, x):
    """Running statistics that suit the weights, else the logits of networks with normalisation everywhere are next to nothing.

    Where rounding then grows too much, as in deep residual networks on noise, all stays as it was.
    """
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 1.0
    with torch.no_grad():
        model.train()(x)
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(single(tensor))
        exact = model.eval()(x)
        rough = model.float()(x.float()).double()
        model.double()
    for module, momentum in zip(norms, momenta):
        module.momentum = momentum
    if (exact - rough).norm() > 1e-5 * exact.norm():
        model.load_state_dict(before)


def write_state(folder, name, state=None):
    """A network as PyTorch starts it, or with `state`, in every format it writes, and what it gives: too large to be kept."""
    folder.mkdir(parents=True, exist_ok=True)
    x, labels = pictures(name)
    torch.manual_seed(0)
    model = without_dropout(network(name)).double()
    if state is None:
        enliven(model)
        settle(model, x)
    else:
        model.load_state_dict(state)
    tensors = {k: single(v).clone() for k, v in model.state_dict().items()}
    write_safetensors(folder / f"{name}.safetensors", tensors)
    torch.save(tensors, folder / f"{name}.pth")
    torch.save(tensors, folder / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)
    expected = {"input": single(x)}
    with torch.no_grad():
        expected["logits"] = single(model.eval()(x))
    logits, loss, gradients = step(model, x, labels)
    expected |= {"training_logits": single(logits), "loss": single(loss)}
    expected |= {f"gradient.{k}": single(g) for k, g in gradients.items()}
    write_safetensors(folder / f"{name}.expected.safetensors", expected)


def remove_state(folder, name):
    for ending in ("safetensors", "pth", "legacy.pth", "expected.safetensors"):
        (folder / f"{name}.{ending}").unlink(missing_ok=True)


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
