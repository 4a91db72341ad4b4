"""What the workloads of `tarn bench` are made of, for every peer."""

# Input channels, size, output channels, kernel, groups; a batch of 16, with bias, the size kept.
CONVOLUTIONS = {
    "conv3x3-64-56-b16": (64, 56, 64, 3, 1),
    "conv3x3-256-14-b16": (256, 14, 256, 3, 1),
    "conv1x1-256-64-56-b16": (256, 56, 64, 1, 1),
    "depthwise3x3-512-14-b16": (512, 14, 512, 3, 512),
}
# torchvision's names.
NETWORKS = {
    "resnet18": "resnet18", "resnet50": "resnet50", "resnet152": "resnet152", "vgg16": "vgg16",
    "mobilenetv2": "mobilenet_v2", "googlenet": "googlenet", "vit-b-16": "vit_b_16",
}
INFERENCE = [
    "resnet18-infer-b1", "resnet18-infer-b16", "resnet50-infer-b1", "resnet50-infer-b16", "vgg16-infer-b1",
    "mobilenetv2-infer-b1", "googlenet-infer-b1", "resnet152-infer-b1",
    "vit-b-16-infer-b1",
]
TRAINING = ["resnet18-train-b16", "mobilenetv2-train-b16"]
# Width of the two LSTM layers; 65 characters, batches of 50 rows of 50.
RECURRENT = {"charrnn-train": 128, "charrnn-train-512": 512}
CHARACTERS = 65
# nanoGPT's settings for a CPU: blocks, heads, width, places, batch.
GPT = (4, 4, 128, 64, 12)
IN_STEP = {"matmul-32-in-step": 200, "relu-1024-in-step": 200}


def network_and_batch(workload):
    """`resnet18-infer-b16` is resnet18 and 16."""
    title, _, batch = workload.rsplit("-", 2)
    return NETWORKS[title], int(batch[1:])
