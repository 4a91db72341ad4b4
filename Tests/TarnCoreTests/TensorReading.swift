import TarnCore

/// Whether the numbers agree to `tolerance`, absolutely and relatively; NaN agrees with NaN.
func agree(_ tensor: Tensor, _ expected: [Double], _ tolerance: Double = 1e-6) -> Bool {
  let numbers = tensor.array(of: Double.self)
  guard numbers.count == expected.count else { return false }
  return zip(numbers, expected).allSatisfy { a, b in
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= tolerance * (1 + abs(b))
  }
}

extension Tensor {
  /// The elements as integers, row-major.
  var integers: [Int] { array(of: Int.self) }
  var bools: [Bool] { array(of: Bool.self) }
}

/// The text of the mistake made in `body`; empty if there was none.
func mistake(_ body: () -> Void) -> String {
  do {
    try Diagnostic.catching(body)
    return ""
  } catch { return "\(error)" }
}
