"""Files of MXNet's Gluon model zoo: by places as since 1.3, and by kinds and numbers as before."""

import struct

import torch
import torchvision

from .published_resnets import strides_first, with_bias
from .torch_support import answer, enliven

SUFFIXES = {"weight": "weight", "bias": "bias", "running_mean": "running_mean", "running_var": "running_var"}
NORMS = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_var"}


def variables(module):
    """Tensors with Gluon's names of variables."""
    names = NORMS if isinstance(module, torch.nn.BatchNorm2d) else SUFFIXES
    return [(names[k], v) for k, v in module.state_dict().items() if k in names]


def write(path, tensors):
    out = struct.pack("<QQQ", 0x112, 0, len(tensors))
    for _, tensor in tensors:
        shape = tuple(tensor.shape)
        out += struct.pack("<IiI", 0xF993FAC9, 0, len(shape)) + struct.pack(f"<{len(shape)}q", *shape)
        out += struct.pack("<iii", 1, 0, 0) + tensor.contiguous().numpy().astype("<f4").tobytes()
    out += struct.pack("<Q", len(tensors))
    for name, _ in tensors:
        out += struct.pack("<Q", len(name)) + name.encode()
    path.write_bytes(out)
    return path


def files(folder, prefix, modules):
    """`modules`: (place, kind and number, module) of each."""
    new = [(f"{place}.{k}", v) for place, _, module in modules for k, v in variables(module)]
    old = []
    for _, name, module in modules:
        for k, v in variables(module):
            old.append((f"{prefix}_{name}_{k}", v))
    return [write(folder / "new.params", new), write(folder / "old.params", old)]


def resnet(depth):
    def made(folder):
        model = strides_first(getattr(torchvision.models, f"resnet{depth}")(weights=None))
        for module in model.modules():
            if isinstance(module, torchvision.models.resnet.Bottleneck):
                module.conv1, module.conv3 = with_bias(module.conv1), with_bias(module.conv3)
        enliven(model)
        modules = [("features.0", "conv0", model.conv1), ("features.1", "batchnorm0", model.bn1)]
        for stage in range(4):
            number = 0
            for index, block in enumerate(getattr(model, f"layer{stage + 1}")):
                place = f"features.{stage + 4}.{index}"
                units = [(block.conv1, block.bn1), (block.conv2, block.bn2)]
                units += [(block.conv3, block.bn3)] if hasattr(block, "conv3") else []
                named = [(f"{place}.body.{3 * i}", f"{place}.body.{3 * i + 1}", *unit) for i, unit in enumerate(units)]
                if block.downsample is not None:
                    named.append((f"{place}.downsample.0", f"{place}.downsample.1", *block.downsample))
                for conv_place, norm_place, conv, norm in named:
                    modules.append((conv_place, f"stage{stage + 1}_conv{number}", conv))
                    modules.append((norm_place, f"stage{stage + 1}_batchnorm{number}", norm))
                    number += 1
        modules.append(("output", "dense0", model.fc))
        return *answer(model, 96), files(folder, "resnetv10", modules)

    return made


def vgg(kind):
    def made(folder):
        model = enliven(getattr(torchvision.models, kind)(weights=None))
        modules, convs, norms = [], 0, 0
        for place, module in enumerate(model.features):
            if isinstance(module, torch.nn.Conv2d):
                modules.append((f"features.{place}", f"conv{convs}", module))
                convs += 1
            elif isinstance(module, torch.nn.BatchNorm2d):
                modules.append((f"features.{place}", f"batchnorm{norms}", module))
                norms += 1
        count = len(model.features)
        places = [f"features.{count}", f"features.{count + 2}", "output"]
        linears = [m for m in model.classifier if isinstance(m, torch.nn.Linear)]
        modules += [(p, f"dense{i}", m) for i, (p, m) in enumerate(zip(places, linears))]
        return *answer(model, 224, 1), files(folder, "vgg0", modules)

    return made


def mobilenet(folder):
    widths = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]

    def unit(inputs, outputs, kernel, stride, groups):
        conv = torch.nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [conv, torch.nn.BatchNorm2d(outputs), torch.nn.ReLU()]

    layers = unit(3, 32, 3, 2, 1)
    for inputs, outputs, stride in zip(widths, widths[1:], strides):
        layers += unit(inputs, inputs, 3, stride, inputs) + unit(inputs, outputs, 1, 1, 1)
    last = torch.nn.Linear(1024, 1000)
    model = enliven(torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), last))
    modules = []
    for place, module in enumerate(layers):
        if place % 3 < 2:
            modules.append((f"features.{place}", f"{('conv', 'batchnorm')[place % 3]}{place // 3}", module))
    return *answer(model, 96), files(folder, "mobilenet0", modules + [("output", "dense0", last)])


def squeezenet(version):
    def made(folder):
        model = enliven(getattr(torchvision.models, f"squeezenet1_{version}")(weights=None))
        modules = []

        def add(place, conv):
            modules.append((place, f"conv{len(modules)}", conv))

        for place, module in enumerate(model.features):
            if isinstance(module, torch.nn.Conv2d):
                add(f"features.{place}", module)
            elif isinstance(module, torchvision.models.squeezenet.Fire):
                add(f"features.{place}.0.0", module.squeeze)
                add(f"features.{place}.1.0.0", module.expand1x1)
                add(f"features.{place}.1.1.0", module.expand3x3)
        add("output.0", model.classifier[1])
        return *answer(model, 97), files(folder, "squeezenet0", modules)

    return made


CASES = [
    *[(f"resnet{d}", f"MXNet Gluon resnet{d}_v1", resnet(d)) for d in (18, 34, 50, 101, 152)],
    ("vgg16", "MXNet Gluon vgg16", vgg("vgg16")), ("vgg11-bn", "MXNet Gluon vgg11_bn", vgg("vgg11_bn")),
    ("mobilenet-v1", "MXNet Gluon mobilenet1.0", mobilenet),
    ("squeezenet1_0", "MXNet Gluon squeezenet1.0", squeezenet(0)), ("squeezenet1_1", "MXNet Gluon squeezenet1.1", squeezenet(1)),
]
