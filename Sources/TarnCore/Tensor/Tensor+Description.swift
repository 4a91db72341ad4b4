extension Tensor: CustomStringConvertible {
  /// The numbers as NumPy prints them, with shape and type. Computes the tensor.
  ///
  /// Of more than 1000 elements, the first and last three of each axis are shown.
  public var description: String {
    let isLong = count > 1000
    let shown = (isLong ? evaluate().edges() : self).hostArray()
    let opening = "Tensor("
    var text = opening
    TensorText(shown, elided: isLong ? shape.map { $0 > 6 } : shape.map { _ in false })
      .write(to: &text, indent: opening.count)
    return text + ", shape: \(shape), dtype: \(dtype))"
  }

  /// The first and last three of each axis longer than six.
  private func edges() -> Tensor {
    shape.indices.reduce(self) { part, axis in
      let length = shape[axis]
      if length <= 6 { return part }
      return .concatenated(
        [part.narrowed(axis, from: 0, to: 3), part.narrowed(axis, from: length - 3, to: length)],
        axis: axis)
    }
  }
}

/// Nested brackets of aligned numbers.
private struct TensorText {
  private let shape: [Int]
  /// Which axes have an … after their third element.
  private let elided: [Bool]
  private let numbers: [String]
  private let width: Int

  init(_ array: HostArray, elided: [Bool]) {
    (shape, self.elided) = (array.shape, elided)
    switch array.values {
    case .reals(let reals): numbers = NumberStyle(reals).text(reals)
    case .integers(let integers):
      numbers = integers.map { array.dtype == .bool ? ($0 == 0 ? "false" : "true") : "\($0)" }
    }
    width = numbers.map(\.count).max() ?? 0
  }

  func write(to text: inout String, indent: Int) {
    write(to: &text, axis: 0, first: 0, indent: indent)
  }

  private func write(to text: inout String, axis: Int, first: Int, indent: Int) {
    guard axis < shape.count else {
      text += shape.isEmpty ? numbers[first] : padded(numbers[first])
      return
    }
    let step = Array(shape[(axis + 1)...]).product
    let isLast = axis == shape.count - 1
    let newline =
      "," + String(repeating: "\n", count: shape.count - 1 - axis)
      + String(repeating: " ", count: indent + axis + 1)
    let separator = isLast ? ", " : newline
    text += "["
    for i in 0..<shape[axis] {
      if i > 0 { text += separator }
      if i == 3 && elided[axis] { text += "…" + separator }
      write(to: &text, axis: axis + 1, first: first + i * step, indent: indent)
    }
    text += "]"
  }

  private func padded(_ number: String) -> String {
    String(repeating: " ", count: width - number.count) + number
  }
}

/// How the numbers of one tensor are written: all alike, so that columns line up.
private struct NumberStyle {
  private let isScientific: Bool
  private let decimals: Int

  /// Whole numbers with one decimal; others with up to four, or in powers of ten if they span too much.
  init(_ numbers: [Double]) {
    let sizes = numbers.filter { $0.isFinite && $0 != 0 }.map(abs)
    let (least, most) = (sizes.min() ?? 1, sizes.max() ?? 1)
    let isWhole = sizes.allSatisfy { $0 == $0.rounded() }
    isScientific = most >= 1e8 || (!isWhole && (least < 1e-4 || most / least > 1e6))
    let needed =
      isWhole || isScientific
      ? 1
      : (1...4).first { places in
        sizes.allSatisfy {
          abs(Self.scaled($0, places) - Self.scaled($0, 4) / Self.power(4 - places)) < 1e-9
        }
      }
    decimals = needed ?? 4
  }

  func text(_ numbers: [Double]) -> [String] {
    numbers.map { number in
      guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
      return isScientific ? Self.scientific(number) : Self.fixed(number, decimals)
    }
  }

  private static func power(_ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  private static func scaled(_ number: Double, _ places: Int) -> Double {
    (number * power(places)).rounded()
  }

  private static func fixed(_ number: Double, _ places: Int) -> String {
    let digits = String(Int64(scaled(abs(number), places)))
    let filled = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = number.sign == .minus ? "-" : ""
    return sign + filled.dropLast(places) + "." + filled.suffix(places)
  }

  /// One digit, four decimals, and the power of ten: 1.2346e-05.
  private static func scientific(_ number: Double) -> String {
    var (mantissa, exponent) = (abs(number), 0)
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 && mantissa > 0 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    if scaled(mantissa, 4) >= 100_000 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    let digits = String(abs(exponent))
    return fixed(number < 0 ? -mantissa : mantissa, 4) + (exponent < 0 ? "e-" : "e+")
      + (digits.count < 2 ? "0" + digits : digits)
  }
}
