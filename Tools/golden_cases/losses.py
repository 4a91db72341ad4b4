"""Losses: value and gradient for every reduction."""

import warnings

import torch
from torch import nn
from torch.nn import functional as F

from .book import Book, generator, normal, single, uniform


def binary_hinge(x, t, reduction):
    """max(0, 1 - t x), t in {-1, 1}."""
    value = (1 - t * x).clamp(min=0)
    return {"mean": value.mean, "sum": value.sum, "none": lambda: value}[reduction]()


def record(book, case, call, x, extras, loss, reductions=("mean", "sum", "none")):
    """`extras`: what else the loss is given, by name; `loss(x, reduction)` its value."""
    book.case(case, call)
    book.put(case, "input", single(x))
    for name, tensor in extras.items():
        book.put(case, name, single(tensor))
    for reduction in reductions:
        leaf = x.clone().requires_grad_()
        value = loss(leaf, reduction)
        book.put(case, f"{reduction}.value", single(value))
        if value.dim() > 0:
            g = normal(value.shape, generator(case + reduction))
            book.put(case, f"{reduction}.grad_output", single(g))
        else:
            g = torch.ones((), dtype=torch.float64)
        value.backward(g)
        book.put(case, f"{reduction}.grad_input", single(leaf.grad))


def regression(book):
    makers = [
        ("l1", "nn.L1Loss", {}),
        ("mse", "nn.MSELoss", {}),
        ("huber_1", "nn.HuberLoss", {"delta": 1.0}),
        ("huber_05", "nn.HuberLoss", {"delta": 0.5}),
        ("smoothl1_1", "nn.SmoothL1Loss", {"beta": 1.0}),
        ("smoothl1_05", "nn.SmoothL1Loss", {"beta": 0.5}),
    ]
    for case, name, options in makers:
        source = generator(case)
        x, t = normal((4, 5), source), normal((4, 5), source)
        call = f"{name}({', '.join(f'{k}={v}' for k, v in options.items())})"
        record(
            book, case, call, x, {"target": t},
            lambda x, r, name=name, options=options, t=t: eval(name)(reduction=r, **options)(x, t))


def binary(book):
    source = generator("binary")
    p = uniform((4, 3), 0.02, 0.98, source)
    x = normal((4, 3), source) * 2
    x = x.float().double()
    t = (torch.rand((4, 3), generator=source) > 0.5).double()
    soft = uniform((4, 3), 0, 1, source)
    weight = uniform((3,), 0.5, 3, source)
    record(book, "bce", "nn.BCELoss()", p, {"target": t},
           lambda x, r: F.binary_cross_entropy(x, t, reduction=r))
    record(book, "bce_soft", "nn.BCELoss()", p, {"target": soft},
           lambda x, r: F.binary_cross_entropy(x, soft, reduction=r))
    record(book, "bcewithlogits", "nn.BCEWithLogitsLoss()", x, {"target": t},
           lambda x, r: F.binary_cross_entropy_with_logits(x, t, reduction=r))
    record(book, "bcewithlogits_posweight", "nn.BCEWithLogitsLoss(pos_weight=pos_weight)", x,
           {"target": t, "pos_weight": weight},
           lambda x, r: F.binary_cross_entropy_with_logits(x, t, pos_weight=weight, reduction=r))
    far = torch.tensor([[200.0, -200, 0], [-90, 90, 30]], dtype=torch.float64)
    ends = torch.tensor([[1.0, 0, 1], [1, 0, 0.5]], dtype=torch.float64)
    record(book, "bcewithlogits_far", "nn.BCEWithLogitsLoss()", far, {"target": ends},
           lambda x, r: F.binary_cross_entropy_with_logits(x, ends, reduction=r))


def classification(book):
    source = generator("classification")
    x = normal((5, 4), source) * 2
    x = x.float().double()
    t = torch.tensor([0, 3, 1, 1, 2])
    ignoring = torch.tensor([0, -100, 1, -100, 2])
    ignoring2 = torch.tensor([0, 2, 1, 1, 2])
    p = single(torch.softmax(normal((5, 4), source), -1)).double()
    weight = uniform((4,), 0.5, 2, source)
    image = normal((2, 3, 2, 3), source)
    image_t = torch.randint(0, 3, (2, 2, 3), generator=source)
    far = torch.tensor([[500.0, -500, 0], [1000, 1000, -1000]], dtype=torch.float64)
    cases = [
        ("crossentropy", x, t, {}),
        ("crossentropy_probabilities", x, p, {}),
        ("crossentropy_smooth01", x, t, {"label_smoothing": 0.1}),
        ("crossentropy_weight", x, t, {"weight": weight}),
        ("crossentropy_weight_smooth01", x, t, {"weight": weight, "label_smoothing": 0.1}),
        ("crossentropy_ignore", x, ignoring, {}),
        ("crossentropy_ignore_2", x, ignoring2, {"ignore_index": 2}),
        ("crossentropy_ignore_weight_smooth01", x, ignoring,
         {"weight": weight, "label_smoothing": 0.1}),
        ("crossentropy_image", image, image_t, {}),
        ("crossentropy_far", far, torch.tensor([0, 1]), {}),
    ]
    for case, x_, t_, options in cases:
        arguments = ", ".join(f"{k}={k if k == 'weight' else v}" for k, v in options.items())
        extras = {"target": t_}
        if "weight" in options:
            extras["weight"] = options["weight"]
        record(book, case, f"nn.CrossEntropyLoss({arguments})", x_, extras,
               lambda x, r, t_=t_, options=options: F.cross_entropy(x, t_, reduction=r, **options))
    log_p = single(torch.log_softmax(x, -1)).double()
    record(book, "nll", "nn.NLLLoss()", log_p, {"target": t},
           lambda x, r: F.nll_loss(x, t, reduction=r))
    record(book, "nll_weight", "nn.NLLLoss(weight=weight)", log_p, {"target": t, "weight": weight},
           lambda x, r: F.nll_loss(x, t, weight=weight, reduction=r))


def margins(book):
    source = generator("margins")
    x = normal((4, 3), source)
    sign = torch.sign(normal((4, 3), source))
    t = torch.tensor([2, 0, 1, 1])
    record(book, "softmargin", "nn.SoftMarginLoss()", x, {"target": sign},
           lambda x, r: F.soft_margin_loss(x, sign, reduction=r))
    record(book, "hinge", "max(0, 1 - target * input)", x, {"target": sign},
           lambda x, r: binary_hinge(x, sign, r))
    record(book, "multimargin", "nn.MultiMarginLoss(p=1, margin=1)", x, {"target": t},
           lambda x, r: F.multi_margin_loss(x, t, p=1, margin=1.0, reduction=r))
    warnings.filterwarnings("ignore", message="reduction: 'mean' divides")
    q = single(torch.softmax(normal((4, 3), source), -1)).double()
    log_p = single(torch.log_softmax(x, -1)).double()
    record(book, "kldiv", "nn.KLDivLoss()", log_p, {"target": q},
           lambda x, r: F.kl_div(x, q, reduction=r), ("batchmean", "mean", "sum", "none"))


def make():
    book = Book()
    regression(book)
    binary(book)
    classification(book)
    margins(book)
    return book
