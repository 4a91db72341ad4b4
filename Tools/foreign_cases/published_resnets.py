"""torchvision's networks changed to those that others published."""

import torch
import torchvision


def strides_first(model):
    """Bottlenecks that make the picture smaller in their first convolution."""
    for module in model.modules():
        if isinstance(module, torchvision.models.resnet.Bottleneck):
            module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)
            module.conv2.padding = (1, 1)
    return model


def with_bias(conv):
    """The same convolution with a bias."""
    new = torch.nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)
    new.weight = conv.weight
    return new
