"""Tensor operations in float64: results, first derivatives, special values.

A case is a name and an expression over its operands a, b, c.
"""

import torch

from .book import Book, generator, normal, uniform
from .op_cases import (
    BINARY, COMPARISONS, CONTRACTIONS, INDEXING, KINKS, LINEAR_ALGEBRA, MOVEMENT, REDUCTIONS, UNARY,
    UNARY_EDGES, BINARY_EDGES)

SCOPE = {"torch": torch, "F": torch.nn.functional, "inf": float("inf"), "pi": torch.pi}


def evaluate(call, operands):
    """The results of `call`, always as a list."""
    names = dict(zip("abc", operands))
    value = eval(call, SCOPE, names)
    return list(value) if isinstance(value, (tuple, list)) else [value]


def put_all(book, case, letter, tensors, prefix=""):
    """One tensor as `y`, several as `y0`, `y1`."""
    for i, tensor in enumerate(tensors):
        if tensor is not None:
            name = letter if len(tensors) == 1 and letter in "yu" else f"{letter}{i}"
            book.put(case, prefix + name, tensor)


def record(book, name, call, operands, upstream=True, prefix=""):
    """Operands, results and gradients; the upstream gradient is of ones where `upstream` is false."""
    case = f"op/{name}"
    if not prefix:
        book.case(case, call)
    leaves = [
        x.clone().requires_grad_() if x.is_floating_point() else x for x in operands
    ]
    results = evaluate(call, leaves)
    put_all(book, case, "x", operands, prefix)
    put_all(book, case, "y", results, prefix)
    differentiable = [y for y in results if y.requires_grad]
    if not differentiable:
        return
    source = generator("upstream " + name)
    above = [
        None if not y.requires_grad else normal(y.shape, source) if upstream else torch.ones_like(y)
        for y in results
    ]
    if upstream:
        put_all(book, case, "u", above, prefix)
    floating = [x for x in leaves if x.requires_grad]
    gradients = torch.autograd.grad(
        differentiable, floating, [u for u in above if u is not None], allow_unused=True)
    found = iter(gradients)
    put_all(book, case, "g", [next(found) if x.requires_grad else None for x in leaves], prefix)


def values_only(book, name, call, operands):
    case = f"op/{name}"
    if case not in book.calls:
        book.case(case, call)
    put_all(book, case, "x", operands, "edge.")
    put_all(book, case, "y", evaluate(call, operands), "edge.")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def operand(description, source):
    """From a shape (normal numbers), a pair (shape, kind), or a tensor."""
    if isinstance(description, torch.Tensor):
        return description
    if isinstance(description, list):
        return torch.tensor(description)
    if isinstance(description[-1], str):
        shape, kind = description
        return MAKERS[kind](shape, source)
    return normal(description, source)


def positive_definite(shape, source):
    a = normal(shape, source)
    return a @ a.mT + shape[-1] * torch.eye(shape[-1], dtype=torch.float64)


def well_conditioned(shape, source):
    return normal(shape, source) + 3 * torch.eye(shape[-2], shape[-1], dtype=torch.float64)


MAKERS = {
    "positive": lambda shape, source: uniform(shape, 0.3, 2.5, source),
    "spd": positive_definite,
    "square": well_conditioned,
    "lower": lambda shape, source: torch.tril(well_conditioned(shape, source)),
    "upper": lambda shape, source: torch.triu(well_conditioned(shape, source)),
    "bool": lambda shape, source: torch.rand(shape, generator=source) > 0.5,
}


def elementwise():
    book = Book()
    for name, call, points in UNARY:
        record(book, name, call, [double(points)], upstream=False)
    tabulate(book, BINARY)
    for name, call, operands in KINKS:
        record(book, name, call, [double(x) for x in operands], upstream=False, prefix="kink.")
    for name, call, points in UNARY_EDGES:
        values_only(book, name, call, [double(points)])
    for name, call, operands in BINARY_EDGES + COMPARISONS:
        values_only(book, name, call, [x if isinstance(x, torch.Tensor) else double(x) for x in operands])
    return book


def tabulate(book, cases):
    for name, call, operands in cases:
        source = generator(name)
        record(book, name, call, [operand(x, source) for x in operands])
    return book


def reductions():
    return tabulate(Book(), REDUCTIONS)


def movement():
    return tabulate(Book(), MOVEMENT + INDEXING)


def contractions():
    return tabulate(Book(), CONTRACTIONS + LINEAR_ALGEBRA)
