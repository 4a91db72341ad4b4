"""Keras Applications, as Keras 3 makes them; the whole-model `.h5` and the weights-only one are those of Keras 2 as well."""

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

NAMES = {
    "vgg16": ("VGG16", 224), "vgg19": ("VGG19", 224), "resnet50": ("ResNet50", 96), "resnet101": ("ResNet101", 96),
    "resnet152": ("ResNet152", 96), "mobilenet-v1": ("MobileNet", 96), "mobilenet-v1-0.5": ("MobileNet", 96),
    "mobilenet-v1-0.25": ("MobileNet", 96), "mobilenet-v2": ("MobileNetV2", 96), "mobilenet-v2-0.35": ("MobileNetV2", 96),
    "mobilenet-v3-small": ("MobileNetV3Small", 96), "mobilenet-v3-large": ("MobileNetV3Large", 96),
    "inception-v3": ("InceptionV3", 139), "densenet121": ("DenseNet121", 96), "densenet169": ("DenseNet169", 96),
    "densenet201": ("DenseNet201", 96),
} | {f"efficientnet-b{i}": (f"EfficientNetB{i}", 97 if i % 2 else 96) for i in range(8)}


def randomise(model, generator):
    """Normalisations with statistics of their own, and biases."""
    for layer in model.layers:
        weights = layer.get_weights()
        kinds = [w.path.split("/")[-1] for w in layer.weights]
        for i, kind in enumerate(kinds):
            shape = weights[i].shape
            if isinstance(layer, keras.layers.Normalization):
                new = {"mean": [0.4, 0.5, 0.6], "variance": [0.2, 0.3, 0.25]}.get(kind)
                weights[i] = weights[i] if new is None else np.array(new).reshape(shape)
            elif kind in ("gamma", "moving_variance"):
                weights[i] = generator.uniform(0.2, 1.2, shape)
            elif kind in ("bias", "beta", "moving_mean"):
                weights[i] = 0.1 * generator.standard_normal(shape)
        if weights:
            layer.set_weights(weights)


def make(name):
    def made(folder):
        generator = np.random.default_rng(0)
        keras.utils.set_random_seed(0)
        # Not the first in its process, as names with numbers tell.
        keras.layers.Conv2D(1, 1)
        kind, side = NAMES[name]
        options = {"input_shape": (side, side, 3), "weights": None, "classifier_activation": None, "classes": 1000}
        if name.startswith("mobilenet-v1") or name.startswith("mobilenet-v2"):
            parts = name.split("-")
            options["alpha"] = float(parts[2]) if len(parts) > 2 else 1.0
        if name.startswith("mobilenet-v3"):
            options["include_preprocessing"] = False
        model = getattr(keras.applications, kind)(**options)
        randomise(model, generator)
        x = generator.standard_normal((2, side, side, 3)).astype(np.float32)
        inputs = x
        if name.startswith("efficientnet"):
            inputs = 255 * generator.uniform(size=x.shape).astype(np.float32)
            x = (inputs / 255 - np.array([0.4, 0.5, 0.6])) / np.sqrt([0.2, 0.3, 0.25])
        logits = keras.ops.convert_to_numpy(model(inputs, training=False))
        files = [folder / f"model.{ending}" for ending in ("weights.h5", "keras", "h5")]
        model.save_weights(files[0])
        model.save(files[1])
        model.save(files[2])
        files.append(folder / "weights_only.h5")
        with h5py.File(files[-1], "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
        keras.backend.clear_session()
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32), logits.astype(np.float32), files

    return made


CASES = [(name, f"Keras {NAMES[name][0]}", make(name)) for name in NAMES]
