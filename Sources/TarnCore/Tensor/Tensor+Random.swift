import Foundation

/// Random tensors: functions of a key, the same on every device. See ``RandomKey``.
extension Tensor {
  /// Uniform in [from, to), up to rounding where the ends are not 0 and 1.
  ///
  /// ```swift
  /// let u = Tensor.uniform([2, 3], from: -1, to: 1, key: RandomKey(seed: 0))
  /// ```
  public static func uniform(
    _ shape: [Int], from: Double = 0, to: Double = 1, key: RandomKey, dtype: DType = .float32
  ) -> Tensor {
    guard dtype.isFloating else {
      return rejectedType(
        "uniform", shape, dtype, hint: "for integers use randomIntegers(_:in:key:)")
    }
    guard shape.checkedProduct != nil else {
      return full(shape, .integer(0), dtype: dtype, device: key.tensor.device)
    }
    let unit = record(.random(.uniform), key.tensor, shape, dtype)
    return from == 0 && to == 1 ? unit : unit * (to - from) + from
  }

  /// Normal with the given mean and standard deviation, by Box and Muller's transformation √(−2
  /// ln(1 − u)) cos 2πv.
  public static func normal(
    _ shape: [Int], mean: Double = 0, deviation: Double = 1, key: RandomKey, dtype: DType = .float32
  ) -> Tensor {
    guard dtype.isFloating else { return rejectedType("normal", shape, dtype) }
    let (a, b) = key.split()
    let working: DType = dtype == .float64 ? .float64 : .float32
    let radius = (-2 * (-uniform(shape, key: a, dtype: working)).log1p()).sqrt()
    let angle = 2 * Double.pi * uniform(shape, key: b, dtype: working)
    return (radius * angle.cos() * deviation + mean).cast(to: dtype)
  }

  /// Normal, but only what lies between `from` and `to` standard deviations of the mean.
  ///
  /// `mean` and `deviation` are those of the normal that is cut, √2 erf⁻¹ of a uniform number.
  public static func truncatedNormal(
    _ shape: [Int], mean: Double = 0, deviation: Double = 1, from: Double = -2, to: Double = 2,
    key: RandomKey, dtype: DType = .float32
  ) -> Tensor {
    guard dtype.isFloating else { return rejectedType("truncatedNormal", shape, dtype) }
    guard from < to else {
      return Diagnostic.report(
        Diagnostic(
          operation: "truncatedNormal", reason: "the lower end must be below the upper one",
          facts: ["from \(from) to \(to)"]), poison: shape, dtype)
    }
    let working: DType = dtype == .float64 ? .float64 : .float32
    let u = uniform(
      shape, from: Foundation.erf(from / 2.0.squareRoot()),
      to: Foundation.erf(to / 2.0.squareRoot()), key: key, dtype: working)
    let standard = (u.erfInverse() * 2.0.squareRoot()).clamped(min: from, max: to)
    return (standard * deviation + mean).cast(to: dtype)
  }

  /// True with the given probability: bool.
  public static func bernoulli(_ shape: [Int], probability: Double, key: RandomKey) -> Tensor {
    guard (0...1).contains(probability) else {
      return Diagnostic.report(
        Diagnostic(
          operation: "bernoulli", reason: "a probability lies between 0 and 1",
          facts: ["probability \(probability)"]), poison: shape, .bool)
    }
    return uniform(shape, key: key) .< probability
  }

  /// Class numbers (int64, [...]) drawn with the probabilities softmax(logits), logits [..., K].
  ///
  /// The largest of logits + Gumbel noise −ln(−ln u).
  public static func categorical(logits: Tensor, key: RandomKey) -> Tensor {
    guard logits.rank >= 1, logits.shape[logits.rank - 1] > 0 else {
      return logits.rejected(
        "categorical", "logits are [..., classes]", as: Array(logits.shape.dropLast()), .int64)
    }
    let working: DType = logits.dtype == .float64 ? .float64 : .float32
    let u = uniform(logits.shape, key: key, dtype: working)
    return (logits.cast(to: working) - (-u.log()).log()).argMax(axis: -1)
  }

  /// 0, 1, … n − 1 in random order: int64 [n].
  public static func permutation(_ n: Int, key: RandomKey) -> Tensor {
    guard n >= 0 else {
      return Diagnostic.report(
        Diagnostic(operation: "permutation", reason: "cannot order \(n) elements"), poison: [0],
        .int64)
    }
    return record(.random(.bits), key.tensor, [n], .int64).argSort()
  }

  /// Uniform integers in a range: int64. Numbers of the range differ in probability by less than
  /// its length / 2⁶⁴.
  ///
  /// ```swift
  /// let dice = Tensor.randomIntegers([10], in: 1..<7, key: key)
  /// ```
  public static func randomIntegers(_ shape: [Int], in range: Range<Int>, key: RandomKey) -> Tensor
  {
    let (width, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
    guard !overflow, width > 0, shape.checkedProduct != nil else {
      return Diagnostic.report(
        Diagnostic(
          operation: "randomIntegers", reason: "the range must hold 1 to 2⁶³ − 1 integers",
          facts: ["range \(range)", "shape \(shape)"]), poison: shape, .int64)
    }
    return record(.random(.bits), key.tensor, shape, .int64) % width + range.lowerBound
  }

  private static func rejectedType(
    _ name: String, _ shape: [Int], _ dtype: DType, hint: String? = nil
  ) -> Tensor {
    Diagnostic.report(
      Diagnostic(
        operation: name, reason: "the type must be floating", facts: ["dtype \(dtype.name)"],
        hint: hint),
      poison: shape, dtype)
  }
}
