/// What stands in the margins of ``Tensor/padded(_:value:mode:)``.
public enum PaddingMode: Sendable, Hashable {
  /// One number.
  case constant
  /// The tensor mirrored at its first and last element, which are not repeated.
  case reflect
  /// The first and last element repeated.
  case edge
}

extension Tensor {
  /// With margins (before, after) on each axis: `x.padded([(0, 0), (1, 1)])`.
  ///
  /// A negative margin crops, where the mode is `.constant`.
  public func padded(
    _ margins: [(Int, Int)], value: Double = 0, mode: PaddingMode = .constant
  ) -> Tensor {
    guard margins.count == rank else {
      return rejected(
        "padded", "\(margins.count) margins given for \(rank) axes",
        ["tensor  \(shape)", "margins \(margins)"])
    }
    if margins.allSatisfy({ $0.0 == 0 && $0.1 == 0 }) { return self }
    guard mode == .constant else { return extended(margins, mode) }
    let lengths = zip(margins, shape).map { $0.0 + $0.1 + $1 }
    guard zip(margins, shape).allSatisfy({ $0.0 + $1 >= 0 && $0.1 + $1 >= 0 }),
      lengths.checkedProduct != nil
    else {
      return rejected(
        "padded", "the margins crop more than there is",
        ["tensor  \(shape)", "margins \(margins)"])
    }
    let op = Op.pad(margins.map { Margin($0.0, $0.1) })
    let result = Tensor.record(op, self, lengths, dtype)
    if value == 0 { return result }
    let inside = Tensor.record(op, filled(.integer(1), dtype: .bool), lengths, .bool)
    return which(inside, result, result.filled(.real(value)))
  }

  /// Margins made of the tensor itself, one axis after another.
  private func extended(_ margins: [(Int, Int)], _ mode: PaddingMode) -> Tensor {
    let reach = shape.map { mode == .edge ? ($0 > 0 ? Int.max : 0) : Swift.max($0 - 1, 0) }
    guard zip(margins, reach).allSatisfy({ 0...$1 ~= $0.0 && 0...$1 ~= $0.1 }) else {
      return rejected(
        "padded", "the axes are too short for these margins in mode \(mode)",
        ["tensor  \(shape)", "margins \(margins)"],
        hint: mode == .reflect ? "a mirrored margin is shorter than its axis" : nil,
        as: zip(margins, shape).map { $0.0 + $0.1 + $1 })
    }
    var result = self
    for (axis, (low, high)) in margins.enumerated() where low > 0 || high > 0 {
      let before = result.margin(axis, low, mode, atEnd: false)
      let after = result.margin(axis, high, mode, atEnd: true)
      result = .concatenated([before, result, after], axis: axis)
    }
    return result
  }

  private func margin(_ axis: Int, _ width: Int, _ mode: PaddingMode, atEnd: Bool) -> Tensor {
    let length = shape[axis]
    if mode == .reflect {
      let from = atEnd ? length - 1 - width : 1
      return narrowed(axis, from: from, to: from + width).flipped(axis)
    }
    var wide = shape
    wide[axis] = width
    let from = atEnd ? length - 1 : 0
    return narrowed(axis, from: from, to: from + 1).stretched(to: wide)
  }
}
