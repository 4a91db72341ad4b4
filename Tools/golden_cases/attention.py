"""Attention with several heads: parameters, inputs, output, and all gradients of one call."""

import torch
from torch import nn

from .book import Book, generator, normal, single, uniform

BATCH, QUERIES, KEYS, WIDTH = 2, 4, 5, 6

# Each: case, constructor, what the mask is, whether keys and values are another sequence.
CASES = [
    ("mha", "nn.MultiheadAttention(6, 2, batch_first=True)", None, False),
    ("mha_nobias", "nn.MultiheadAttention(6, 3, bias=False, batch_first=True)", None, False),
    ("mha_placesfirst", "nn.MultiheadAttention(6, 2)", None, False),
    ("mha_causal", "nn.MultiheadAttention(6, 2, batch_first=True)", "causal", False),
    ("mha_added", "nn.MultiheadAttention(6, 2, batch_first=True)", "added", False),
    ("mha_cross_padding", "nn.MultiheadAttention(6, 2, batch_first=True)", "padding", True),
    ("mha_cross_widths", "nn.MultiheadAttention(6, 2, kdim=3, vdim=4, batch_first=True)", None, True),
]


def masks(kind, book, case, source):
    """Arguments of the call. Ours: true where a key may be looked at."""
    if kind == "causal":
        return {"attn_mask": torch.ones(QUERIES, QUERIES, dtype=torch.bool).triu(1)}
    if kind == "added":
        mask = normal((QUERIES, QUERIES), source)
        book.put(case, "mask", single(mask))
        return {"attn_mask": mask}
    if kind == "padding":
        hidden = torch.tensor([[False] * 3 + [True] * 2, [False] * 5])
        book.put(case, "mask", (~hidden).reshape(BATCH, 1, 1, KEYS).numpy())
        return {"key_padding_mask": hidden}
    return {}


def record(book, case, call, kind, crosses):
    source = generator(case)
    module = eval(call).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(uniform(parameter.shape, -0.6, 0.6, source))

    def sequence(places, width):
        shape = (BATCH, places, width) if module.batch_first else (places, BATCH, width)
        return normal(shape, source).requires_grad_()

    query = sequence(QUERIES, WIDTH)
    others = [sequence(KEYS, module.kdim), sequence(KEYS, module.vdim)] if crosses else []
    key, value = others if crosses else (query, query)
    book.case(case, call + (f" {kind}" if kind else ""))
    y, _ = module(query, key, value, need_weights=False, **masks(kind, book, case, source))
    g = normal(y.shape, source)
    y.backward(g)
    book.put(case, "output", single(y))
    book.put(case, "grad_output", single(g))
    for name, tensor in zip(("query", "key", "value"), [query, *others]):
        book.put(case, name, single(tensor))
        book.put(case, f"grad_{name}", single(tensor.grad))
    for name, parameter in module.named_parameters():
        book.put(case, f"param.{name}", single(parameter))
        book.put(case, f"grad.{name}", single(parameter.grad))


def make():
    book = Book()
    for case in CASES:
        record(book, *case)
    return book
