import TarnCore

extension Tensor {
  /// [C] laid along one axis of `rank` axes.
  func along(_ axis: Int, of rank: Int) -> Tensor {
    var shape = [Int](repeating: 1, count: rank)
    if shape.indices.contains(axis) { shape[axis] = count }
    return reshaped(shape)
  }
}

/// (x − mean) / √(variance + ε) · γ + β with running statistics.
struct KerasBatchNormalization: KerasOperation {
  let variables: [KerasVariable]
  private let axis: Int
  private let epsilon: Double
  private let hasScale: Bool, hasCenter: Bool

  init(_ config: KerasConfig) throws {
    if let mode = config["mode"]?.int, mode != 0 { throw KerasRefusal("mode \(mode)") }
    axis = try config.axis("axis", -1)
    epsilon = try config.double("epsilon", 1e-3)
    (hasScale, hasCenter) = (try config.bool("scale", true), try config.bool("center", true))
    variables =
      (hasScale ? [KerasVariable("gamma", rank: 1)] : [])
      + (hasCenter ? [KerasVariable("beta", rank: 1)] : [])
      + [
        KerasVariable("moving_mean", rank: 1, isTrainable: false),
        KerasVariable("moving_variance", rank: 1, isTrainable: false),
      ]
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let x = inputs[0]
    let axis = axis < 0 ? axis + x.rank : axis
    let laid = variables.map { $0.along(axis, of: x.rank) }
    let (mean, variance) = (laid[laid.count - 2], laid[laid.count - 1])
    var factor = (variance + epsilon).rsqrt()
    if hasScale { factor = factor * laid[0] }
    let y = (x - mean) * factor
    return hasCenter ? y + laid[hasScale ? 1 : 0] : y
  }
}

/// (x − mean) / √(variance + ε) · γ + β with the statistics of each example over some axes.
struct KerasLayerNormalization: KerasOperation {
  let variables: [KerasVariable]
  private let axes: [Int]
  private let epsilon: Double
  private let hasScale: Bool, hasCenter: Bool

  init(_ config: KerasConfig) throws {
    try config.refuse("rms_scaling", unless: false)
    axes =
      config["axis"]?.array == nil ? [try config.axis("axis", -1)] : try config.integers("axis")
    epsilon = try config.double("epsilon", 1e-3)
    (hasScale, hasCenter) = (try config.bool("scale", true), try config.bool("center", true))
    variables =
      (hasScale ? [KerasVariable("gamma", rank: axes.count)] : [])
      + (hasCenter ? [KerasVariable("beta", rank: axes.count)] : [])
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let x = inputs[0]
    let own = axes.map { $0 < 0 ? $0 + x.rank : $0 }
    func laid(_ variable: Tensor) -> Tensor {
      var shape = [Int](repeating: 1, count: x.rank)
      for (axis, length) in zip(own.sorted(), variable.shape) where shape.indices.contains(axis) {
        shape[axis] = length
      }
      return variable.reshaped(shape)
    }
    let centered = x - x.mean(axes: own, keepDims: true)
    let variance = centered.squared().mean(axes: own, keepDims: true)
    var y = centered * (variance + epsilon).rsqrt()
    if hasScale { y = y * laid(variables[0]) }
    return hasCenter ? y + laid(variables[hasScale ? 1 : 0]) : y
  }
}

/// (x − mean) / max(√variance, 1e-7) with statistics of the data, which the configuration or variables give.
struct KerasStandardization: KerasOperation {
  let variables: [KerasVariable]
  private let mean: [Double], variance: [Double]
  private let isInverse: Bool

  init(_ config: KerasConfig) throws {
    let axis = config["axis"]?.array
    guard (try config.axis("axis", -1)) == -1 || axis?.isEmpty == true else {
      throw KerasRefusal("its axis is not the last")
    }
    (mean, variance) = (try config.doubles("mean"), try config.doubles("variance"))
    guard mean.count == variance.count else { throw KerasRefusal("mean and variance differ") }
    isInverse = try config.bool("invert", false)
    variables =
      mean.isEmpty
      ? ["mean", "variance", "count"].map {
        KerasVariable($0, rank: nil, isTrainable: false)
      } : []
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let x = inputs[0].floating
    let given = variables.isEmpty
    let mean = given ? Tensor(mean).cast(to: x.dtype) : variables[0]
    let variance = given ? Tensor(variance).cast(to: x.dtype) : variables[1]
    let deviation = variance.sqrt().maximum(1e-7)
    return isInverse ? mean + x * deviation : (x - mean) / deviation
  }
}
