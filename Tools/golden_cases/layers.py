"""Layers: parameters, input, output, and all gradients of one call in training mode."""

import torch
from torch import nn
from torchvision import ops
from torchvision.models.convnext import LayerNorm2d

from .book import Book, generator, normal, single, uniform

# Each: case, constructor, input shape.
LAYERS = [
    ("linear", "nn.Linear(5, 3)", (4, 5)),
    ("linear_nobias", "nn.Linear(5, 3, bias=False)", (4, 5)),
    ("linear_3d", "nn.Linear(5, 3)", (2, 4, 5)),
    ("conv1d", "nn.Conv1d(3, 4, 3)", (2, 3, 8)),
    ("conv1d_s2_p1_d2", "nn.Conv1d(3, 4, 3, stride=2, padding=1, dilation=2)", (2, 3, 9)),
    ("conv1d_p2_g2_nobias", "nn.Conv1d(4, 6, 5, padding=2, groups=2, bias=False)", (2, 4, 7)),
    ("conv2d", "nn.Conv2d(2, 3, 3)", (2, 2, 5, 6)),
    ("conv2d_nobias", "nn.Conv2d(2, 3, 3, bias=False)", (2, 2, 5, 5)),
    ("conv2d_1x1", "nn.Conv2d(4, 3, 1)", (2, 4, 4, 4)),
    ("conv2d_p1", "nn.Conv2d(2, 3, 3, padding=1)", (2, 2, 5, 5)),
    ("conv2d_s2_p1", "nn.Conv2d(2, 3, 3, stride=2, padding=1)", (2, 2, 6, 7)),
    ("conv2d_s2_p1_g2", "nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)", (2, 4, 6, 6)),
    ("conv2d_s1x2_p0x2_k3x5", "nn.Conv2d(2, 3, (3, 5), stride=(1, 2), padding=(0, 2))", (1, 2, 5, 8)),
    ("conv2d_d2_p2", "nn.Conv2d(2, 3, 3, dilation=2, padding=2)", (1, 2, 6, 6)),
    ("conv2d_s3_d2_p3", "nn.Conv2d(2, 2, 3, stride=3, dilation=2, padding=3)", (1, 2, 8, 8)),
    ("conv2d_depthwise_p1", "nn.Conv2d(4, 4, 3, padding=1, groups=4)", (2, 4, 5, 5)),
    ("conv2d_depthwise_s2_p2_k5", "nn.Conv2d(3, 6, 5, stride=2, padding=2, groups=3)", (1, 3, 7, 7)),
    ("convtranspose1d_s2", "nn.ConvTranspose1d(3, 2, 3, stride=2)", (2, 3, 5)),
    ("convtranspose2d", "nn.ConvTranspose2d(3, 2, 3)", (2, 3, 4, 4)),
    ("convtranspose2d_s2_p1_op1",
     "nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1)", (2, 3, 4, 4)),
    ("convtranspose2d_s2_p1_g2_nobias",
     "nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1, groups=2, bias=False)", (1, 4, 4, 4)),
    ("convtranspose2d_s2_d2_p1", "nn.ConvTranspose2d(2, 3, 3, stride=2, dilation=2, padding=1)", (1, 2, 4, 4)),
    ("batchnorm1d", "nn.BatchNorm1d(3)", (6, 3)),
    ("batchnorm1d_3d", "nn.BatchNorm1d(3)", (4, 3, 5)),
    ("batchnorm1d_eval", "nn.BatchNorm1d(3)", (6, 3)),
    ("batchnorm2d", "nn.BatchNorm2d(3)", (3, 3, 4, 3)),
    ("batchnorm2d_m03_eps1e3", "nn.BatchNorm2d(3, momentum=0.3, eps=1e-3)", (3, 3, 4, 3)),
    ("batchnorm2d_eval", "nn.BatchNorm2d(3)", (3, 3, 4, 3)),
    ("batchnorm2d_plain", "nn.BatchNorm2d(3, affine=False)", (3, 3, 4, 3)),
    ("layernorm_5", "nn.LayerNorm(5)", (4, 5)),
    ("layernorm_3x4_eps1e3", "nn.LayerNorm((3, 4), eps=1e-3)", (2, 3, 4)),
    ("layernorm_5_plain", "nn.LayerNorm(5, elementwise_affine=False)", (2, 3, 5)),
    ("groupnorm_2", "nn.GroupNorm(2, 6)", (2, 6, 3, 4)),
    ("groupnorm_1", "nn.GroupNorm(1, 4)", (2, 4, 5)),
    ("instancenorm2d", "nn.InstanceNorm2d(3, affine=True)", (2, 3, 4, 4)),
    ("embedding", "nn.Embedding(7, 4)", (2, 5)),
    ("localresponsenorm_3", "nn.LocalResponseNorm(3, alpha=0.5, k=2.0)", (2, 5, 2, 3)),
    ("localresponsenorm_4", "nn.LocalResponseNorm(4, alpha=0.5, beta=0.6)", (2, 5, 4)),
    ("layernorm2d_3_eps1e6", "LayerNorm2d(3, eps=1e-6)", (2, 3, 2, 3)),
    ("squeezeexcitation", "ops.SqueezeExcitation(4, 2)", (2, 4, 3, 2)),
    ("squeezeexcitation_hard",
     "ops.SqueezeExcitation(4, 2, activation=nn.SiLU, scale_activation=nn.Hardsigmoid)", (2, 4, 2, 2)),
]

POOLING = [
    ("maxpool1d_2", "nn.MaxPool1d(2)", (2, 3, 7)),
    ("maxpool2d_2", "nn.MaxPool2d(2)", (2, 3, 6, 7)),
    ("maxpool2d_3_s2_p1", "nn.MaxPool2d(3, stride=2, padding=1)", (2, 2, 7, 8)),
    ("maxpool2d_3_s2_ceil", "nn.MaxPool2d(3, stride=2, ceil_mode=True)", (2, 2, 6, 8)),
    ("maxpool2d_3_s2_p1_ceil", "nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)", (1, 2, 6, 7)),
    ("maxpool2d_2_d2", "nn.MaxPool2d(2, stride=1, dilation=2)", (1, 2, 5, 5)),
    ("avgpool1d_3_s2_p1", "nn.AvgPool1d(3, stride=2, padding=1)", (2, 3, 7)),
    ("avgpool2d_2", "nn.AvgPool2d(2)", (2, 3, 6, 7)),
    ("avgpool2d_3_s2_p1", "nn.AvgPool2d(3, stride=2, padding=1)", (2, 2, 7, 6)),
    ("avgpool2d_3_s2_p1_exclude",
     "nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)", (2, 2, 7, 6)),
    ("avgpool2d_3_s2_p1_ceil", "nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True)", (1, 2, 6, 6)),
    ("avgpool2d_3_s2_p1_ceil_exclude",
     "nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)", (1, 2, 6, 6)),
    ("adaptiveavgpool2d_3x2_even", "nn.AdaptiveAvgPool2d((3, 2))", (2, 2, 6, 8)),
    ("adaptiveavgpool2d_3x4_uneven", "nn.AdaptiveAvgPool2d((3, 4))", (2, 2, 7, 6)),
    ("adaptiveavgpool2d_5_up", "nn.AdaptiveAvgPool2d(5)", (1, 2, 3, 4)),
    ("globalavgpool2d", "nn.AdaptiveAvgPool2d(1)", (2, 3, 4, 5)),
    ("adaptivemaxpool2d_3x2_uneven", "nn.AdaptiveMaxPool2d((3, 2))", (2, 2, 7, 5)),
    ("upsample_nearest_x2", "nn.Upsample(scale_factor=2, mode='nearest')", (1, 2, 3, 4)),
    ("upsample_nearest_to7x5", "nn.Upsample(size=(7, 5), mode='nearest')", (1, 2, 3, 4)),
    ("upsample_bilinear_x2", "nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False)", (1, 2, 3, 4)),
    ("upsample_bilinear_x2_corners",
     "nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)", (1, 2, 3, 4)),
    ("upsample_bilinear_to5x3", "nn.Upsample(size=(5, 3), mode='bilinear', align_corners=False)", (1, 2, 3, 4)),
    ("upsample_bilinear_to5x3_corners",
     "nn.Upsample(size=(5, 3), mode='bilinear', align_corners=True)", (1, 2, 3, 4)),
]

ACTIVATIONS = [
    ("relu", "nn.ReLU()", (3, 7)),
    ("relu6", "nn.ReLU6()", (3, 7)),
    ("leakyrelu_001", "nn.LeakyReLU(0.01)", (3, 7)),
    ("leakyrelu_02", "nn.LeakyReLU(0.2)", (3, 7)),
    ("prelu", "nn.PReLU(3)", (2, 3, 4)),
    ("elu", "nn.ELU()", (3, 7)),
    ("elu_05", "nn.ELU(0.5)", (3, 7)),
    ("selu", "nn.SELU()", (3, 7)),
    ("gelu", "nn.GELU()", (3, 7)),
    ("gelu_tanh", "nn.GELU(approximate='tanh')", (3, 7)),
    ("silu", "nn.SiLU()", (3, 7)),
    ("mish", "nn.Mish()", (3, 7)),
    ("tanh", "nn.Tanh()", (3, 7)),
    ("sigmoid", "nn.Sigmoid()", (3, 7)),
    ("logsigmoid", "nn.LogSigmoid()", (3, 7)),
    ("softplus", "nn.Softplus()", (3, 7)),
    ("hardswish", "nn.Hardswish()", (3, 7)),
    ("hardsigmoid", "nn.Hardsigmoid()", (3, 7)),
    ("hardtanh", "nn.Hardtanh()", (3, 7)),
    ("softsign", "nn.Softsign()", (3, 7)),
    ("softmax", "nn.Softmax(dim=-1)", (3, 7)),
    ("softmax_axis1", "nn.Softmax(dim=1)", (2, 3, 4)),
    ("logsoftmax", "nn.LogSoftmax(dim=-1)", (3, 7)),
]

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)


def randomise(module, source):
    """Numbers of our own, so that no affine part is left at the identity."""
    normalises = isinstance(module, NORMALISATIONS)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            low, high = (0.5, 1.5) if normalises and name == "weight" else (-0.6, 0.6)
            parameter.copy_(uniform(parameter.shape, low, high, source))
        for name, buffer in module.named_buffers():
            if name == "running_mean":
                buffer.copy_(uniform(buffer.shape, -0.5, 0.5, source))
            if name == "running_var":
                buffer.copy_(uniform(buffer.shape, 0.5, 2, source))


def record(book, case, call, shape):
    source = generator(case)
    module = eval(call).double()
    module.train(not case.endswith("_eval"))
    randomise(module, source)
    if isinstance(module, nn.Embedding):
        x = torch.randint(0, module.num_embeddings, shape, generator=source)
    else:
        x = (normal(shape, source) * 1.5).float().double().requires_grad_()
    book.case(case, call + (".eval()" if not module.training else ""))
    for name, parameter in module.named_parameters():
        book.put(case, f"param.{name}", single(parameter))
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers() if "running" in name}
    for name, buffer in buffers.items():
        book.put(case, f"before.{name}", single(buffer))
    book.put(case, "input", single(x))
    y = module(x)
    g = normal(y.shape, source)
    y.backward(g)
    book.put(case, "output", single(y))
    book.put(case, "grad_output", single(g))
    if x.grad is not None:
        book.put(case, "grad_input", single(x.grad))
    for name, parameter in module.named_parameters():
        book.put(case, f"grad.{name}", single(parameter.grad))
    for name, buffer in module.named_buffers():
        if name in buffers:
            book.put(case, f"buffer.{name}", single(buffer))


def make(cases):
    book = Book()
    for case, call, shape in cases:
        record(book, case, call, shape)
    return book
