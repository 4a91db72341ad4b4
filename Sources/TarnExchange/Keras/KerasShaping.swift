import TarnCore

/// Layers that move numbers about, and one that scales them.
enum KerasShaping {
  /// All axes but the first into one, in the order of channels-last.
  static func flatten(_ config: KerasConfig) throws -> any KerasOperation {
    let isChannelsLast = try config.isChannelsLast()
    return KerasFunction { x in
      guard x.rank > 1 else { return x.expandedDims(1) }
      let isMoved = !isChannelsLast && x.rank > 2
      let last = isMoved ? x.permuted([0] + Array(2..<x.rank) + [1]) : x
      return last.flattened(from: 1)
    }
  }

  static func reshape(_ config: KerasConfig) throws -> any KerasOperation {
    let target = try config.integers("target_shape")
    guard target.filter({ $0 == -1 }).count <= 1, target.allSatisfy({ $0 >= -1 }) else {
      throw KerasRefusal("target_shape is no shape")
    }
    return KerasFunction { $0.reshaped([$0.shape.first ?? 1] + target) }
  }

  static func permute(_ config: KerasConfig) throws -> any KerasOperation {
    let dims = try config.integers("dims")
    guard dims.sorted() == Array(1..<(dims.count + 1)) else {
      throw KerasRefusal("dims is no order")
    }
    let rank = dims.count + 1
    return KerasFunction(ranks: rank...rank) { $0.permuted([0] + dims) }
  }

  static func repeatVector(_ config: KerasConfig) throws -> any KerasOperation {
    let count = try config.int("n")
    return KerasFunction(ranks: 2...2) {
      $0.expandedDims(1).broadcast(to: [$0.shape[0], count, $0.shape[1]])
    }
  }

  static func padding(_ config: KerasConfig, axes: Int) throws -> any KerasOperation {
    let margins = try spatial(config, config.margins("padding", axes))
    return KerasFunction(ranks: (axes + 2)...(axes + 2)) { $0.padded(margins) }
  }

  static func cropping(_ config: KerasConfig, axes: Int) throws -> any KerasOperation {
    let margins = try spatial(config, config.margins("cropping", axes))
    return KerasFunction(ranks: (axes + 2)...(axes + 2)) {
      $0.padded(margins.map { (-$0.0, -$0.1) })
    }
  }

  /// Margins of all axes: none for batch and channels.
  private static func spatial(
    _ config: KerasConfig, _ margins: [(Int, Int)]
  ) throws -> [(Int, Int)] {
    try config.isChannelsLast()
      ? [(0, 0)] + margins + [(0, 0)] : [(0, 0), (0, 0)] + margins
  }

  static func upsampling1D(_ config: KerasConfig) throws -> any KerasOperation {
    let factor = try config.ints("size", 1, [2])
    return KerasFunction(ranks: 3...3) {
      $0.permuted([0, 2, 1]).upsampled(by: factor).permuted([0, 2, 1])
    }
  }

  static func upsampling2D(_ config: KerasConfig) throws -> any KerasOperation {
    let factors = try config.ints("size", 2, [2, 2])
    let isChannelsLast = try config.isChannelsLast()
    let mode: Interpolation
    switch try config.string("interpolation", "nearest") {
    case "nearest": mode = .nearest
    case "bilinear": mode = .bilinear()
    case let other: throw KerasRefusal("interpolation '\(other)'")
    }
    return KerasFunction(ranks: 4...4) { x in
      guard isChannelsLast else { return x.upsampled(by: factors, mode: mode) }
      return x.permuted([0, 3, 1, 2]).upsampled(by: factors, mode: mode).permuted([0, 2, 3, 1])
    }
  }

  /// x · scale + offset.
  static func rescaling(_ config: KerasConfig) throws -> any KerasOperation {
    let (scale, offset) = (try config.doubles("scale"), try config.doubles("offset"))
    return KerasFunction { x in
      let x = x.floating
      func factor(_ numbers: [Double], _ standard: Double) -> Tensor {
        numbers.count > 1
          ? Tensor(numbers).cast(to: x.dtype)
          : Tensor.full([], numbers.first ?? standard, dtype: x.dtype)
      }
      return x * factor(scale, 1) + factor(offset, 0)
    }
  }
}
