import TarnCore
import TarnNN

// The blocks of Inception v3: branches side by side, whose channels are put together. Their branches are named as torchvision's.

extension AvgPool2d {
  /// The mean of 3×3 pixels, margins of zeros counted.
  fileprivate static let inception = AvgPool2d(3, stride: 1, padding: 1)
}

/// For 35×35 pixels: 1×1, 5×5, twice 3×3, pooling.
public struct InceptionA: Layer {
  public var branch1x1: ConvNormReLU
  public var branch5x5_1: ConvNormReLU
  public var branch5x5_2: ConvNormReLU
  public var branch3x3dbl_1: ConvNormReLU
  public var branch3x3dbl_2: ConvNormReLU
  public var branch3x3dbl_3: ConvNormReLU
  public var branch_pool: ConvNormReLU
  public var pool = AvgPool2d.inception

  /// - Parameter pooled: channels of the branch that pools.
  public init(_ inputs: Int, pooled: Int) {
    branch1x1 = .wide(inputs, 64, kernel: 1)
    branch5x5_1 = .wide(inputs, 48, kernel: 1)
    branch5x5_2 = .wide(48, 64, kernel: 5, padding: 2)
    branch3x3dbl_1 = .wide(inputs, 64, kernel: 1)
    branch3x3dbl_2 = .wide(64, 96, kernel: 3, padding: 1)
    branch3x3dbl_3 = .wide(96, 96, kernel: 3, padding: 1)
    branch_pool = .wide(inputs, pooled, kernel: 1)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let double = branch3x3dbl_3(branch3x3dbl_2(branch3x3dbl_1(x)))
    return .concatenated(
      [branch1x1(x), branch5x5_2(branch5x5_1(x)), double, branch_pool(pool(x))], axis: 1)
  }
}

/// From 35×35 to 17×17 pixels: 3×3, twice 3×3, pooling.
public struct InceptionB: Layer {
  public var branch3x3: ConvNormReLU
  public var branch3x3dbl_1: ConvNormReLU
  public var branch3x3dbl_2: ConvNormReLU
  public var branch3x3dbl_3: ConvNormReLU

  public init(_ inputs: Int) {
    branch3x3 = .wide(inputs, 384, kernel: 3, stride: 2)
    branch3x3dbl_1 = .wide(inputs, 64, kernel: 1)
    branch3x3dbl_2 = .wide(64, 96, kernel: 3, padding: 1)
    branch3x3dbl_3 = .wide(96, 96, kernel: 3, stride: 2)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let double = branch3x3dbl_3(branch3x3dbl_2(branch3x3dbl_1(x)))
    return .concatenated([branch3x3(x), double, MaxPool2d(3, stride: 2)(x)], axis: 1)
  }
}

/// For 17×17 pixels: 1×1, 7×7 as a row and a column, the same twice, pooling.
public struct InceptionC: Layer {
  public var branch1x1: ConvNormReLU
  public var branch7x7_1: ConvNormReLU
  public var branch7x7_2: ConvNormReLU
  public var branch7x7_3: ConvNormReLU
  public var branch7x7dbl_1: ConvNormReLU
  public var branch7x7dbl_2: ConvNormReLU
  public var branch7x7dbl_3: ConvNormReLU
  public var branch7x7dbl_4: ConvNormReLU
  public var branch7x7dbl_5: ConvNormReLU
  public var branch_pool: ConvNormReLU
  public var pool = AvgPool2d.inception

  /// - Parameter inside: channels between the rows and columns.
  public init(_ inputs: Int, inside: Int) {
    func row(_ inputs: Int, _ outputs: Int) -> ConvNormReLU {
      .wide(inputs, outputs, kernel: [1, 7], padding: [0, 3])
    }
    func column(_ inputs: Int, _ outputs: Int) -> ConvNormReLU {
      .wide(inputs, outputs, kernel: [7, 1], padding: [3, 0])
    }
    branch1x1 = .wide(inputs, 192, kernel: 1)
    branch7x7_1 = .wide(inputs, inside, kernel: 1)
    branch7x7_2 = row(inside, inside)
    branch7x7_3 = column(inside, 192)
    branch7x7dbl_1 = .wide(inputs, inside, kernel: 1)
    branch7x7dbl_2 = column(inside, inside)
    branch7x7dbl_3 = row(inside, inside)
    branch7x7dbl_4 = column(inside, inside)
    branch7x7dbl_5 = row(inside, 192)
    branch_pool = .wide(inputs, 192, kernel: 1)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let single = branch7x7_3(branch7x7_2(branch7x7_1(x)))
    let half = branch7x7dbl_3(branch7x7dbl_2(branch7x7dbl_1(x)))
    let double = branch7x7dbl_5(branch7x7dbl_4(half))
    return .concatenated([branch1x1(x), single, double, branch_pool(pool(x))], axis: 1)
  }
}

/// From 17×17 to 8×8 pixels: 3×3, 7×7 and 3×3, pooling.
public struct InceptionD: Layer {
  public var branch3x3_1: ConvNormReLU
  public var branch3x3_2: ConvNormReLU
  public var branch7x7x3_1: ConvNormReLU
  public var branch7x7x3_2: ConvNormReLU
  public var branch7x7x3_3: ConvNormReLU
  public var branch7x7x3_4: ConvNormReLU

  public init(_ inputs: Int) {
    branch3x3_1 = .wide(inputs, 192, kernel: 1)
    branch3x3_2 = .wide(192, 320, kernel: 3, stride: 2)
    branch7x7x3_1 = .wide(inputs, 192, kernel: 1)
    branch7x7x3_2 = .wide(192, 192, kernel: [1, 7], padding: [0, 3])
    branch7x7x3_3 = .wide(192, 192, kernel: [7, 1], padding: [3, 0])
    branch7x7x3_4 = .wide(192, 192, kernel: 3, stride: 2)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let wide = branch7x7x3_4(branch7x7x3_3(branch7x7x3_2(branch7x7x3_1(x))))
    return .concatenated(
      [branch3x3_2(branch3x3_1(x)), wide, MaxPool2d(3, stride: 2)(x)], axis: 1)
  }
}

/// For 8×8 pixels: 1×1, a row and a column of three side by side, the same after 3×3, pooling.
public struct InceptionE: Layer {
  public var branch1x1: ConvNormReLU
  public var branch3x3_1: ConvNormReLU
  public var branch3x3_2a: ConvNormReLU
  public var branch3x3_2b: ConvNormReLU
  public var branch3x3dbl_1: ConvNormReLU
  public var branch3x3dbl_2: ConvNormReLU
  public var branch3x3dbl_3a: ConvNormReLU
  public var branch3x3dbl_3b: ConvNormReLU
  public var branch_pool: ConvNormReLU
  public var pool = AvgPool2d.inception

  public init(_ inputs: Int) {
    func row() -> ConvNormReLU { .wide(384, 384, kernel: [1, 3], padding: [0, 1]) }
    func column() -> ConvNormReLU { .wide(384, 384, kernel: [3, 1], padding: [1, 0]) }
    branch1x1 = .wide(inputs, 320, kernel: 1)
    branch3x3_1 = .wide(inputs, 384, kernel: 1)
    branch3x3_2a = row()
    branch3x3_2b = column()
    branch3x3dbl_1 = .wide(inputs, 448, kernel: 1)
    branch3x3dbl_2 = .wide(448, 384, kernel: 3, padding: 1)
    branch3x3dbl_3a = row()
    branch3x3dbl_3b = column()
    branch_pool = .wide(inputs, 192, kernel: 1)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let single = branch3x3_1(x)
    let double = branch3x3dbl_2(branch3x3dbl_1(x))
    return .concatenated(
      [
        branch1x1(x), branch3x3_2a(single), branch3x3_2b(single), branch3x3dbl_3a(double),
        branch3x3dbl_3b(double), branch_pool(pool(x)),
      ], axis: 1)
  }
}

/// A classifier on 17×17 features on the way, [N, C, 17, 17] → [N, classes].
public struct InceptionAuxiliary: Layer {
  public var conv0: ConvNormReLU
  public var conv1: ConvNormReLU
  public var fc: Linear

  public init(_ inputs: Int, classes: Int) {
    conv0 = .wide(inputs, 128, kernel: 1)
    conv1 = .wide(128, 768, kernel: 5)
    fc = Linear(768, classes, initializer: .truncatedNormal(deviation: 0.001))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    fc(conv1(conv0(AvgPool2d(5, stride: 3)(x))).channelMeans())
  }
}
