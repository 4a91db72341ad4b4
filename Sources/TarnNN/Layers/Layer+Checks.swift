import TarnCore

extension Layer {
  /// Reports a mistake in this layer's input and gives zeros of the shape the output should have had.
  func rejected(
    _ x: Tensor, _ reason: String, hint: String? = nil, facts: [String] = [], as shape: [Int]
  ) -> Tensor {
    Diagnostic.report(
      Diagnostic(
        operation: "\(self)", reason: reason, facts: ["input \(x.shape)"] + facts, hint: hint),
      poison: shape, x.dtype)
  }

  /// Gives `y`, and makes this call a row of the table if a ``summary(inputShape:dtype:)`` is being made.
  ///
  /// Layers of your own end with it, so that they appear with the shape of their output and what they cost:
  ///
  /// ```swift
  /// struct Scale: Layer {
  ///   var factor = Tensor.ones([64])
  ///   func callAsFunction(_ x: Tensor) -> Tensor {
  ///     recorded(x * factor, multiplyAdds: x.count)
  ///   }
  /// }
  /// ```
  ///
  /// Layers made only of other layers need not call it. Parameters of one that leaves it out are listed too, but without
  /// shape and cost unless it stands in a ``Sequential`` or ``Chain``.
  ///
  /// - Parameters:
  ///   - y: the output of the layer.
  ///   - multiplyAdds: how many it took; worked out only for a summary.
  @inline(__always)
  public func recorded(_ y: Tensor, multiplyAdds: @autoclosure () -> Int = 0) -> Tensor {
    if let recorder = LayerRecorder.current {
      recorder.record(self, y, multiplyAdds: multiplyAdds())
    }
    if LayerLabels.isActive { LayerRecorder.label(self, y) }
    return y
  }

  /// nil if the input is [N, channels, spatial…] with this many spatial axes and floating; else what to give instead.
  func problem(_ x: Tensor, channels: Int?, spatial: Int, output: Int) -> Tensor? {
    let rank = spatial + 2
    let axes = "[N, C, " + (spatial == 1 ? "L]" : "H, W]")
    let shape = [1, output] + [Int](repeating: 1, count: spatial)
    if x.rank != rank {
      return rejected(
        x, "expects \(axes)", hint: Hint.missingBatch(x.shape, rank: rank), as: shape)
    }
    if let channels, x.shape[1] != channels {
      return rejected(
        x, "expects \(channels) channels at axis 1, got \(x.shape[1])",
        hint: Hint.channels(x.shape, wanted: channels), as: shape)
    }
    return floatingProblem(x, as: shape)
  }

  /// nil if the input is floating.
  func floatingProblem(_ x: Tensor, as shape: [Int]) -> Tensor? {
    if x.dtype.isFloating { return nil }
    return rejected(
      x, "expects a floating type, got \(x.dtype.name)",
      hint: x.dtype == .uint8
        ? "for pixels: .cast(to: .float32) / 255" : "call .cast(to: .float32) first", as: shape)
  }
}

/// A length for every spatial axis: an `Int` for all of them, or an array with one for each, `[3, 5]`.
public protocol Spatial: Sendable {
  /// One length for each of `rank` axes.
  func lengths(rank: Int) -> [Int]
  /// Padding before and after each axis.
  func margins(kernel: [Int], dilations: [Int]) -> (low: [Int], high: [Int])
}

extension Spatial {
  /// The same on both sides.
  public func margins(kernel: [Int], dilations: [Int]) -> (low: [Int], high: [Int]) {
    let lengths = lengths(rank: kernel.count)
    return (lengths, lengths)
  }
}

extension Int: Spatial {
  public func lengths(rank: Int) -> [Int] { [Int](repeating: self, count: rank) }
}

extension Array: Spatial where Element == Int {
  public func lengths(rank: Int) -> [Int] {
    if count == rank { return self }
    return Diagnostic.report(
      Diagnostic(
        operation: "layer", reason: "\(rank) spatial axes take one number or \(rank)",
        facts: ["given \(self)"]), giving: [Int](repeating: 1, count: rank))
  }
}

/// As much padding as keeps the length at stride 1; the odd element goes after.
public struct SamePadding: Spatial {
  public func lengths(rank: Int) -> [Int] { [Int](repeating: 0, count: rank) }
  public func margins(kernel: [Int], dilations: [Int]) -> (low: [Int], high: [Int]) {
    let totals = zip(kernel, dilations).map { $1 * ($0 - 1) }
    return (totals.map { $0 / 2 }, totals.map { $0 - $0 / 2 })
  }
}

extension Spatial where Self == SamePadding {
  /// Zeros around, so that with stride 1 the output is as long as the input.
  public static var same: SamePadding { SamePadding() }
}

/// `3` for equal lengths, `3×5` otherwise.
func brief(_ lengths: [Int]) -> String {
  Set(lengths).count == 1 ? "\(lengths[0])" : lengths.map(String.init).joined(separator: "×")
}
