"""Networks of Hugging Face's transformers as `save_pretrained` writes them."""

import transformers

from .torch_support import answer, enliven


def make(kind, side, **options):
    def made(folder):
        config = getattr(transformers, f"{kind}Config")(num_labels=1000, **options)
        model = enliven(getattr(transformers, f"{kind}ForImageClassification")(config))
        model.save_pretrained(folder / "hub")
        return *answer(model, side), [folder / "hub" / "model.safetensors"]

    return made


CASES = [
    ("resnet50", "transformers ResNet (resnet-50)", make("ResNet", 97)),
    ("resnet18", "transformers ResNet (resnet-18)",
     make("ResNet", 97, layer_type="basic", hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2])),
    ("vit-b-16", "transformers ViT (vit-base-patch16-224)", make("ViT", 224)),
    ("mobilenet-v2", "transformers MobileNetV2", make("MobileNetV2", 97, layer_norm_eps=0.001)),
    ("convnext-tiny", "transformers ConvNeXt (convnext-tiny)", make("ConvNext", 96)),
]
