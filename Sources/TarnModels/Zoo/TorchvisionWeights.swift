/// What torchvision 0.29 states of the weights it publishes, by the names of its networks.
enum TorchvisionWeights {
  static let all: [String: [PublishedWeights]] = [
    "alexnet": [
      .torchvision("alexnet-owt-7be5be79.pth", "IMAGENET1K_V1", top1: 56.522, top5: 79.066)
    ],
    "vgg11": [
      .torchvision("vgg11-8a719046.pth", "IMAGENET1K_V1", top1: 69.02, top5: 88.628)
    ],
    "vgg11_bn": [
      .torchvision("vgg11_bn-6002323d.pth", "IMAGENET1K_V1", top1: 70.37, top5: 89.81)
    ],
    "vgg13": [
      .torchvision("vgg13-19584684.pth", "IMAGENET1K_V1", top1: 69.928, top5: 89.246)
    ],
    "vgg13_bn": [
      .torchvision("vgg13_bn-abd245e5.pth", "IMAGENET1K_V1", top1: 71.586, top5: 90.374)
    ],
    "vgg16": [
      .torchvision("vgg16-397923af.pth", "IMAGENET1K_V1", top1: 71.592, top5: 90.382)
    ],
    "vgg16_bn": [
      .torchvision("vgg16_bn-6c64b313.pth", "IMAGENET1K_V1", top1: 73.36, top5: 91.516)
    ],
    "vgg19": [
      .torchvision("vgg19-dcbb9e9d.pth", "IMAGENET1K_V1", top1: 72.376, top5: 90.876)
    ],
    "vgg19_bn": [
      .torchvision("vgg19_bn-c79401a0.pth", "IMAGENET1K_V1", top1: 74.218, top5: 91.842)
    ],
    "googlenet": [
      .torchvision(
        "googlenet-1378be20.pth", "IMAGENET1K_V1", top1: 69.778, top5: 89.53, mean: halves,
        deviation: halves)
    ],
    "inception_v3": [
      .torchvision(
        "inception_v3_google-0cc3c7bd.pth", "IMAGENET1K_V1", top1: 77.294, top5: 93.45, crop: 299,
        resize: 342, mean: halves, deviation: halves)
    ],
    "resnet18": [
      .torchvision("resnet18-f37072fd.pth", "IMAGENET1K_V1", top1: 69.758, top5: 89.078)
    ],
    "resnet34": [
      .torchvision("resnet34-b627a593.pth", "IMAGENET1K_V1", top1: 73.314, top5: 91.42)
    ],
    "resnet50": [
      .torchvision("resnet50-0676ba61.pth", "IMAGENET1K_V1", top1: 76.13, top5: 92.862),
      .torchvision(
        "resnet50-11ad3fa6.pth", "IMAGENET1K_V2", top1: 80.858, top5: 95.434, resize: 232),
    ],
    "resnet101": [
      .torchvision("resnet101-63fe2227.pth", "IMAGENET1K_V1", top1: 77.374, top5: 93.546),
      .torchvision(
        "resnet101-cd907fc2.pth", "IMAGENET1K_V2", top1: 81.886, top5: 95.78, resize: 232),
    ],
    "resnet152": [
      .torchvision("resnet152-394f9c45.pth", "IMAGENET1K_V1", top1: 78.312, top5: 94.046),
      .torchvision(
        "resnet152-f82ba261.pth", "IMAGENET1K_V2", top1: 82.284, top5: 96.002, resize: 232),
    ],
    "resnext50_32x4d": [
      .torchvision("resnext50_32x4d-7cdf4587.pth", "IMAGENET1K_V1", top1: 77.618, top5: 93.698),
      .torchvision(
        "resnext50_32x4d-1a0047aa.pth", "IMAGENET1K_V2", top1: 81.198, top5: 95.34, resize: 232),
    ],
    "resnext101_32x8d": [
      .torchvision("resnext101_32x8d-8ba56ff5.pth", "IMAGENET1K_V1", top1: 79.312, top5: 94.526),
      .torchvision(
        "resnext101_32x8d-110c445d.pth", "IMAGENET1K_V2", top1: 82.834, top5: 96.228, resize: 232),
    ],
    "resnext101_64x4d": [
      .torchvision(
        "resnext101_64x4d-173b62eb.pth", "IMAGENET1K_V1", top1: 83.246, top5: 96.454, resize: 232)
    ],
    "wide_resnet50_2": [
      .torchvision("wide_resnet50_2-95faca4d.pth", "IMAGENET1K_V1", top1: 78.468, top5: 94.086),
      .torchvision(
        "wide_resnet50_2-9ba9bcbe.pth", "IMAGENET1K_V2", top1: 81.602, top5: 95.758, resize: 232),
    ],
    "wide_resnet101_2": [
      .torchvision("wide_resnet101_2-32ee1156.pth", "IMAGENET1K_V1", top1: 78.848, top5: 94.284),
      .torchvision(
        "wide_resnet101_2-d733dc28.pth", "IMAGENET1K_V2", top1: 82.51, top5: 96.02, resize: 232),
    ],
    "squeezenet1_0": [
      .torchvision("squeezenet1_0-b66bff10.pth", "IMAGENET1K_V1", top1: 58.092, top5: 80.42)
    ],
    "squeezenet1_1": [
      .torchvision("squeezenet1_1-b8a52dc0.pth", "IMAGENET1K_V1", top1: 58.178, top5: 80.624)
    ],
    "mobilenet_v2": [
      .torchvision("mobilenet_v2-b0353104.pth", "IMAGENET1K_V1", top1: 71.878, top5: 90.286),
      .torchvision(
        "mobilenet_v2-7ebf99e0.pth", "IMAGENET1K_V2", top1: 72.154, top5: 90.822, resize: 232),
    ],
    "mobilenet_v3_small": [
      .torchvision("mobilenet_v3_small-047dcff4.pth", "IMAGENET1K_V1", top1: 67.668, top5: 87.402)
    ],
    "mobilenet_v3_large": [
      .torchvision("mobilenet_v3_large-8738ca79.pth", "IMAGENET1K_V1", top1: 74.042, top5: 91.34),
      .torchvision(
        "mobilenet_v3_large-5c1a4163.pth", "IMAGENET1K_V2", top1: 75.274, top5: 92.566, resize: 232),
    ],
    "efficientnet_b0": [
      .torchvision(
        "efficientnet_b0_rwightman-7f5810bc.pth", "IMAGENET1K_V1", top1: 77.692, top5: 93.532,
        .bicubic)
    ],
    "efficientnet_b1": [
      .torchvision(
        "efficientnet_b1_rwightman-bac287d4.pth", "IMAGENET1K_V1", top1: 78.642, top5: 94.186,
        crop: 240, .bicubic),
      .torchvision(
        "efficientnet_b1-c27df63c.pth", "IMAGENET1K_V2", top1: 79.838, top5: 94.934, crop: 240,
        resize: 255),
    ],
    "efficientnet_b2": [
      .torchvision(
        "efficientnet_b2_rwightman-c35c1473.pth", "IMAGENET1K_V1", top1: 80.608, top5: 95.31,
        crop: 288, resize: 288, .bicubic)
    ],
    "efficientnet_b3": [
      .torchvision(
        "efficientnet_b3_rwightman-b3899882.pth", "IMAGENET1K_V1", top1: 82.008, top5: 96.054,
        crop: 300, resize: 320, .bicubic)
    ],
    "efficientnet_b4": [
      .torchvision(
        "efficientnet_b4_rwightman-23ab8bcd.pth", "IMAGENET1K_V1", top1: 83.384, top5: 96.594,
        crop: 380, resize: 384, .bicubic)
    ],
    "efficientnet_b5": [
      .torchvision(
        "efficientnet_b5_lukemelas-1a07897c.pth", "IMAGENET1K_V1", top1: 83.444, top5: 96.628,
        crop: 456, resize: 456, .bicubic)
    ],
    "efficientnet_b6": [
      .torchvision(
        "efficientnet_b6_lukemelas-24a108a5.pth", "IMAGENET1K_V1", top1: 84.008, top5: 96.916,
        crop: 528, resize: 528, .bicubic)
    ],
    "efficientnet_b7": [
      .torchvision(
        "efficientnet_b7_lukemelas-c5b4e57e.pth", "IMAGENET1K_V1", top1: 84.122, top5: 96.908,
        crop: 600, resize: 600, .bicubic)
    ],
    "densenet121": [
      .torchvision("densenet121-a639ec97.pth", "IMAGENET1K_V1", top1: 74.434, top5: 91.972)
    ],
    "densenet161": [
      .torchvision("densenet161-8d451a50.pth", "IMAGENET1K_V1", top1: 77.138, top5: 93.56)
    ],
    "densenet169": [
      .torchvision("densenet169-b2777c0a.pth", "IMAGENET1K_V1", top1: 75.6, top5: 92.806)
    ],
    "densenet201": [
      .torchvision("densenet201-c1103571.pth", "IMAGENET1K_V1", top1: 76.896, top5: 93.37)
    ],
    "convnext_tiny": [
      .torchvision(
        "convnext_tiny-983f1562.pth", "IMAGENET1K_V1", top1: 82.52, top5: 96.146, resize: 236)
    ],
    "convnext_small": [
      .torchvision(
        "convnext_small-0c510722.pth", "IMAGENET1K_V1", top1: 83.616, top5: 96.65, resize: 230)
    ],
    "convnext_base": [
      .torchvision(
        "convnext_base-6075fbad.pth", "IMAGENET1K_V1", top1: 84.062, top5: 96.87, resize: 232)
    ],
    "convnext_large": [
      .torchvision(
        "convnext_large-ea097f82.pth", "IMAGENET1K_V1", top1: 84.414, top5: 96.976, resize: 232)
    ],
    "vit_b_16": [
      .torchvision("vit_b_16-c867db91.pth", "IMAGENET1K_V1", top1: 81.072, top5: 95.318),
      .torchvision(
        "vit_b_16_swag-9ac1b537.pth", "IMAGENET1K_SWAG_E2E_V1", top1: 85.304, top5: 97.65,
        crop: 384, resize: 384, .bicubic, licence: swag),
      .torchvision(
        "vit_b_16_lc_swag-4e70ced5.pth", "IMAGENET1K_SWAG_LINEAR_V1", top1: 81.886, top5: 96.18,
        resize: 224, .bicubic, licence: swag),
    ],
    "vit_b_32": [
      .torchvision("vit_b_32-d86f8d99.pth", "IMAGENET1K_V1", top1: 75.912, top5: 92.466)
    ],
    "vit_l_16": [
      .torchvision(
        "vit_l_16-852ce7e3.pth", "IMAGENET1K_V1", top1: 79.662, top5: 94.638, resize: 242),
      .torchvision(
        "vit_l_16_swag-4f3808c9.pth", "IMAGENET1K_SWAG_E2E_V1", top1: 88.064, top5: 98.512,
        crop: 512, resize: 512, .bicubic, licence: swag),
      .torchvision(
        "vit_l_16_lc_swag-4d563306.pth", "IMAGENET1K_SWAG_LINEAR_V1", top1: 85.146, top5: 97.422,
        resize: 224, .bicubic, licence: swag),
    ],
    "vit_l_32": [
      .torchvision("vit_l_32-c7638314.pth", "IMAGENET1K_V1", top1: 76.972, top5: 93.07)
    ],
  ]

  /// Networks converted from TensorFlow see (pixel − 0.5) / 0.5.
  private static let halves = [0.5, 0.5, 0.5]
  private static let swag = "CC-BY-NC-4.0 (SWAG)"
}
