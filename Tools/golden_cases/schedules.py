"""Learning rates over 60 steps, and running averages of weights."""

import math
import warnings

import torch
from torch import optim
from torch.optim import swa_utils

from .book import Book, generator, normal, single

STEPS = 60

CASES = [
    ("step", "StepLR(o, step_size=10, gamma=0.5)"),
    ("multistep", "MultiStepLR(o, milestones=[15, 40, 50], gamma=0.1)"),
    ("exponential", "ExponentialLR(o, gamma=0.95)"),
    ("cosine", "CosineAnnealingLR(o, T_max=60)"),
    ("cosine_min", "CosineAnnealingLR(o, T_max=60, eta_min=0.01)"),
    ("warmup", "LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=12)"),
    ("constant_warmup", "ConstantLR(o, factor=0.25, total_iters=8)"),
    ("polynomial", "PolynomialLR(o, total_iters=50, power=2)"),
    ("onecycle_cos", "OneCycleLR(o, max_lr=0.5, total_steps=60)"),
    ("onecycle_linear", "OneCycleLR(o, max_lr=0.5, total_steps=60, anneal_strategy='linear')"),
    ("onecycle_threephase", "OneCycleLR(o, max_lr=0.5, total_steps=60, pct_start=0.25, div_factor=10,"
     " final_div_factor=100, three_phase=True)"),
    ("restarts", "CosineAnnealingWarmRestarts(o, T_0=10)"),
    ("restarts_mult2_min", "CosineAnnealingWarmRestarts(o, T_0=8, T_mult=2, eta_min=0.005)"),
    ("cyclic_triangular", "CyclicLR(o, base_lr=0.01, max_lr=0.1, step_size_up=10, cycle_momentum=False)"),
    ("warmup_then_cosine", "SequentialLR(o, [LinearLR(o, 0.1, total_iters=10),"
     " CosineAnnealingLR(o, T_max=50)], milestones=[10])"),
]

PLATEAUS = [
    ("plateau", "ReduceLROnPlateau(o, factor=0.5, patience=3)"),
    ("plateau_cooldown_abs", "ReduceLROnPlateau(o, factor=0.1, patience=2, cooldown=4,"
     " threshold=0.01, threshold_mode='abs', min_lr=1e-3)"),
    ("plateau_max", "ReduceLROnPlateau(o, mode='max', factor=0.5, patience=3)"),
]


def optimizer():
    return optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def losses():
    """Falls, stalls, rises and falls again."""
    return [
        round(1 / (1 + 0.2 * min(i, 18)) + (0.05 * math.sin(i) if i > 25 else 0)
              - (0.1 if i > 48 else 0), 6)
        for i in range(STEPS)
    ]


def record(book, case, call, metrics=None):
    o = optimizer()
    schedule = eval(call, {**vars(optim.lr_scheduler), "o": o})
    rates = []
    for i in range(STEPS):
        rates.append(o.param_groups[0]["lr"])
        if i + 1 == STEPS:
            break
        o.step()
        schedule.step(*([] if metrics is None else [metrics[i]]))
    book.case(case, call)
    book.put(case, "rate", rates, "float64")


def averages(book):
    sequence = single(normal((20, 5), generator("averages"))).double()
    functions = {
        "ema": ("AveragedModel, get_ema_multi_avg_fn(0.99)", swa_utils.get_ema_multi_avg_fn(0.99)),
        "ema_09": ("AveragedModel, get_ema_multi_avg_fn(0.9)", swa_utils.get_ema_multi_avg_fn(0.9)),
        "swa": ("AveragedModel, get_swa_multi_avg_fn()", swa_utils.get_swa_multi_avg_fn()),
    }
    book.case("average", "the weights given, one row a step")
    book.put("average", "sequence", single(sequence))
    for case, (call, function) in functions.items():
        model = torch.nn.Linear(5, 1, bias=False).double()
        average = swa_utils.AveragedModel(model, multi_avg_fn=function)
        rows = []
        for row in sequence:
            with torch.no_grad():
                model.weight.copy_(row[None])
            average.update_parameters(model)
            rows.append(single(average.module.weight[0]).clone())
        book.case(case, call)
        book.put(case, "average", torch.stack(rows))


def make():
    warnings.filterwarnings("ignore", module="torch.optim.lr_scheduler")
    book = Book()
    for case, call in CASES:
        record(book, case, call)
    book.case("plateau_losses", "what the plateau schedules are told after each step")
    book.put("plateau_losses", "loss", losses(), "float64")
    for case, call in PLATEAUS:
        record(book, case, call, losses())
    averages(book)
    return book
