"""Files of Caffe with the layers of the published prototxts: VGG by Simonyan, ResNet by He, SqueezeNet by Iandola, MobileNet by Yang."""

import torch
import torchvision

from .published_resnets import strides_first, with_bias
from .torch_support import answer, enliven


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, data):
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(tensor):
    shape = field(1, b"".join(varint(length) for length in tensor.shape))
    return field(7, field(5, tensor.detach().contiguous().numpy().astype("<f4").tobytes()) + field(7, shape))


def layer(name, kind, tensors):
    return field(100, field(1, name.encode()) + field(2, kind.encode()) + b"".join(map(blob, tensors)))


def parameters(module):
    return [module.weight] + ([module.bias] if module.bias is not None else [])


def norm(bn, name, scale):
    """BatchNorm, whose sums stand for three times what they are, and Scale."""
    factor = torch.tensor([3.0])
    return layer(name, "BatchNorm", [bn.running_mean * 3, bn.running_var * 3, factor]) + layer(scale, "Scale", [bn.weight, bn.bias])


def write(folder, layers):
    file = folder / "net.caffemodel"
    file.write_bytes(field(1, b"net") + layer("relu", "ReLU", []) + b"".join(layers))
    return [file]


def vgg(kind):
    def made(folder):
        model = enliven(getattr(torchvision.models, kind)(weights=None))
        names, block, number = [], 1, 1
        for module in model.features:
            if isinstance(module, torch.nn.Conv2d):
                names.append(f"conv{block}_{number}")
                number += 1
            elif isinstance(module, torch.nn.MaxPool2d):
                block, number = block + 1, 1
        convs = [m for m in model.features if isinstance(m, torch.nn.Conv2d)]
        linears = [m for m in model.classifier if isinstance(m, torch.nn.Linear)]
        layers = [layer(n, "Convolution", parameters(m)) for n, m in zip(names, convs)]
        layers += [layer(n, "InnerProduct", parameters(m)) for n, m in zip(("fc6", "fc7", "fc8"), linears)]
        return *answer(model, 224, 1), write(folder, layers)

    return made


def resnet(depth):
    def made(folder):
        model = strides_first(getattr(torchvision.models, f"resnet{depth}")(weights=None))
        if depth == 50:
            model.conv1 = with_bias(model.conv1)
        model.maxpool = torch.nn.MaxPool2d(3, stride=2, ceil_mode=True)
        enliven(model)
        layers = [layer("conv1", "Convolution", parameters(model.conv1)), norm(model.bn1, "bn_conv1", "scale_conv1")]
        for stage in range(4):
            blocks = getattr(model, f"layer{stage + 1}")
            for index, block in enumerate(blocks):
                plain = depth == 50 or stage in (0, 3)
                letter = "abcdef"[index] if plain else "a" if index == 0 else f"b{index}"
                name = f"{stage + 2}{letter}_branch"
                parts = [("2a", block.conv1, block.bn1), ("2b", block.conv2, block.bn2), ("2c", block.conv3, block.bn3)]
                if block.downsample is not None:
                    parts.append(("1", *block.downsample))
                for branch, conv, bn in parts:
                    layers += [layer(f"res{name}{branch}", "Convolution", parameters(conv))]
                    layers += [norm(bn, f"bn{name}{branch}", f"scale{name}{branch}")]
        layers += [layer("fc1000", "InnerProduct", parameters(model.fc))]
        return *answer(model, 96), write(folder, layers)

    return made


def squeezenet(version):
    def made(folder):
        model = enliven(getattr(torchvision.models, f"squeezenet1_{version}")(weights=None))
        layers = [layer("conv1", "Convolution", parameters(model.features[0]))]
        fires = [m for m in model.features if isinstance(m, torchvision.models.squeezenet.Fire)]
        for number, fire in enumerate(fires, 2):
            for kind, conv in (("squeeze1x1", fire.squeeze), ("expand1x1", fire.expand1x1), ("expand3x3", fire.expand3x3)):
                layers.append(layer(f"fire{number}/{kind}", "Convolution", parameters(conv)))
        layers.append(layer("conv10", "Convolution", parameters(model.classifier[1])))
        return *answer(model, 97), write(folder, layers)

    return made


def mobilenet(folder):
    names = ["2_1", "2_2", "3_1", "3_2", "4_1", "4_2", "5_1", "5_2", "5_3", "5_4", "5_5", "5_6", "6"]
    widths = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]

    def unit(name, inputs, outputs, kernel, stride, groups):
        conv = torch.nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        units.append((name, conv, torch.nn.BatchNorm2d(outputs)))
        return [*units[-1][1:], torch.nn.ReLU()]

    units = []
    modules = unit("conv1", 3, 32, 3, 2, 1)
    for name, inputs, outputs, stride in zip(names, widths, widths[1:], strides):
        modules += unit(f"conv{name}/dw", inputs, inputs, 3, stride, inputs)
        modules += unit(f"conv{name}/sep", inputs, outputs, 1, 1, 1)
    last = torch.nn.Conv2d(1024, 1000, 1)
    model = enliven(torch.nn.Sequential(*modules, torch.nn.AdaptiveAvgPool2d(1), last, torch.nn.Flatten()))
    layers = []
    for name, conv, bn in units:
        layers += [layer(name, "Convolution", parameters(conv)), norm(bn, f"{name}/bn", f"{name}/scale")]
    layers.append(layer("fc7", "Convolution", parameters(last)))
    return *answer(model, 96), write(folder, layers)


class GoogLeNet(torch.nn.Module):
    """`bvlc_googlenet` as its train_val.prototxt has it."""

    SIZES = {
        "3a": (192, 64, 96, 128, 16, 32, 32), "3b": (256, 128, 128, 192, 32, 96, 64), "4a": (480, 192, 96, 208, 16, 48, 64),
        "4b": (512, 160, 112, 224, 24, 64, 64), "4c": (512, 128, 128, 256, 24, 64, 64), "4d": (512, 112, 144, 288, 32, 64, 64),
        "4e": (528, 256, 160, 320, 32, 128, 128), "5a": (832, 256, 160, 320, 32, 128, 128), "5b": (832, 384, 192, 384, 48, 128, 128),
    }

    def __init__(self):
        super().__init__()
        conv = torch.nn.Conv2d
        self.layers = {"conv1/7x7_s2": conv(3, 64, 7, 2, 3), "conv2/3x3_reduce": conv(64, 64, 1), "conv2/3x3": conv(64, 192, 3, 1, 1)}
        for block, (i, a, b, c, d, e, f) in self.SIZES.items():
            kinds = {
                "1x1": conv(i, a, 1), "3x3_reduce": conv(i, b, 1), "3x3": conv(b, c, 3, 1, 1), "5x5_reduce": conv(i, d, 1),
                "5x5": conv(d, e, 5, 1, 2), "pool_proj": conv(i, f, 1),
            }
            self.layers |= {f"inception_{block}/{kind}": module for kind, module in kinds.items()}
        for number, width in ((1, 512), (2, 528)):
            linear = torch.nn.Linear
            self.layers |= {
                f"loss{number}/conv": conv(width, 128, 1), f"loss{number}/fc": linear(2048, 1024),
                f"loss{number}/classifier": linear(1024, 1000),
            }
        self.layers["loss3/classifier"] = torch.nn.Linear(1024, 1000)
        self.all = torch.nn.ModuleList(self.layers.values())

    def unit(self, name, x):
        return self.layers[name](x).relu()

    def block(self, name, x):
        def unit(kind, x):
            return self.unit(f"inception_{name}/{kind}", x)

        pooled = torch.nn.functional.max_pool2d(x, 3, 1, 1)
        parts = [unit("1x1", x), unit("3x3", unit("3x3_reduce", x)), unit("5x5", unit("5x5_reduce", x)), unit("pool_proj", pooled)]
        return torch.cat(parts, 1)

    def forward(self, x):
        def pool(x):
            return torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)

        def norm(x):
            return torch.nn.functional.local_response_norm(x, 5, 1e-4, 0.75, 1)

        x = norm(pool(self.unit("conv1/7x7_s2", x)))
        x = pool(norm(self.unit("conv2/3x3", self.unit("conv2/3x3_reduce", x))))
        for block in self.SIZES:
            x = self.block(block, pool(x) if block in ("4a", "5a") else x)
        return self.layers["loss3/classifier"](x.mean((2, 3)))


def googlenet(folder):
    model = enliven(GoogLeNet())
    kinds = {torch.nn.Conv2d: "Convolution", torch.nn.Linear: "InnerProduct"}
    layers = [layer(name, kinds[type(module)], parameters(module)) for name, module in model.layers.items()]
    return *answer(model, 224), write(folder, layers)


CASES = [
    ("vgg16", "Caffe VGG_ILSVRC_16_layers", vgg("vgg16")), ("vgg19", "Caffe VGG_ILSVRC_19_layers", vgg("vgg19")),
    *[(f"resnet{d}", f"Caffe ResNet-{d}", resnet(d)) for d in (50, 101, 152)],
    ("squeezenet1_0", "Caffe SqueezeNet 1.0", squeezenet(0)), ("squeezenet1_1", "Caffe SqueezeNet 1.1", squeezenet(1)),
    ("mobilenet-v1", "Caffe MobileNet-Caffe", mobilenet), ("googlenet", "Caffe bvlc_googlenet", googlenet),
]
