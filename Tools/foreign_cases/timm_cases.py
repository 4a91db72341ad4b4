"""timm's networks, saved as safetensors under their own names, as on Hugging Face's hub with and without config.json."""

import json

import timm
from safetensors.torch import save_file

from .torch_support import answer, enliven

NAMES = {
    "resnet18": "resnet18", "resnet34": "resnet34", "resnet50": "resnet50", "resnet101": "resnet101", "resnet152": "resnet152",
    "vgg11": "vgg11", "vgg16": "vgg16", "vgg19-bn": "vgg19_bn", "mobilenet-v1": "mobilenetv1_100",
    "mobilenet-v2": "mobilenetv2_100", "mobilenet-v3-small": "mobilenetv3_small_100", "mobilenet-v3-large": "mobilenetv3_large_100",
    "efficientnet-b0": "efficientnet_b0", "densenet121": "densenet121", "convnext-tiny": "convnext_tiny",
    "vit-b-16": "vit_base_patch16_224", "inception-v3": "inception_v3",
}
TENSORFLOW = {
    "mobilenet-v3-large": "tf_mobilenetv3_large_100", "efficientnet-b0": "tf_efficientnet_b0", "efficientnet-b5": "tf_efficientnet_b5",
} | {f"efficientnet-lite{i}": f"tf_efficientnet_lite{i}" for i in range(5)}


def make(name, of):
    def made(folder):
        side = 224 if of.startswith(("vgg", "vit")) else 139 if of.startswith("inception") else 97
        model = enliven(timm.create_model(of, pretrained=False))
        x, logits = answer(model, side)
        named = folder / f"{of}.in1k.safetensors"
        save_file(model.state_dict(), named)
        hub = folder / "hub" / "model.safetensors"
        hub.parent.mkdir()
        save_file(model.state_dict(), hub)
        config = {"architecture": of, "pretrained_cfg": model.default_cfg}
        (hub.parent / "config.json").write_text(json.dumps(config))
        return x, logits, [named, hub]

    return made


CASES = [(ours, f"timm {theirs}", make(ours, theirs)) for names in (NAMES, TENSORFLOW) for ours, theirs in names.items()]
