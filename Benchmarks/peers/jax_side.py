"""JAX, compiled functions."""

from .definitions import CHARACTERS, CONVOLUTIONS, RECURRENT

PACKAGES = ["jax"]
IMAGES = ["conv3x3-64-56-b16", "conv3x3-256-14-b16", "conv1x1-256-64-56-b16"]
OPERATIONS = ["elementwise-chain-10m", "softmax-4096x1000", "layernorm-4096x768", "sum-axis0-4096x4096"]
CONFIGS = {
    name: ["jit"]
    for name in ["matmul-512", "matmul-1024", "matmul-2048", "mlp-train-b64", "charrnn-train"] + OPERATIONS + IMAGES
    + [name + "-train" for name in IMAGES]
}
# It takes as many threads as it has cores.
IS_BOUND_TO_CORES = True


def version():
    import jax

    return f"JAX {jax.__version__}"


def command(workload, threads):
    return None


def make(workload, _, threads):
    import jax
    import jax.numpy as jnp
    import numpy

    source = numpy.random.default_rng(0)
    normal = lambda *shape: jnp.asarray(source.standard_normal(shape, dtype="float32"))
    integers = lambda high, *shape: jnp.asarray(source.integers(0, high, shape))

    def timed(function, *arguments):
        compiled = jax.jit(function)
        return (lambda: jax.block_until_ready(compiled(*arguments))), 1

    if workload.startswith("matmul-"):
        size = int(workload.split("-")[1])
        return timed(jnp.matmul, normal(size, size), normal(size, size))
    if workload == "elementwise-chain-10m":
        return timed(lambda x, z: jax.nn.relu(1.5 * x + 0.1) + z, normal(10_000_000), normal(10_000_000))
    if workload == "softmax-4096x1000":
        return timed(jax.nn.softmax, normal(4096, 1000))
    if workload == "layernorm-4096x768":
        def normalized(x, scale, shift):
            centred = x - x.mean(1, keepdims=True)
            return centred * jax.lax.rsqrt((centred**2).mean(1, keepdims=True) + 1e-5) * scale + shift
        return timed(normalized, normal(4096, 768), jnp.ones(768), jnp.zeros(768))
    if workload == "sum-axis0-4096x4096":
        return timed(lambda x: x.sum(0), normal(4096, 4096))
    if workload.startswith("conv"):
        return timed(*convolution(workload, normal))
    if workload in RECURRENT:
        batches = [(integers(CHARACTERS, 50, 50), integers(CHARACTERS, 2500)) for _ in range(16)]
        loss, parameters = recurrent(RECURRENT[workload], normal)
        return training(loss, parameters, RMSPROP, batches)
    layers = [(normal(i, o) / i**0.5, jnp.zeros(o)) for i, o in ((784, 512), (512, 512), (512, 10))]

    def loss(layers, x, y):
        for weight, bias in layers[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        return cross_entropy(x @ layers[-1][0] + layers[-1][1], y)
    return training(loss, layers, ADAM, [(normal(64, 784), integers(10, 64)) for _ in range(64)])


def convolution(workload, normal):
    import jax

    inputs, size, outputs, kernel, groups = CONVOLUTIONS[workload.removesuffix("-train")]
    x, upstream = normal(16, size, size, inputs), normal(16, size, size, outputs)
    weight, bias = normal(kernel, kernel, inputs // groups, outputs), normal(outputs)

    def forward(x, weight, bias):
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=layout) + bias

    def both(x, weight, bias, upstream):
        y, back = jax.vjp(forward, x, weight, bias)
        return y, back(upstream)
    return (both, x, weight, bias, upstream) if workload.endswith("-train") else (forward, x, weight, bias)


def cross_entropy(logits, y):
    import jax
    import jax.numpy as jnp

    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def recurrent(width, normal):
    """The loss of a two-layer LSTM and its parameters."""
    import jax
    import jax.numpy as jnp

    layer = lambda inputs: (0.08 * normal(inputs, 4 * width), 0.08 * normal(width, 4 * width), jnp.zeros(4 * width))
    parameters = ([layer(CHARACTERS), layer(width)], (0.08 * normal(width, CHARACTERS), jnp.zeros(CHARACTERS)))

    def lstm(layer, xs):
        inputs, hidden, bias = layer

        def cell(state, z):
            h, c = state
            i, f, g, o = jnp.split(z + h @ hidden, 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h
        zeros = jnp.zeros((xs.shape[1], width))
        return jax.lax.scan(cell, (zeros, zeros), xs @ inputs + bias)[1]

    def loss(parameters, text, y):
        layers, (weight, bias) = parameters
        xs = jax.nn.one_hot(text, CHARACTERS)
        for layer in layers:
            xs = lstm(layer, xs)
        return cross_entropy((xs @ weight + bias).reshape(-1, CHARACTERS), y)
    return loss, parameters


def adam(w, g, slots, step):
    m, v = 0.9 * slots[0] + 0.1 * g, 0.999 * slots[1] + 0.001 * g * g
    return w - 1e-3 * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8), (m, v)


def rmsprop(w, g, slots, step):
    g = g.clip(-5, 5)
    v = 0.95 * slots[0] + 0.05 * g * g
    return w - 2e-3 * g / (v**0.5 + 1e-8), (v,)


# The rule, and how many slots it keeps for a parameter.
ADAM, RMSPROP = (adam, 2), (rmsprop, 1)


def training(loss, parameters, rule, batches):
    """A call that trains one step on the next batch."""
    import jax
    import jax.numpy as jnp

    move, count = rule
    leaves, structure = jax.tree.flatten(parameters)
    slots = [tuple(jnp.zeros_like(w) for _ in range(count)) for w in leaves]

    def update(leaves, slots, step, x, y):
        gradient = jax.grad(loss)(jax.tree.unflatten(structure, leaves), x, y)
        moved = [move(w, g, s, step) for w, g, s in zip(leaves, jax.tree.leaves(gradient), slots)]
        return [w for w, _ in moved], [s for _, s in moved]
    compiled = jax.jit(update, donate_argnums=(0, 1))
    state, number = [leaves, slots], 0

    def call():
        nonlocal number
        x, y = batches[number % len(batches)]
        number += 1
        state[0], state[1] = jax.block_until_ready(compiled(*state, float(number), x, y))
    return call, 1
