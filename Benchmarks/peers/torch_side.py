"""PyTorch: eager, channels_last, compiled."""

import os

from . import photos
from .definitions import CHARACTERS, CONVOLUTIONS, GPT, IN_STEP, INFERENCE, RECURRENT, TRAINING, network_and_batch

PACKAGES = ["torch", "torchvision"]

LARGE = ["eager", "compile", "eager+keep", "compile+keep"]
IMAGES = ["eager", "channels_last", "compile"]
CONFIGS = {
    "matmul-512": ["eager"],
    "matmul-1024": ["eager"],
    "matmul-2048": ["eager", "eager+keep"],
    "linear-64x784x512": ["eager", "compile"],
    "gemv-1x784x512": ["eager", "compile"],
    "elementwise-chain-10m": LARGE,
    "softmax-4096x1000": LARGE,
    "layernorm-4096x768": LARGE,
    "sum-axis0-4096x4096": ["eager", "compile"],
    "matmul-32-in-step": ["eager", "compile"],
    "relu-1024-in-step": ["eager", "compile"],
    "mlp-train-b64": ["eager", "compile"],
    "lenet-train-b128": ["eager", "channels_last", "compile", "eager+keep"],
    "hvp-lenet-b256": ["eager", "func", "eager+keep"],
    "per-sample-grad-mlp-b64": ["func", "compile", "func+keep", "compile+keep"],
    "charrnn-sample": ["eager", "cell", "compile"],
    "gpt-train": ["eager", "compile", "eager+keep", "compile+keep"],
    "cold-start": ["eager"],
    "photos": ["threads", "processes"],
    **{name: ["eager", "channels_last", "channels_last+keep"] for name in CONVOLUTIONS},
    **{name + "-train": ["eager", "channels_last", "channels_last+keep"] for name in CONVOLUTIONS},
    **{name: IMAGES + (["channels_last+keep", "compile+keep"] if "b16" in name else []) for name in INFERENCE},
    "vit-b-16-infer-b1": ["eager", "compile", "eager+keep", "compile+keep"],
    **{name: IMAGES + ["channels_last+keep", "compile+keep"] for name in TRAINING},
    **{name: ["eager", "eager+keep"] for name in RECURRENT},
}

COLD_START = """
import sys, torch, torchvision
torch.set_num_threads(int(sys.argv[1]))
model = torchvision.models.resnet18(weights=None).eval()
with torch.inference_mode():
    print(int(model(torch.randn(1, 3, 224, 224)).argmax()))
"""


def version():
    import torch

    return f"PyTorch {torch.__version__}"


def command(workload, threads):
    """For what is a whole process: the program after the interpreter."""
    return ["-c", COLD_START, str(threads)] if workload == "cold-start" else None


def make(workload, config, threads):
    """What is timed, and how many units it does."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if workload == "photos":
        return photos.make(config, threads)
    maker = Maker(config)
    for names, method in (
        (INFERENCE, maker.inference), (TRAINING, maker.network_training), (RECURRENT, maker.recurrent),
        (IN_STEP, maker.in_step), (CONVOLUTIONS, maker.convolution),
        ([name + "-train" for name in CONVOLUTIONS], maker.convolution_training),
    ):
        if workload in names:
            return method(workload)
    if workload.startswith("matmul-"):
        return maker.matmul(int(workload.split("-")[1]))
    return getattr(maker, workload.split("-")[0].replace("per", "per_sample"))(workload)


class Maker:
    def __init__(self, config):
        import torch

        self.torch, self.nn, self.F = torch, torch.nn, torch.nn.functional
        self.how = config.split("+")[0]
        self.compiled = self.how == "compile"
        if self.compiled:
            # One after the other: what is compiled is timed later, by itself.
            os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"

    # What they have in common.

    def answering(self, function, *arguments):
        """A call of `function` without gradients."""
        torch = self.torch
        if not self.compiled:
            def call():
                with torch.inference_mode():
                    function(*arguments)
            return call, 1
        torch._inductor.config.freezing = True
        compiled = torch.compile(function)

        def call():
            with torch.no_grad():
                compiled(*arguments)
        return call, 1

    def laid_out(self, value, training=False):
        last = self.how == "channels_last" or (self.compiled and training)
        return value.to(memory_format=self.torch.channels_last) if last else value

    def training(self, model, optimizer, batches, clip=None, clip_norm=None):
        """A call that trains one step on the next batch."""
        loss = lambda x, y: self.F.cross_entropy(model(x), y)
        loss = self.torch.compile(loss) if self.compiled else loss
        number = 0

        def call():
            nonlocal number
            x, y = batches[number % len(batches)]
            number += 1
            optimizer.zero_grad(set_to_none=True)
            loss(x, y).backward()
            if clip:
                self.nn.utils.clip_grad_value_(model.parameters(), clip)
            if clip_norm:
                self.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            optimizer.step()
        return call, 1

    def batches(self, count, shape, classes, lay_out=lambda x: x):
        torch = self.torch
        return [(lay_out(torch.randn(shape)), torch.randint(0, classes, shape[:1])) for _ in range(count)]

    def momentum(self, model):
        return self.torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)

    # Operations.

    def matmul(self, size):
        a, b = self.torch.randn(size, size), self.torch.randn(size, size)
        return self.answering(lambda a, b: a @ b, a, b)

    def linear(self, workload):
        rows = 1 if workload.startswith("gemv") else 64
        return self.answering(self.nn.Linear(784, 512).eval(), self.torch.randn(rows, 784))

    gemv = linear

    def elementwise(self, _):
        x, z = self.torch.randn(10_000_000), self.torch.randn(10_000_000)
        return self.answering(lambda x, z: self.torch.relu(1.5 * x + 0.1) + z, x, z)

    def softmax(self, _):
        return self.answering(lambda x: self.torch.softmax(x, 1), self.torch.randn(4096, 1000))

    def layernorm(self, _):
        return self.answering(self.nn.LayerNorm(768).eval(), self.torch.randn(4096, 768))

    def sum(self, _):
        return self.answering(lambda x: x.sum(0), self.torch.randn(4096, 4096))

    def in_step(self, workload):
        torch, count = self.torch, IN_STEP[workload]
        if workload.startswith("matmul"):
            turn = torch.linalg.qr(torch.randn(32, 32)).Q.contiguous()

            def step(x):
                for _ in range(count):
                    x = x @ turn
                return x
            return self.answering(step, torch.randn(32, 32))[0], count
        values = [torch.randn(1024) for _ in range(count)]
        return self.answering(lambda xs: [torch.relu(x) for x in xs], values)[0], count

    # Convolutions.

    def convolution_parts(self, name):
        inputs, size, outputs, kernel, groups = CONVOLUTIONS[name]
        layer = self.nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups)
        x, upstream = self.torch.randn(16, inputs, size, size), self.torch.randn(16, outputs, size, size)
        return self.laid_out(layer), self.laid_out(x), self.laid_out(upstream)

    def convolution(self, workload):
        layer, x, _ = self.convolution_parts(workload)
        return self.answering(layer, x)

    def convolution_training(self, workload):
        layer, x, upstream = self.convolution_parts(workload.removesuffix("-train"))
        x.requires_grad_()

        def call():
            x.grad = None
            layer.zero_grad(set_to_none=True)
            layer(x).backward(upstream)
        return call, 1

    # Networks.

    def network(self, name, training=False):
        import torchvision

        options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
        model = getattr(torchvision.models, name)(weights=None, **options)
        return self.laid_out(model.train() if training else model.eval(), training)

    def inference(self, workload):
        name, batch = network_and_batch(workload)
        return self.answering(self.network(name), self.laid_out(self.torch.randn(batch, 3, 224, 224)))

    def network_training(self, workload):
        name, batch = network_and_batch(workload)
        model = self.network(name, training=True)
        lay_out = lambda x: self.laid_out(x, training=True)
        return self.training(
            model, self.momentum(model), self.batches(4, (batch, 3, 224, 224), 1000, lay_out))

    def mlp(self, _):
        nn = self.nn
        model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
        optimizer = self.torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        return self.training(model, optimizer, self.batches(64, (64, 784), 10))

    def lenet_model(self):
        nn = self.nn
        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
            nn.Linear(84, 10))

    def lenet(self, _):
        model = self.laid_out(self.lenet_model(), training=True)
        lay_out = lambda x: self.laid_out(x, training=True)
        return self.training(model, self.momentum(model), self.batches(32, (128, 1, 28, 28), 10, lay_out))

    # Derivatives.

    def hvp(self, _):
        torch, model = self.torch, self.lenet_model()
        (x, y), = self.batches(1, (256, 1, 28, 28), 10)
        parameters = {name: p for name, p in model.named_parameters()}
        along = {name: torch.randn_like(p) for name, p in parameters.items()}
        if self.how == "func":
            from torch.func import functional_call, grad, jvp

            at = {name: p.detach() for name, p in parameters.items()}
            gradient = grad(lambda p: self.F.cross_entropy(functional_call(model, p, (x,)), y))
            return (lambda: jvp(gradient, (at,), (along,))), 1
        values = list(parameters.values())

        def call():
            loss = self.F.cross_entropy(model(x), y)
            first = torch.autograd.grad(loss, values, create_graph=True)
            torch.autograd.grad(first, values, list(along.values()))
        return call, 1

    def per_sample(self, _):
        from torch.func import functional_call, grad, vmap

        nn = self.nn
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        (x, y), = self.batches(1, (64, 784), 10)
        at = {name: p.detach() for name, p in model.named_parameters()}
        loss = lambda p, x, y: self.F.cross_entropy(functional_call(model, p, (x.unsqueeze(0),)), y.unsqueeze(0))
        each = vmap(grad(loss), in_dims=(None, 0, 0))
        each = self.torch.compile(each) if self.compiled else each
        return (lambda: each(at, x, y)), 1

    # Recurrent networks.

    def recurrent(self, workload):
        torch, nn, F, width = self.torch, self.nn, self.F, RECURRENT[workload]

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.LSTM(CHARACTERS, width, 2)
                self.out = nn.Linear(width, CHARACTERS)

            def forward(self, text):
                return self.out(self.rnn(F.one_hot(text, CHARACTERS).float())[0]).view(-1, CHARACTERS)

        model = Network()
        optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95, foreach=True)
        batches = [
            (torch.randint(0, CHARACTERS, (50, 50)), torch.randint(0, CHARACTERS, (2500,))) for _ in range(16)]
        return self.training(model, optimizer, batches, clip=5.0)

    # Transformers.

    def gpt(self, _):
        torch, nn, F = self.torch, self.nn, self.F
        blocks, heads, width, places, batch = GPT

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
                self.together, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
                self.widening, self.narrowing = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

            def forward(self, x):
                parts = self.together(self.ln_1(x)).split(width, dim=2)
                q, k, v = (part.view(*x.shape[:2], heads, width // heads).transpose(1, 2) for part in parts)
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
                x = x + self.out(y.transpose(1, 2).reshape(x.shape))
                return x + self.narrowing(F.gelu(self.widening(self.ln_2(x))))

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.symbols, self.places = nn.Embedding(CHARACTERS, width), nn.Embedding(places, width)
                self.blocks = nn.ModuleList(Block() for _ in range(blocks))
                self.last = nn.LayerNorm(width)
                self.out = nn.Linear(width, CHARACTERS, bias=False)
                self.out.weight = self.symbols.weight

            def forward(self, text):
                x = self.symbols(text) + self.places(torch.arange(places))
                for block in self.blocks:
                    x = block(x)
                return self.out(self.last(x)).view(-1, CHARACTERS)

        model = Network()
        decayed = [p for p in model.parameters() if p.dim() > 1]
        others = [p for p in model.parameters() if p.dim() == 1]
        optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0}], lr=1e-3,
            betas=(0.9, 0.99), fused=True)
        text = lambda *shape: torch.randint(0, CHARACTERS, shape)
        return self.training(
            model, optimizer, [(text(batch, places), text(batch * places)) for _ in range(16)], clip_norm=1.0)

    def charrnn(self, _):
        torch, nn, width, length = self.torch, self.nn, 128, 2000
        out, letters = nn.Linear(width, CHARACTERS), torch.eye(CHARACTERS)
        if self.how == "eager":
            rnn = nn.LSTM(CHARACTERS, width, 2)
            start = tuple(torch.zeros(2, 1, width) for _ in range(2))

            def one(x, state):
                y, state = rnn(x.view(1, 1, CHARACTERS), state)
                return torch.softmax(out(y.view(1, width)), 1), state
        else:
            lower, upper = nn.LSTMCell(CHARACTERS, width), nn.LSTMCell(width, width)
            zeros = lambda: tuple(torch.zeros(1, width) for _ in range(2))
            start = (zeros(), zeros())

            def one(x, state):
                low = lower(x, state[0])
                high = upper(low[0], state[1])
                return torch.softmax(out(high[0]), 1), (low, high)
        one = torch.compile(one) if self.compiled else one

        def call():
            with torch.no_grad() if self.compiled else torch.inference_mode():
                state, letter = start, 0
                for _ in range(length):
                    chances, state = one(letters[letter:letter + 1], state)
                    letter = int(torch.multinomial(chances, 1))
        return call, length
