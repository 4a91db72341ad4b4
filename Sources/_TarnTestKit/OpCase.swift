import Tarn

/// One operation on fixed operands: what the conformance suite runs on every backend, in every dtype and to every
/// derivative order that it supports.
///
/// ```swift
/// let mine = OpCase("myOp", [[3, 4]]) { myOp($0[0]) }
/// #expect(Conformance.values(mine, .float32, on: .cpu) == nil)
/// ```
public struct OpCase: Sendable, CustomStringConvertible {
  /// Which numbers the operands are filled with.
  public enum Domain: Sendable {
    /// Irregular numbers in (-2, 2), no two alike and none near a multiple of ½.
    case real
    /// In (0.3, 2.3).
    case positive
    /// In (-0.9, 0.9).
    case unit
    /// Whole numbers 0, 1, … below the bound, repeating: indices.
    case indices(Int)
    /// A symmetric, positive definite matrix in the last two axes.
    case definite
    /// A matrix far from singular in the last two axes.
    case regular
  }

  public let name: String
  public let shapes: [[Int]]
  public let domains: [Domain]
  public let dtypes: [DType]
  /// Highest derivative order to check; 0 for operations without a derivative.
  public let order: Int
  public let function: @Sendable ([Tensor]) -> Tensor
  /// Relative error allowed beside the dtype's own.
  public let slack: Double

  public init(
    _ name: String, _ shapes: [[Int]], domains: [Domain] = [], dtypes: [DType] = OpCase.floating,
    order: Int = 2,
    slack: Double = 1, _ function: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    self.shapes = shapes
    self.domains = shapes.indices.map { $0 < domains.count ? domains[$0] : domains.last ?? .real }
    (self.dtypes, self.order, self.slack, self.function) = (dtypes, order, slack, function)
  }

  public static let floating: [DType] = [.float32, .float64, .float16, .bfloat16]
  public static let precise: [DType] = [.float32, .float64]
  public static let integers: [DType] = [.uint8, .int8, .int32, .int64]
  public static let numbers: [DType] = floating + integers
  public static let all: [DType] = numbers + [.bool]

  public var description: String { name }

  /// The operands in a dtype, on the current device.
  public func operands(_ dtype: DType) -> [Tensor] {
    zip(shapes, domains).enumerated().map { salt, pair in
      let (shape, domain) = pair
      switch domain {
      case .indices(let bound):
        return Tensor((0..<shape.reduce(1, *)).map { Int64(($0 * 7 + 3) % bound) }, shape: shape)
      case .real: return Self.numbers(shape, salt, dtype, scale: 2, shift: 0)
      case .positive: return Self.numbers(shape, salt, dtype, scale: 1, shift: 1.3)
      case .unit: return Self.numbers(shape, salt, dtype, scale: 0.9, shift: 0)
      case .definite, .regular: return Self.matrix(shape, salt, dtype, symmetric: domain.isDefinite)
      }
    }
  }

  private static func raw(_ count: Int, _ salt: Int) -> [Double] {
    // Multiples of the golden ratio, modulo 1: evenly spread and never alike.
    (0..<count).map {
      (Double($0 + 1) * 0.6180339887498949 + Double(salt) * 0.347).truncatingRemainder(
        dividingBy: 1)
    }
  }

  private static func numbers(
    _ shape: [Int], _ salt: Int, _ dtype: DType, scale: Double, shift: Double
  ) -> Tensor {
    let values = raw(shape.reduce(1, *), salt).map { (2 * $0 - 1) * scale + shift }
    if dtype.isFloating { return Tensor(values, shape: shape).cast(to: dtype) }
    if dtype == .bool { return Tensor(values.map { $0 > shift }, shape: shape) }
    let whole = values.map { Int64(($0 * 5).rounded()) }
    return Tensor(dtype == .uint8 ? whole.map { Swift.abs($0) } : whole, shape: shape).cast(
      to: dtype)
  }

  private static func matrix(_ shape: [Int], _ salt: Int, _ dtype: DType, symmetric: Bool) -> Tensor
  {
    let n = shape[shape.count - 1]
    var values = raw(shape.reduce(1, *), salt).map { $0 - 0.5 }
    for index in values.indices {
      let (row, column) = (index / n % n, index % n)
      if row == column { values[index] += 2 + Double(row) * 0.7 }
      if symmetric, row > column {
        values[index] = values[index - row * n - column + column * n + row]
      }
    }
    return Tensor(values, shape: shape).cast(to: dtype)
  }
}

extension OpCase.Domain {
  fileprivate var isDefinite: Bool { if case .definite = self { true } else { false } }
  fileprivate var isIndex: Bool { if case .indices = self { true } else { false } }
}

/// Checks of one operation. Each gives nil, or what is wrong.
public enum Conformance {
  /// Whether a backend's values equal the reference backend's.
  public static func values(_ test: OpCase, _ dtype: DType, on device: Device) -> String? {
    told { valuesOf(test, dtype, device) }
  }

  /// A diagnostic is a finding too.
  private static func told(_ check: () -> String?) -> String? {
    do { return try Diagnostic.catching(check) } catch { return "\(error)" }
  }

  private static func valuesOf(_ test: OpCase, _ dtype: DType, _ device: Device) -> String? {
    let expected = Device.with(.reference) { test.function(test.operands(dtype)) }
    let found = Device.with(device) { test.function(test.operands(dtype)) }
    guard expected.shape == found.shape, expected.dtype == found.dtype else {
      return
        "\(found.shape) \(found.dtype.name) instead of \(expected.shape) \(expected.dtype.name)"
    }
    let tolerance = test.slack * tolerance(of: expected.dtype.isFloating ? dtype : expected.dtype)
    return difference(found, expected, tolerance)
  }

  /// Whether derivatives agree with finite differences and with one another, in float64.
  public static func derivatives(_ test: OpCase, on device: Device) -> String? {
    told { Device.with(device) { derivativesOf(test) } }
  }

  private static func derivativesOf(_ test: OpCase) -> String? {
    let operands = test.operands(.float64)
    let floating = operands.indices.filter { operands[$0].dtype.isFloating }
    let check = checkGradients(
      { part in
        var all = operands
        for (place, tensor) in zip(floating, part) { all[place] = tensor }
        return test.function(all)
      }, at: floating.map { operands[$0] }, order: test.order, tolerance: 2e-6)
    return check.passed ? nil : check.description
  }

  /// Whether mapping over a batch equals a loop over examples, with every operand batched and with only the first.
  public static func batching(_ test: OpCase, on device: Device) -> String? {
    told { Device.with(device) { batchingOf(test) } }
  }

  private static func batchingOf(_ test: OpCase) -> String? {
    let operands = test.operands(.float64)
    let size = 3
    let batches = operands.map { operand in
      Tensor.stacked(
        (0..<size).map { row in
          operand.dtype.isFloating ? operand * (1 + 0.125 * Double(row)) : operand
        })
    }
    for batched in Set([operands.count, 1]) {
      let mapped = vmap(over: Array(batches[..<batched])) { rows in
        test.function(rows + operands[batched...])
      }
      let looped = Tensor.stacked(
        (0..<size).map { row in
          test.function(batches[..<batched].map { $0[row] } + operands[batched...])
        })
      guard mapped.shape == looped.shape else {
        return "vmap gives \(mapped.shape), the loop \(looped.shape)"
      }
      if let text = difference(mapped, looped, 1e-10 * test.slack) {
        return "vmap over \(batched) operands: \(text)"
      }
    }
    return nil
  }

  private static func tolerance(of dtype: DType) -> Double {
    switch dtype {
    case .float64: 1e-12
    case .float32: 2e-6
    case .float16: 2e-3
    case .bfloat16: 1.6e-2
    default: 0
    }
  }

  /// The largest disagreement, if it is more than `tolerance` relative to the larger of 1 and the value.
  public static func difference(_ found: Tensor, _ expected: Tensor, _ tolerance: Double) -> String?
  {
    let (a, b) = (found.array(of: Double.self), expected.array(of: Double.self))
    for (index, (x, y)) in zip(a, b).enumerated() {
      if x == y || (x.isNaN && y.isNaN) { continue }
      if !(Swift.abs(x - y) <= tolerance * max(1, Swift.abs(y))) {
        return "element \(index): \(x) instead of \(y), tolerance \(tolerance)"
      }
    }
    return nil
  }
}
