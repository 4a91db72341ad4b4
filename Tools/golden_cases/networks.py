"""Networks that torchvision does not have, in PyTorch, with the names and shapes of their published weights."""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth


class LeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x).relu(), 2)
        x = F.max_pool2d(self.conv2(x).relu(), 2).flatten(1)
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


class CIFARBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.missing = stride, outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        half = self.missing // 2
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.missing - half))
        return (y + shortcut).relu()


class CIFARResNet(nn.Module):
    def __init__(self, depth, num_classes=10):
        super().__init__()
        count = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self.blocks(16, 16, count)
        self.layer2 = self.blocks(16, 32, count)
        self.layer3 = self.blocks(32, 64, count)
        self.linear = nn.Linear(64, num_classes)

    @staticmethod
    def blocks(inputs, outputs, count):
        first = CIFARBlock(inputs, outputs, 2 if inputs < outputs else 1)
        return nn.Sequential(first, *(CIFARBlock(outputs, outputs, 1) for _ in range(count - 1)))

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.linear(x.mean((2, 3)))


def rounded(channels):
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


PAIRS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]


class MobileNetV1(nn.Module):
    def __init__(self, width=1.0, num_classes=1000):
        super().__init__()
        inputs = rounded(32 * width)
        layers = [nn.Sequential(nn.Conv2d(3, inputs, 3, 2, 1, bias=False), nn.BatchNorm2d(inputs), nn.ReLU())]
        for channels, stride in PAIRS:
            outputs = rounded(channels * width)
            layers.append(nn.Sequential(
                nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False), nn.BatchNorm2d(inputs), nn.ReLU(),
                nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()))
            inputs = outputs
        self.model = nn.Sequential(*layers)
        self.fc = nn.Linear(inputs, num_classes)

    def forward(self, x):
        return self.fc(self.model(x).mean((2, 3)))


class SameConv2d(nn.Conv2d):
    """Padded as TensorFlow's `same`."""

    def forward(self, x):
        margins = []
        for axis in (1, 0):
            length, kernel, stride = x.shape[axis + 2], self.kernel_size[axis], self.stride[axis]
            total = max(0, (math.ceil(length / stride) - 1) * stride + kernel - length)
            margins += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, margins), self.weight, self.bias, self.stride, 0, 1, self.groups)


class LiteBlock(nn.Module):
    def __init__(self, inputs, outputs, expansion, kernel, stride, drop):
        super().__init__()
        inside = inputs * expansion
        self.expands = expansion > 1
        if self.expands:
            self._expand_conv = SameConv2d(inputs, inside, 1, bias=False)
            self._bn0 = lite_norm(inside)
        self._depthwise_conv = SameConv2d(inside, inside, kernel, stride, groups=inside, bias=False)
        self._bn1 = lite_norm(inside)
        self._project_conv = SameConv2d(inside, outputs, 1, bias=False)
        self._bn2 = lite_norm(outputs)
        self.drop = StochasticDepth(drop, "row") if stride == 1 and inputs == outputs else None

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        return self.drop(y) + x if self.drop else y


def lite_norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


LITE = [(1.0, 1.0, 0.2), (1.0, 1.1, 0.2), (1.1, 1.2, 0.3), (1.2, 1.4, 0.3), (1.4, 1.8, 0.3)]
STAGES = [(1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3),
          (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1)]


class EfficientNetLite(nn.Module):
    def __init__(self, number, num_classes=1000):
        super().__init__()
        width, depth, dropout = LITE[number]
        self._conv_stem = SameConv2d(3, 32, 3, 2, bias=False)
        self._bn0 = lite_norm(32)
        counts = [n if i in (0, 6) else math.ceil(n * depth) for i, (*_, n) in enumerate(STAGES)]
        blocks = []
        for i, ((expansion, kernel, stride, inputs, outputs, _), count) in enumerate(zip(STAGES, counts)):
            inputs, outputs = 32 if i == 0 else rounded(inputs * width), rounded(outputs * width)
            for _ in range(count):
                blocks.append(LiteBlock(inputs, outputs, expansion, kernel, stride, 0.2 * len(blocks) / sum(counts)))
                inputs, stride = outputs, 1
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SameConv2d(outputs, 1280, 1, bias=False)
        self._bn1 = lite_norm(1280)
        self._dropout = nn.Dropout(dropout)
        self._fc = nn.Linear(1280, num_classes)

    def forward(self, x):
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return self._fc(self._dropout(F.relu6(self._bn1(self._conv_head(x))).mean((2, 3))))


OURS = {"lenet": LeNet}
OURS |= {f"cifar-resnet{n}": (lambda n: lambda **o: CIFARResNet(n, **o))(n) for n in (20, 32, 44, 56, 110)}
OURS |= {
    "mobilenet-v1" + ("" if w == 1 else f"-{w}"): (lambda w: lambda **o: MobileNetV1(w, **o))(w)
    for w in (1, 0.75, 0.5, 0.25)
}
OURS |= {f"efficientnet-lite{n}": (lambda n: lambda **o: EfficientNetLite(n, **o))(n) for n in range(5)}
