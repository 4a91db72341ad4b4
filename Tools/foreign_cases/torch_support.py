"""Random weights of networks in PyTorch, and their logits."""

import numpy as np
import torch


def enliven(model, seed=0):
    """Numbers of its own for normalisations and biases, and whatever starts as zeros or ones."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            kind = key.split(".")[-1]
            if not tensor.is_floating_point():
                continue
            if kind == "running_var" or (kind in ("weight", "gamma", "layer_scale_parameter") and tensor.ndim == 1):
                tensor.copy_(0.2 + torch.rand(tensor.shape, generator=generator))
            elif kind in ("bias", "running_mean") or not tensor.any():
                tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
    return model.eval()


def answer(model, side, count=2):
    """An input and what the network makes of it."""
    x = torch.randn((count, 3, side, side), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        y = model(x)
    logits = getattr(y, "logits", y)
    return x.numpy(), np.ascontiguousarray(logits.numpy(), np.float32)
