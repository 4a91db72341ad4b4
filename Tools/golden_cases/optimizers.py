"""Optimizers: parameters after each of 20 steps along gradients that are given."""

import torch
from torch import optim

from .book import Book, generator, normal, single

STEPS = 20
SHAPES = {"p0": (4, 3), "p1": (4,), "p2": (2, 4)}

CASES = [
    ("sgd", "optim.SGD(p, lr=0.1)"),
    ("sgd_momentum", "optim.SGD(p, lr=0.1, momentum=0.9)"),
    ("sgd_momentum_dampening", "optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5)"),
    ("sgd_nesterov", "optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)"),
    ("sgd_decay", "optim.SGD(p, lr=0.1, weight_decay=0.05)"),
    ("sgd_momentum_decay", "optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05)"),
    ("adagrad", "optim.Adagrad(p, lr=0.1)"),
    ("adagrad_lrdecay_start", "optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5)"),
    ("adadelta", "optim.Adadelta(p)"),
    ("adadelta_rho095", "optim.Adadelta(p, lr=0.5, rho=0.95, weight_decay=0.05)"),
    ("rmsprop", "optim.RMSprop(p, lr=0.01)"),
    ("rmsprop_momentum", "optim.RMSprop(p, lr=0.01, momentum=0.9)"),
    ("rmsprop_centered", "optim.RMSprop(p, lr=0.01, centered=True)"),
    ("rmsprop_centered_momentum_decay",
     "optim.RMSprop(p, lr=0.01, alpha=0.9, centered=True, momentum=0.9, weight_decay=0.05)"),
    ("adam", "optim.Adam(p, lr=0.01)"),
    ("adam_decay", "optim.Adam(p, lr=0.01, weight_decay=0.05)"),
    ("adam_betas", "optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6)"),
    ("adam_amsgrad", "optim.Adam(p, lr=0.01, amsgrad=True)"),
    ("adamw", "optim.AdamW(p, lr=0.01)"),
    ("adamw_decay01", "optim.AdamW(p, lr=0.01, weight_decay=0.1)"),
]


def points():
    """Where the parameters start, and the gradients of f(z) = Σ (a z² / 2 + b z⁴ / 4) at 20 fixed points z."""
    start, gradients = {}, {}
    for name, shape in SHAPES.items():
        source = generator("optimizers " + name)
        start[name] = normal(shape, source)
        a, b = normal(shape, source).abs() + 0.1, normal(shape, source).abs()
        z = normal((STEPS, *shape), source)
        gradients[name] = (a * z + b * z**3).float().double()
    return start, gradients


def record(book, case, call, start, gradients, before_step=lambda p: None):
    p = [value.clone().requires_grad_() for value in start.values()]
    optimizer = eval(call, {"optim": optim, "p": p})
    trace = {name: [] for name in SHAPES}
    for step in range(STEPS):
        for parameter, name in zip(p, SHAPES):
            parameter.grad = gradients[name][step].clone()
        before_step(p)
        optimizer.step()
        for parameter, name in zip(p, SHAPES):
            trace[name].append(single(parameter).clone())
    book.case(case, call)
    for name in SHAPES:
        book.put(case, name, torch.stack(trace[name]))


def clipping(book, start, gradients):
    norm = lambda p: torch.nn.utils.clip_grad_norm_(p, 2.0)
    value = lambda p: torch.nn.utils.clip_grad_value_(p, 0.5)
    record(book, "sgd_clipnorm2", "optim.SGD(p, lr=0.1)", start, gradients, norm)
    record(book, "sgd_clipvalue05", "optim.SGD(p, lr=0.1)", start, gradients, value)
    book.calls["sgd_clipnorm2"] += " after clip_grad_norm_(p, 2)"
    book.calls["sgd_clipvalue05"] += " after clip_grad_value_(p, 0.5)"
    p = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES.values()]
    for name, clip in (("clipnorm2", norm), ("clipvalue05", value)):
        for parameter, key in zip(p, SHAPES):
            parameter.grad = gradients[key][0].clone()
        total = clip(p)
        book.case(name, "the gradients of step 0, clipped")
        for parameter, key in zip(p, SHAPES):
            book.put(name, key, single(parameter.grad))
        if total is not None:
            book.put(name, "norm", single(total))


def quadratic(x):
    """½ xᵀ A x − bᵀ x with A = tridiagonal(−1, 4, −1) + diag(0 … 4), b = (1, 2, 3, 4, 5)."""
    matrix = torch.diag(torch.arange(4.0, 9.0, dtype=torch.float64))
    matrix += torch.diag(-torch.ones(4, dtype=torch.float64), 1)
    matrix += torch.diag(-torch.ones(4, dtype=torch.float64), -1)
    return x @ matrix @ x / 2 - torch.arange(1.0, 6.0, dtype=torch.float64) @ x


def rosenbrock(x):
    """(1 − x)² + 100 (y − x²)²."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


LBFGS = [
    ("lbfgs_quadratic", "quadratic", "lr=1"),
    ("lbfgs_quadratic_lr01_h3", "quadratic", "lr=0.1, history_size=3"),
    ("lbfgs_quadratic_wolfe", "quadratic", "lr=1, line_search_fn='strong_wolfe'"),
    ("lbfgs_rosenbrock_wolfe", "rosenbrock", "lr=1, line_search_fn='strong_wolfe'"),
]


def lbfgs(book):
    """Row k of the trace: where k + 1 iterations lead from the start, in one call of `step`."""
    functions = {
        "quadratic": (quadratic, [2.0, -1, 0.5, 3, -2]),
        "rosenbrock": (rosenbrock, [-1.2, 1.0]),
    }
    for case, name, options in LBFGS:
        function, start = functions[name]
        trace, values = [], []
        for iterations in range(1, STEPS + 1):
            x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
            call = f"optim.LBFGS([x], {options}, max_iter={iterations}, max_eval=1000)"
            optimizer = eval(call, {"optim": optim, "x": x})

            def closure():
                optimizer.zero_grad()
                value = function(x)
                value.backward()
                return value

            optimizer.step(closure)
            trace.append(x.detach().clone())
            values.append(function(x).item())
        book.case(case, f"optim.LBFGS([x], {options}, max_iter=k, max_eval=1000) on the {name}")
        book.put(case, "start", start, "float64")
        book.put(case, "x", torch.stack(trace))
        book.put(case, "value", values, "float64")


def make():
    book = Book()
    start, gradients = points()
    book.case("start", "the parameters before the first step")
    book.case("gradient", "the gradient of each step")
    for name in SHAPES:
        book.put("start", name, single(start[name]))
        book.put("gradient", name, single(gradients[name]))
    for case, call in CASES:
        record(book, case, call, start, gradients)
    clipping(book, start, gradients)
    lbfgs(book)
    return book
