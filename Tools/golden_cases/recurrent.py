"""Recurrent layers: parameters, input, lengths, states, outputs, and all gradients of one call."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .book import Book, generator, normal, single, uniform

STEPS, BATCH, INPUTS, HIDDEN = 4, 3, 3, 5

# Each: case, constructor, lengths of the sequences or None.
CASES = [
    ("lstm", "nn.LSTM(3, 5)", None),
    ("lstm_nobias", "nn.LSTM(3, 5, bias=False)", None),
    ("lstm_2layers_bidirectional", "nn.LSTM(3, 5, num_layers=2, bidirectional=True)", None),
    ("lstm_batchfirst", "nn.LSTM(3, 5, batch_first=True)", None),
    ("lstm_2layers_bidirectional_lengths", "nn.LSTM(3, 5, num_layers=2, bidirectional=True)", [2, 4, 1]),
    ("gru", "nn.GRU(3, 5)", None),
    ("gru_nobias", "nn.GRU(3, 5, bias=False)", None),
    ("gru_2layers_bidirectional", "nn.GRU(3, 5, num_layers=2, bidirectional=True)", None),
    ("gru_bidirectional_lengths", "nn.GRU(3, 5, bidirectional=True)", [3, 1, 4]),
    ("rnn_tanh_2layers", "nn.RNN(3, 5, num_layers=2)", None),
    ("rnn_relu_bidirectional", "nn.RNN(3, 5, nonlinearity='relu', bidirectional=True)", None),
    ("rnn_tanh_bidirectional_lengths", "nn.RNN(3, 5, bidirectional=True)", [4, 2, 3]),
]

CELLS = [
    ("lstmcell", "nn.LSTMCell(3, 5)"),
    ("grucell", "nn.GRUCell(3, 5)"),
    ("rnncell", "nn.RNNCell(3, 5)"),
    ("rnncell_relu", "nn.RNNCell(3, 5, nonlinearity='relu')"),
]


def randomised(call, source):
    module = eval(call).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(uniform(parameter.shape, -0.6, 0.6, source))
    return module


def states(module, shape, source):
    """Those to start from: h, and c of an LSTM."""
    count = 2 if isinstance(module, (nn.LSTM, nn.LSTMCell)) else 1
    return [(normal(shape, source) * 0.5).float().double().requires_grad_() for _ in range(count)]


def finish(book, case, module, x, starts, results):
    """Records results by name, random gradients of them, and what follows for parameters, input and start."""
    source = generator(case + " gradients")
    gradients = [normal(result.shape, source) for result in results.values()]
    torch.autograd.backward(list(results.values()), gradients)
    for (name, result), gradient in zip(results.items(), gradients):
        book.put(case, name, single(result))
        book.put(case, f"grad_{name}", single(gradient))
    book.put(case, "grad_input", single(x.grad))
    for name, start in zip(("hidden0", "cell0"), starts):
        book.put(case, name, single(start))
        book.put(case, f"grad_{name}", single(start.grad))
    for name, parameter in module.named_parameters():
        book.put(case, f"param.{name}", single(parameter))
        book.put(case, f"grad.{name}", single(parameter.grad))


def record(book, case, call, lengths):
    source = generator(case)
    module = randomised(call, source)
    shape = (BATCH, STEPS, INPUTS) if module.batch_first else (STEPS, BATCH, INPUTS)
    x = normal(shape, source).requires_grad_()
    directions = 2 if module.bidirectional else 1
    starts = states(module, (module.num_layers * directions, BATCH, HIDDEN), source)
    book.case(case, call + (f" lengths {lengths}" if lengths else ""))
    book.put(case, "input", single(x))
    fed = x
    if lengths:
        book.put(case, "lengths", lengths, "int64")
        fed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    y, ends = module(fed, tuple(starts) if len(starts) == 2 else starts[0])
    if lengths:
        y, _ = pad_packed_sequence(y, total_length=STEPS)
    ends = ends if isinstance(ends, tuple) else (ends,)
    finish(book, case, module, x, starts, dict(zip(("output", "hidden", "cell"), (y, *ends))))


def record_cell(book, case, call):
    source = generator(case)
    module = randomised(call, source)
    x = normal((BATCH, INPUTS), source).requires_grad_()
    starts = states(module, (BATCH, HIDDEN), source)
    book.case(case, call)
    book.put(case, "input", single(x))
    ends = module(x, tuple(starts) if len(starts) == 2 else starts[0])
    ends = ends if isinstance(ends, tuple) else (ends,)
    finish(book, case, module, x, starts, dict(zip(("hidden", "cell"), ends)))


def make():
    book = Book()
    for case, call, lengths in CASES:
        record(book, case, call, lengths)
    for case, call in CELLS:
        record_cell(book, case, call)
    return book
