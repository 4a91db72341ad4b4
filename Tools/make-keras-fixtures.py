#!/usr/bin/env python3
"""Makes Tests/Fixtures/weights/keras.zip: small files of Keras and HDF5, models with inputs and Keras's outputs
(NAME.outputs.npz: input0, …, output0, …). Needs keras 3 with a backend (torch will do), h5py and numpy.

    python Tools/make-keras-fixtures.py [FOLDER]
"""

import os
import sys
import tempfile
import zipfile

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import h5py
import keras
import numpy as np
from keras import layers as L

TARGET = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "Fixtures", "weights")
FOLDER = tempfile.mkdtemp()


def path(name):
    return os.path.join(FOLDER, name)


def randomise(model, seed):
    """Weights and statistics that are not what they begin as."""
    random = np.random.default_rng(seed)
    for variable in model.variables:
        if "seed" in variable.path:
            continue
        values = random.normal(0, 0.5, variable.shape)
        if "variance" in variable.path:
            values = random.uniform(0.5, 2, variable.shape)
        variable.assign(values.astype("float32"))


def save(name, model, kinds, whole_numbers=0):
    randomise(model, len(name))
    random = np.random.default_rng(1)
    shapes = [(2,) + tuple(x.shape[1:]) for x in model.inputs]
    inputs = [random.integers(0, whole_numbers, shape).astype("float32") if whole_numbers
              else random.normal(0, 1, shape).astype("float32") for shape in shapes]
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    arrays = {f"input{i}": x for i, x in enumerate(inputs)}
    arrays.update({f"output{i}": keras.ops.convert_to_numpy(y) for i, y in enumerate(outputs)})
    np.savez_compressed(path(f"{name}.outputs.npz"), **arrays)
    for kind in kinds:
        if kind == ".weights.h5":
            model.save_weights(path(f"{name}.weights.h5"))
            with open(path(f"{name}.json"), "w") as file:
                file.write(model.to_json())
        else:
            model.save(path(f"{name}{kind}"))


def cnn():
    return keras.Sequential([
        keras.Input((12, 12, 3)), L.Rescaling(0.5, offset=0.25), L.Conv2D(6, 3, activation="relu", padding="same"),
        L.BatchNormalization(), L.MaxPooling2D(2), L.DepthwiseConv2D(3, strides=2, padding="same"),
        L.SeparableConv2D(5, 3, padding="same", activation="elu"), L.AveragePooling2D(2, strides=1, padding="same"),
        L.Dropout(0.5), L.Flatten(), L.Dense(7, activation="tanh"), L.Dense(4, activation="softmax")])


def branches():
    """A functional model: branches, shared layers, a model within it, two inputs and two outputs."""
    image = keras.Input((9, 8, 2), name="image")
    vector = keras.Input((5,), name="vector")
    inner = keras.Sequential([keras.Input((9, 8, 4)), L.Conv2D(4, (3, 2), padding="same", use_bias=False),
                              L.BatchNormalization(scale=False), L.LeakyReLU(0.1)], name="block")
    x = L.ZeroPadding2D(((1, 0), (0, 2)))(image)
    x = L.Conv2D(4, 2, name="first")(x)
    x = L.Cropping2D(((0, 0), (1, 0)))(x)
    x = L.ZeroPadding2D(((0, 0), (1, 0)))(x)
    x = L.Conv2D(4, (1, 2), dilation_rate=(1, 1), groups=2, activation="hard_sigmoid")(x)
    y = inner(x)
    z = L.Add()([x, inner(y)])
    z = L.Concatenate()([z, L.Activation("gelu")(y), L.Multiply()([x, y])])
    z = L.LayerNormalization()(z)
    u = L.UpSampling2D(2, interpolation="bilinear")(z)
    u = L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="selu")(u)
    u = L.MaxPooling2D(3, strides=2, padding="same")(u)
    u = L.GlobalAveragePooling2D()(u)
    v = L.Dense(3, activation="swish")(vector)
    w = L.Average()([u, v])
    a = L.Dense(2, name="left")(L.Maximum()([w, u]))
    b = L.Reshape((-1, 3))(L.Subtract()([w, v]))
    b = L.PReLU()(L.Permute((2, 1))(b))
    return keras.Model([image, vector], [a, b], name="branches")


def sequences():
    words = keras.Input((6,))
    x = L.Embedding(11, 4)(words)
    x = L.Conv1D(5, 3, padding="causal", activation="relu")(x)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    x = L.GRU(4, return_sequences=True)(x)
    x = L.GRU(3, return_sequences=True, reset_after=False, go_backwards=True)(x)
    x = L.TimeDistributed(L.Dense(4, activation="softsign"))(x)
    y = L.SimpleRNN(3, return_sequences=True)(x)
    y = L.LSTM(3, recurrent_activation="hard_sigmoid", activation="softplus", return_sequences=True)(y)
    z = L.GlobalMaxPooling1D()(y)
    r = L.Bidirectional(L.SimpleRNN(2, activation="relu"), merge_mode="sum")(L.MaxPooling1D(2)(x))
    return keras.Model(words, L.Dense(2)(L.Concatenate()([z, r])))


def unsupported():
    x = keras.Input((4, 4, 4, 1))
    y = L.Conv3D(1, 2)(x)
    y = L.Reshape((3, 9))(y)
    y = L.MultiHeadAttention(2, 3)(y, y)
    keras.Model(x, L.Dense(1, activation="softmax")(y)).save(path("keras_unsupported.keras"))


def lambdas():
    """A layer that is a program: the bytes of a function of Python, which would be run as soon as the model is called."""
    x = keras.Input((3,), name="x")
    # Evaluated, so that no path of this machine is among its bytes.
    program = eval('lambda t: [__import__("os").system("touch tarn-was-here"), t][1]')
    y = L.Lambda(program, output_shape=(3,), name="program")(x)
    model = keras.Model(x, L.Dense(1)(y))
    model.save(path("keras_lambda.keras"))
    model.save(path("keras_lambda.h5"))


def long_names():
    """Names of layers in more than one attribute, as Keras cuts them where they are longer than 64 KB."""
    with h5py.File(path("keras_cnn.h5"), "r") as old, h5py.File(path("keras_chunked.h5"), "w") as new:
        group = old["model_weights"]
        for name in group:
            group.copy(name, new)
        names = [name.encode() for name in group.attrs["layer_names"]]
        new.attrs["layer_names0"], new.attrs["layer_names1"] = names[:4], names[4:]
        new.attrs["keras_version"] = "2.4.0"
        for name in new:
            weights = [weight if isinstance(weight, bytes) else weight.encode() for weight in new[name].attrs["weight_names"]]
            del new[name].attrs["weight_names"]
            for i, weight in enumerate(weights):
                new[name].attrs[f"weight_names{i}"] = [weight]


def types():
    """Every element type, layouts and attributes of HDF5."""
    with h5py.File(path("types.h5"), "w") as file:
        arrays = {name: np.array([[0, 1, 2], [3, 4, 1]], dtype=name) for name in
                  ["f2", "f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">f4", ">i2", "bool"]}
        for name, array in arrays.items():
            file.create_dataset(f"group/{name.replace('>', 'big_')}", data=array)
        big = np.arange(60, dtype="f4").reshape(12, 5)
        file.create_dataset("chunked", data=big, chunks=(5, 2), compression="gzip", shuffle=True)
        file["scalar"], file["empty"] = np.float32(7), np.zeros((0, 3), "f4")
        file["texts"] = np.array([b"a", b"b"])
        file["link"] = h5py.SoftLink("/scalar")
        file["outside"] = h5py.ExternalLink("other.h5", "/x")
        file.attrs["names"], file.attrs["one"], file.attrs["number"] = ["ä", "b"], "text", 3
        np.savez_compressed(path("types.h5.expected.npz"), **{
            f"group/{name.replace('>', 'big_')}": array.astype("f8") for name, array in arrays.items()},
            chunked=big.astype("f8"), scalar=7.0, empty=np.zeros((0, 3)))


keras.utils.set_random_seed(0)
save("keras_cnn", cnn(), [".h5", ".keras", ".weights.h5"])
save("keras_branches", branches(), [".h5", ".keras"])
save("keras_sequences", sequences(), [".h5", ".keras"], whole_numbers=11)
unsupported()
lambdas()
long_names()
types()
with zipfile.ZipFile(os.path.join(TARGET, "keras.zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name in sorted(os.listdir(FOLDER)):
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        with open(path(name), "rb") as file:
            archive.writestr(entry, file.read(), compresslevel=9)
