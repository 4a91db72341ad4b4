"""Language models: whole runs of char-rnn's recipe, and a Transformer as GPT-2's."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from .book import Book, generator, normal, single, uniform

VOCABULARY, SIZE, LAYERS, STREAMS, STEPS = 5, 6, 2, 3, 4
BATCHES, TRAINED, EPOCHS = 5, 4, 3
RATE, ALPHA, CLIP, DECAY = 0.01, 0.95, 0.02, 0.5


class ResetBefore(nn.GRU):
    """A GRU whose reset gate meets the state before the product: n = tanh(W x + b + U (r h) + b')."""

    def forward(self, x, state):
        ends = []
        for layer in range(self.num_layers):
            w, u, b, c = (getattr(self, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            h, outputs, size = state[layer], [], self.hidden_size
            for step in x:
                sums = step @ w.T + b + c
                gates = torch.sigmoid(sums[:, :2 * size] + h @ u[:2 * size].T)
                r, z = gates[:, :size], gates[:, size:]
                n = torch.tanh(sums[:, 2 * size:] + (r * h) @ u[2 * size:].T)
                h = (1 - z) * n + z * h
                outputs.append(h)
            x = torch.stack(outputs)
            ends.append(h)
        return x, torch.stack(ends)


class CharRNN(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.rnn = layer(VOCABULARY, SIZE, LAYERS)
        self.decoder = nn.Linear(SIZE, VOCABULARY)

    def start(self):
        zeros = torch.zeros(LAYERS, STREAMS, SIZE, dtype=torch.float64)
        return (zeros, zeros) if isinstance(self.rnn, nn.LSTM) else zeros

    def loss(self, x, y, state):
        output, state = self.rnn(F.one_hot(x, VOCABULARY).double(), state)
        loss = F.cross_entropy(self.decoder(output).reshape(-1, VOCABULARY), y.reshape(-1))
        detached = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        return loss, detached


def record_run(book, case, layer):
    """Losses of every step and validation, and the parameters in the end."""
    source = generator(case)
    model = CharRNN(layer).double()
    book.case(case, f"{layer.__name__}({VOCABULARY}, {SIZE}, {LAYERS}), {EPOCHS} epochs")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(uniform(parameter.shape, -0.5, 0.5, source))
            book.put(case, f"param.{name}", single(parameter))
    length = BATCHES * STEPS
    text = torch.randint(0, VOCABULARY, (STREAMS * length,), generator=source)
    book.put(case, "text", text, "int64")
    x = text.reshape(STREAMS, length).T
    y = text.roll(-1).reshape(STREAMS, length).T
    pieces = [(x[i * STEPS:(i + 1) * STEPS], y[i * STEPS:(i + 1) * STEPS]) for i in range(BATCHES)]
    optimizer = torch.optim.RMSprop(model.parameters(), lr=RATE, alpha=ALPHA, eps=1e-8)
    losses, validations, state = [], [], model.start()
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            # From the first epoch's end on.
            group["lr"] = RATE * DECAY ** epoch
        for piece in pieces[:TRAINED]:
            loss, state = model.loss(*piece, state)
            optimizer.zero_grad()
            (STEPS * loss).backward()
            for parameter in model.parameters():
                parameter.grad.clamp_(-CLIP, CLIP)
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            total, held = 0.0, model.start()
            for piece in pieces[TRAINED:]:
                loss, held = model.loss(*piece, held)
                total += loss.item()
            validations.append(total / (BATCHES - TRAINED))
    book.put(case, "losses", losses, "float64")
    book.put(case, "validations", validations, "float64")
    for name, parameter in model.named_parameters():
        book.put(case, f"result.{name}", single(parameter))


def block(p, x, heads):
    """One block of GPT-2 with the parameters `p`."""
    batch, steps, size = x.shape
    y = F.layer_norm(x, (size,), p["ln_1.weight"], p["ln_1.bias"])
    parts = (y @ p["attn.c_attn.weight"].T + p["attn.c_attn.bias"]).split(size, dim=2)
    q, k, v = (part.view(batch, steps, heads, size // heads).transpose(1, 2) for part in parts)
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, steps, size)
    x = x + y @ p["attn.c_proj.weight"].T + p["attn.c_proj.bias"]
    y = F.layer_norm(x, (size,), p["ln_2.weight"], p["ln_2.bias"])
    y = F.gelu(y @ p["mlp.c_fc.weight"].T + p["mlp.c_fc.bias"])
    return x + y @ p["mlp.c_proj.weight"].T + p["mlp.c_proj.bias"]


def record_transformer(book, case):
    vocabulary, size, layers, heads, context, batch, steps = 7, 8, 2, 2, 6, 3, 5
    source = generator(case)
    shapes = {"wte.weight": (vocabulary, size), "wpe.weight": (context, size)}
    for layer in range(layers):
        inner = {
            "ln_1.weight": (size,), "ln_1.bias": (size,),
            "attn.c_attn.weight": (3 * size, size), "attn.c_attn.bias": (3 * size,),
            "attn.c_proj.weight": (size, size), "attn.c_proj.bias": (size,),
            "ln_2.weight": (size,), "ln_2.bias": (size,),
            "mlp.c_fc.weight": (4 * size, size), "mlp.c_fc.bias": (4 * size,),
            "mlp.c_proj.weight": (size, 4 * size), "mlp.c_proj.bias": (size,),
        }
        shapes |= {f"h.{layer}.{name}": shape for name, shape in inner.items()}
    shapes |= {"ln_f.weight": (size,), "ln_f.bias": (size,)}
    p = {name: (normal(shape, source) / math.sqrt(size)).float().double().requires_grad_()
         for name, shape in shapes.items()}
    symbols = torch.randint(0, vocabulary, (batch, steps), generator=source)
    targets = torch.randint(0, vocabulary, (batch, steps), generator=source)
    book.case(case, f"GPT-2 with {layers} blocks of {size}, {heads} heads")
    x = p["wte.weight"][symbols] + p["wpe.weight"][:steps]
    for layer in range(layers):
        prefix = f"h.{layer}."
        x = block({n[len(prefix):]: t for n, t in p.items() if n.startswith(prefix)}, x, heads)
    logits = F.layer_norm(x, (size,), p["ln_f.weight"], p["ln_f.bias"]) @ p["wte.weight"].T
    loss = F.cross_entropy(logits.reshape(-1, vocabulary), targets.reshape(-1))
    loss.backward()
    book.put(case, "symbols", symbols, "int64")
    book.put(case, "targets", targets, "int64")
    book.put(case, "logits", single(logits))
    book.put(case, "loss", single(loss))
    for name, tensor in p.items():
        book.put(case, f"param.transformer.{name}", single(tensor))
        book.put(case, f"grad.transformer.{name}", single(tensor.grad))


def make():
    book = Book()
    for case, layer in (("lstm", nn.LSTM), ("gru", nn.GRU), ("gru_resetbefore", ResetBefore), ("rnn", nn.RNN)):
        record_run(book, case, layer)
    record_transformer(book, "transformer")
    return book
