import TarnCore

/// Batch normalisation of [N, C] or [N, C, L] over all but the channels:
/// y = (x − μ) / √(σ² + ε) · γ + β (Ioffe and Szegedy, 2015).
///
/// In training μ and σ² are the batch's, and the running statistics are reported as updates, see ``withUpdates(_:_:)``:
/// running ← (1 − momentum) running + momentum · batch, with the unbiased variance. In inference they are the running ones.
public struct BatchNorm1d: Layer, CustomStringConvertible {
  /// γ [C] and β [C]; nil without affine part.
  public var weight: Tensor?
  /// β
  public var bias: Tensor?
  /// Running mean [C].
  @Buffer public var runningMean: Tensor
  @Buffer public var runningVariance: Tensor
  @Buffer public var batchesTracked: Tensor
  public var settings: BatchNormSettings

  enum CodingKeys: String, CodingKey {
    case weight, bias, settings
    case runningMean = "running_mean"
    case runningVariance = "running_var"
    case batchesTracked = "num_batches_tracked"
  }

  /// For `channels` channels; with `affine`, γ starts at 1 and β at 0.
  public init(
    _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = true
  ) {
    weight = affine ? .ones([channels]) : nil
    bias = affine ? .zeros([channels]) : nil
    runningMean = .zeros([channels])
    runningVariance = .ones([channels])
    batchesTracked = .zeros([], dtype: .int64)
    settings = BatchNormSettings(epsilon: epsilon, momentum: momentum)
  }

  public var description: String { "BatchNorm1d(\(runningMean.count))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank == 2 || x.rank == 3 else {
      return rejected(x, "expects [N, C] or [N, C, L]", as: [1, runningMean.count])
    }
    if let problem = problem(
      x, channels: runningMean.count, spatial: x.rank - 2, output: runningMean.count)
    {
      return problem
    }
    return recorded(
      settings.normalized(
        x, weight, bias, mean: $runningMean, variance: $runningVariance, count: $batchesTracked,
        "\(self)"))
  }
}

/// Batch normalisation of [N, C, H, W]; see ``BatchNorm1d``.
///
/// ```swift
/// let block = Sequential { Conv2d(3, 64, kernel: 3, bias: false); BatchNorm2d(64); ReLU() }
/// ```
public struct BatchNorm2d: Layer, CustomStringConvertible {
  /// γ [C] and β [C]; nil without affine part.
  public var weight: Tensor?
  /// β
  public var bias: Tensor?
  /// Running mean [C].
  @Buffer public var runningMean: Tensor
  @Buffer public var runningVariance: Tensor
  @Buffer public var batchesTracked: Tensor
  public var settings: BatchNormSettings

  enum CodingKeys: String, CodingKey {
    case weight, bias, settings
    case runningMean = "running_mean"
    case runningVariance = "running_var"
    case batchesTracked = "num_batches_tracked"
  }

  /// For `channels` channels; with `affine`, γ starts at 1 and β at 0.
  public init(
    _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = true
  ) {
    weight = affine ? .ones([channels]) : nil
    bias = affine ? .zeros([channels]) : nil
    runningMean = .zeros([channels])
    runningVariance = .ones([channels])
    batchesTracked = .zeros([], dtype: .int64)
    settings = BatchNormSettings(epsilon: epsilon, momentum: momentum)
  }

  public var description: String { "BatchNorm2d(\(runningMean.count))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    if let problem = problem(x, channels: runningMean.count, spatial: 2, output: runningMean.count)
    {
      return problem
    }
    return recorded(
      settings.normalized(
        x, weight, bias, mean: $runningMean, variance: $runningVariance, count: $batchesTracked,
        "\(self)"))
  }
}

/// The numbers of a batch normalisation.
public struct BatchNormSettings: Hashable, Sendable, Codable {
  /// Added to the variance.
  public var epsilon: Double
  /// Share of the batch in the running statistics.
  public var momentum: Double

  public init(epsilon: Double = 1e-5, momentum: Double = 0.1) {
    (self.epsilon, self.momentum) = (epsilon, momentum)
  }

  func normalized(
    _ x: Tensor, _ weight: Tensor?, _ bias: Tensor?, mean: Buffer, variance: Buffer, count: Buffer,
    _ layer: String
  ) -> Tensor {
    guard Phase.current.isTraining else {
      let shape = [-1] + [Int](repeating: 1, count: x.rank - 2)
      let deviation = (variance.wrappedValue + epsilon).rsqrt()
      let factor = weight.map { deviation * $0 } ?? deviation
      let offset = -(mean.wrappedValue * factor)
      return x * factor.reshaped(shape) + (bias.map { $0 + offset } ?? offset).reshaped(shape)
    }
    let n = x.count / max(1, x.shape[1])
    if n < 2 {
      Diagnostic.report(
        Diagnostic(
          operation: layer, reason: "a batch of one value per channel has no variance",
          facts: ["input \(x.shape)"], hint: "train with a batch of two or more"))
    }
    let moments = x.floating.channelMoments()
    let share = momentum
    mean.update { $0 * (1 - share) + moments[0] * share }
    variance.update {
      $0 * (1 - share) + moments[1] * (share * Double(n) / Double(max(1, n - 1)))
    }
    count.update { $0 + 1 }
    return x.floating.batchNormalized(moments, scale: weight, shift: bias, epsilon: epsilon)
  }
}

/// y = (x − μ) / √(σ² + ε) · γ + β over the last axes of each example (Ba et al., 2016).
///
/// ```swift
/// let norm = LayerNorm(512)            // over the last axis of [N, T, 512]
/// ```
public struct LayerNorm: Layer, CustomStringConvertible {
  /// γ and β of the normalised shape; nil without affine part.
  public var weight: Tensor?
  /// β
  public var bias: Tensor?
  /// The axes at the end that are normalised.
  public var shape: [Int]
  /// ε, added to the variance.
  public var epsilon: Double

  /// Over the last axes, of lengths `shape`; γ starts at 1 and β at 0.
  public init(_ shape: Int..., epsilon: Double = 1e-5, affine: Bool = true, bias: Bool = true) {
    weight = affine ? .ones(shape) : nil
    self.bias = affine && bias ? .zeros(shape) : nil
    self.shape = shape
    self.epsilon = epsilon
  }

  public var description: String { "LayerNorm(\(shape.map(String.init).joined(separator: "×")))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= shape.count, Array(x.shape.suffix(shape.count)) == shape else {
      return rejected(x, "expects the last axes to be \(shape)", as: x.shape)
    }
    if let problem = floatingProblem(x, as: x.shape) { return problem }
    return recorded(x.layerNormalized(over: shape.count, epsilon, weight: weight, bias: bias))
  }
}

/// Normalises each of `groups` groups of channels of each example of [N, C, …] (Wu and He, 2018).
///
/// With as many groups as channels it is instance normalisation.
public struct GroupNorm: Layer, CustomStringConvertible {
  /// γ [C] and β [C]; nil without affine part.
  public var weight: Tensor?
  /// β
  public var bias: Tensor?
  /// Number of groups.
  public var groups: Int
  /// C, a multiple of the groups.
  public var channels: Int
  /// ε, added to the variance.
  public var epsilon: Double

  /// `channels` that are no multiple of `groups` are reported.
  public init(groups: Int, _ channels: Int, epsilon: Double = 1e-5, affine: Bool = true) {
    if groups < 1 || channels % groups != 0 {
      Diagnostic.report(
        Diagnostic(
          operation: "GroupNorm", reason: "the channels must be a multiple of the groups",
          facts: ["channels \(channels)", "groups   \(groups)"]))
    }
    weight = affine ? .ones([channels]) : nil
    bias = affine ? .zeros([channels]) : nil
    (self.groups, self.channels, self.epsilon) = (max(1, groups), channels, epsilon)
  }

  public var description: String { "GroupNorm(\(groups) groups of \(channels))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= 2, x.shape[1] == channels else {
      return rejected(
        x, "expects \(channels) channels at axis 1", hint: Hint.channels(x.shape, wanted: channels),
        as: x.shape)
    }
    if let problem = floatingProblem(x, as: x.shape) { return problem }
    let rows = x.reshaped([x.shape[0], groups, x.shape[2...].reduce(channels / groups, *)])
    let y = rows.standardized(axes: [2], epsilon).reshaped(x.shape)
    let shape = [-1] + [Int](repeating: 1, count: x.rank - 2)
    let scaled = weight.map { y * $0.reshaped(shape) } ?? y
    return recorded(bias.map { scaled + $0.reshaped(shape) } ?? scaled)
  }
}

/// y = x / (k + α/n Σ x²)^β, the sum over n neighbouring channels of [N, C, …] (Krizhevsky et al., 2012).
public struct LocalResponseNorm: Layer, CustomStringConvertible {
  /// n, neighbouring channels in the sum.
  public var size: Int
  /// α
  public var alpha: Double
  /// β
  public var beta: Double
  /// k
  public var k: Double

  /// Over `size` neighbouring channels.
  public init(_ size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    (self.size, self.alpha, self.beta, self.k) = (size, alpha, beta, k)
  }

  public var description: String { "LocalResponseNorm(\(size))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= 3 else { return rejected(x, "expects [N, C, spatial…]", as: x.shape) }
    if let problem = floatingProblem(x, as: x.shape) { return problem }
    let settings = self
    let call = Call.composite(
      "localResponseNorm", [.integer(Int64(size)), .real(alpha), .real(beta), .real(k)]
    ) { settings.normalized($0[0]) }
    return recorded(.composite(call, [x], x.shape))
  }

  /// Channels as a spatial axis: a mean over a window of them, what lies outside counting as zero.
  private func normalized(_ x: Tensor) -> Tensor {
    let rows = x.squared().reshaped([x.shape[0], 1, x.shape[1], x.shape[2...].reduce(1, *)])
    let mean = rows.averagePooled(
      [size, 1], strides: [1, 1], padding: [(size / 2, (size - 1) / 2), (0, 0)])
    return x * (mean.reshaped(x.shape) * alpha + k).pow(-beta)
  }
}
