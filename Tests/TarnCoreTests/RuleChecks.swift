import Testing

import TarnCore

/// Fixed, irregular numbers in (−1, 1): no two elements alike.
func sample(_ shape: [Int], _ salt: Int = 0, dtype: DType = .float64) -> Tensor {
  let values = (0..<shape.product).map { i in
    let n = Double(i + 17 * salt + 1)
    let x = n * n * 0.618_033_988_749_895 + n * 0.324_717_957_244_746
    return 2 * (x - x.rounded(.down)) - 1
  }
  return Tensor(HostArray(shape: shape, dtype: dtype, reals: values))
}

/// Integers from a list, int64.
func integers(_ values: [Int], _ shape: [Int]? = nil) -> Tensor {
  Tensor(HostArray(shape: shape ?? [values.count], dtype: .int64, integers: values.map(Int64.init)))
}

/// The largest difference of two tensors of one shape.
func gap(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  let differences = zip(a.array(of: Double.self), b.array(of: Double.self)).map { abs($0 - $1) }
  return differences.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
}

/// Elements of `x` against numbers worked out elsewhere.
func expect(
  _ x: Tensor, _ expected: [Double], shape: [Int]? = nil, within tolerance: Double = 1e-6,
  at place: SourceLocation = #_sourceLocation
) {
  let values = x.array(of: Double.self)
  if let shape { #expect(x.shape == shape, sourceLocation: place) }
  #expect(values.count == expected.count, sourceLocation: place)
  for (value, wanted) in zip(values, expected) {
    #expect(
      value == wanted || abs(value - wanted) <= tolerance || (value.isNaN && wanted.isNaN),
      "\(values) is not \(expected)", sourceLocation: place)
  }
}

/// Compares the batching rule of what `f` records with a loop over examples, for every choice of
/// batched operands.
func checkBatching(
  _ x: [Tensor], count: Int = 3, at place: SourceLocation = #_sourceLocation,
  _ f: ([Tensor]) -> Tensor
) {
  for mask in 1..<(1 << x.count) {
    let isBatched = x.indices.map { mask >> $0 & 1 == 1 }
    let rows = zip(x, isBatched).enumerated().map { i, entry in
      entry.1 ? Tensor.stacked((0..<count).map { variant(entry.0, $0) }, axis: 0) : entry.0
    }
    let batched = zip(rows, isBatched).filter(\.1).map(\.0)
    let mapped = vmap(over: batched) { examples in
      var next = examples.makeIterator()
      return f(zip(x, isBatched).map { ($1 ? next.next() : $0) ?? $0 })
    }
    let looped = (0..<count).map { i in f(zip(x, isBatched).map { $1 ? variant($0, i) : $0 }) }
    let difference = gap(mapped, Tensor.stacked(looped, axis: 0))
    #expect(difference < 1e-9, "operands batched: \(isBatched)", sourceLocation: place)
  }
}

/// Example `i` of a batch made from one: scaled numbers, or integers in another order.
private func variant(_ x: Tensor, _ i: Int) -> Tensor {
  if x.dtype.isFloating { return x * (1 + 0.25 * Double(i)) }
  let flat = x.reshaped([x.count])
  return x.count == 0 ? x : flat.rolled(by: i, axis: 0).reshaped(x.shape)
}

/// Gradients to the second order against finite differences, and forward against reverse mode.
func checkDerivatives(
  _ x: [Tensor], order: Int = 2, tolerance: Double = 1e-5,
  at place: SourceLocation = #_sourceLocation,
  _ f: @escaping @Sendable ([Tensor]) -> Tensor
) {
  let check = checkGradients(f, at: x, order: order, tolerance: tolerance)
  #expect(check.passed, "\(check)", sourceLocation: place)
}

/// Small integers without much order, as float64: 7 i mod 11 − 5.
func pattern(_ shape: [Int]) -> Tensor {
  let values = (0..<shape.product).map { Double($0 * 7 % 11 - 5) }
  return Tensor(HostArray(shape: shape, dtype: .float64, reals: values))
}

/// The text reported by `body`; empty if nothing was.
func diagnosed(_ body: () -> Tensor) -> String {
  do {
    try Diagnostic.catching { _ = body().array(of: Double.self) }
    return ""
  } catch {
    return "\(error)"
  }
}
