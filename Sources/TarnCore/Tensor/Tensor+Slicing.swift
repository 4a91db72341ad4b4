/// Something that stands in the brackets of `x[…]` for one axis: an `Int`, a range, `.all`, `.newAxis`,
/// `.ellipsis`, `.stride(from:to:by:)`.
public protocol TensorIndex: Sendable {
  var selection: AxisSelection { get }
}

/// Which elements of one axis to take.
public struct AxisSelection: TensorIndex, Hashable {
  package enum Kind: Hashable, Sendable {
    case index(Int)
    case stride(from: Int?, to: Int?, by: Int)
    case newAxis
    case ellipsis
  }
  package let kind: Kind
  package init(_ kind: Kind) { self.kind = kind }
  public var selection: AxisSelection { self }

  /// As it is written in a program.
  var text: String {
    switch kind {
    case .index(let i): "\(i)"
    case .newAxis: ".newAxis"
    case .ellipsis: "..."
    case .stride(let from, let to, let by):
      by == 1
        ? "\(from.map(String.init) ?? "")..<\(to.map(String.init) ?? "")"
        : ".stride(from: \(from.map(String.init) ?? "nil"), "
          + "to: \(to.map(String.init) ?? "nil"), by: \(by))"
    }
  }
}

extension TensorIndex where Self == AxisSelection {
  /// The whole axis.
  public static var all: AxisSelection { AxisSelection(.stride(from: nil, to: nil, by: 1)) }
  /// An axis of length 1 put in here.
  public static var newAxis: AxisSelection { AxisSelection(.newAxis) }
  /// As many whole axes as are left; also written `...` as the first, second or third item.
  public static var ellipsis: AxisSelection { AxisSelection(.ellipsis) }
  /// Elements `from`, `from + by`, … up to, not including, `to`. A negative bound counts from the end; nil is the end
  /// of the axis the step comes from or goes to: `.stride(by: -1)` reverses.
  public static func stride(from: Int? = nil, to: Int? = nil, by step: Int) -> AxisSelection {
    AxisSelection(.stride(from: from, to: to, by: step))
  }
}

extension Int: TensorIndex {
  public var selection: AxisSelection { AxisSelection(.index(self)) }
}
extension Range: TensorIndex where Bound == Int {
  public var selection: AxisSelection { by(1) }
  /// Every `step`-th element of the range: `x[(1..<8).by(2)]`.
  public func by(_ step: Int) -> AxisSelection {
    .stride(from: lowerBound, to: upperBound, by: step)
  }
}
extension ClosedRange: TensorIndex where Bound == Int {
  public var selection: AxisSelection { by(1) }
  /// Every `step`-th element of the range.
  public func by(_ step: Int) -> AxisSelection {
    .stride(from: lowerBound, to: upperBound == -1 ? nil : upperBound + 1, by: step)
  }
}
extension PartialRangeFrom: TensorIndex where Bound == Int {
  public var selection: AxisSelection { by(1) }
  /// Every `step`-th element from here on.
  public func by(_ step: Int) -> AxisSelection { .stride(from: lowerBound, by: step) }
}
extension PartialRangeUpTo: TensorIndex where Bound == Int {
  public var selection: AxisSelection { by(1) }
  /// Every `step`-th element up to here.
  public func by(_ step: Int) -> AxisSelection { .stride(to: upperBound, by: step) }
}
extension PartialRangeThrough: TensorIndex where Bound == Int {
  public var selection: AxisSelection { by(1) }
  /// Every `step`-th element up to and including this.
  public func by(_ step: Int) -> AxisSelection {
    .stride(to: upperBound == -1 ? nil : upperBound + 1, by: step)
  }
}

extension Tensor {
  /// Part of a tensor: `x[0]`, `x[1..<3]`, `x[0, .all, (1..<5).by(2)]`, `x[-1]`, `x[.newAxis]`.
  ///
  /// An index removes its axis, a range keeps it; axes not named stay whole. Negative numbers count from the end.
  public subscript(_ items: any TensorIndex...) -> Tensor { selecting(items) }

  /// As above, with `...` for the leading axes: `x[..., 2]`.
  public subscript(_ rest: (UnboundedRange_) -> Void, _ items: any TensorIndex...) -> Tensor {
    selecting([AxisSelection(.ellipsis)] + items)
  }

  /// As above, with `...` in second place: `x[0, ..., 2]`.
  public subscript(
    _ first: any TensorIndex, _ rest: (UnboundedRange_) -> Void, _ items: any TensorIndex...
  ) -> Tensor {
    selecting([first, AxisSelection(.ellipsis)] + items)
  }

  /// As above, with `...` in third place: `x[0, 1, ..., 2]`.
  public subscript(
    _ first: any TensorIndex, _ second: any TensorIndex, _ rest: (UnboundedRange_) -> Void,
    _ items: any TensorIndex...
  ) -> Tensor {
    selecting([first, second, AxisSelection(.ellipsis)] + items)
  }

  /// This with the elements that `items` select (as in `x[…]`) replaced by `values`, which broadcast and are cast.
  ///
  /// ```swift
  /// let y = x.replacing([0, 1..<3], with: Tensor(7))   // x[0, 1..<3] = 7
  /// ```
  public func replacing(_ items: [any TensorIndex], with values: Tensor) -> Tensor {
    guard let region = Region(items.map(\.selection), of: self) else { return self }
    guard values.shape.broadcast(with: region.result) == region.result else {
      return rejected(
        "replacing", "the new values do not fit the part they replace",
        ["part   \(region.result)", "values \(values.shape)"],
        hint: Hint.stretch(values.shape, to: region.result))
    }
    let kept = region.strides.map(\.count)
    if kept.product == 0 { return self }
    var new = values.cast(to: dtype).stretched(to: region.result).reshaped(kept)
    if !region.flips.isEmpty { new = new.flipped(region.flips) }
    let margins = zip(region.strides, shape).map { stride, length in
      let last = stride.start + (stride.count - 1) * stride.step
      return Margin(stride.start, length - 1 - last, interior: stride.step - 1)
    }
    let mask = Tensor.record(.pad(margins), new.filled(.integer(1), dtype: .bool), shape, .bool)
    return which(mask, Tensor.record(.pad(margins), new, shape, dtype), self)
  }

  private func selecting(_ items: [any TensorIndex]) -> Tensor {
    guard let region = Region(items.map(\.selection), of: self) else { return self }
    let part = sliced(region.strides)
    let turned = region.flips.isEmpty ? part : part.flipped(region.flips)
    return turned.reshaped(region.result)
  }
}

/// What the brackets of `x[…]` select: a slice of every axis, the axes to be reversed after it, and the final shape.
private struct Region {
  var strides: [Stride] = []
  var flips: [Int] = []
  var result: [Int] = []

  /// nil, after a report, if the items do not fit the tensor.
  init?(_ items: [AxisSelection], of tensor: Tensor) {
    let shape = tensor.shape
    let used = items.count { $0.kind != .newAxis && $0.kind != .ellipsis }
    let ellipses = items.count { $0.kind == .ellipsis }
    guard used <= shape.count, ellipses <= 1 else {
      _ = tensor.rejected(
        "subscript", ellipses > 1 ? "... can stand once only" : "too many indices",
        [
          "tensor  \(shape)", "indices [\(items.map(\.text).joined(separator: ", "))]",
        ])
      return nil
    }
    for item in items {
      if item.kind == .ellipsis {
        for _ in 0..<(shape.count - used) { whole(shape) }
      } else if let reason = add(item.kind, shape) {
        _ = tensor.rejected(
          "subscript", reason, ["tensor \(shape)", "index  \(item.text) of axis \(strides.count)"])
        return nil
      }
    }
    while strides.count < shape.count { whole(shape) }
  }

  private mutating func whole(_ shape: [Int]) {
    result.append(shape[strides.count])
    strides.append(Stride(0, shape[strides.count]))
  }

  /// Adds one item; gives what is wrong with it, if anything is.
  private mutating func add(_ kind: AxisSelection.Kind, _ shape: [Int]) -> String? {
    switch kind {
    case .ellipsis: return nil
    case .newAxis:
      result.append(1)
      return nil
    case .index(let index):
      let length = shape[strides.count]
      let place = index < 0 ? index + length : index
      guard place >= 0 && place < length else {
        return "there is no element \(index) on an axis of length \(length)"
      }
      strides.append(Stride(place, place + 1))
      return nil
    case .stride(let from, let to, let step):
      return add(from, to, step, length: shape[strides.count])
    }
  }

  private mutating func add(_ from: Int?, _ to: Int?, _ step: Int, length: Int) -> String? {
    guard step != 0 else { return "the step is 0" }
    let counted = { (bound: Int) in bound < 0 ? bound + length : bound }
    if step > 0 {
      let (start, stop) = (counted(from ?? 0), to.map(counted) ?? length)
      if start < 0 || stop > length { return "the range reaches past an axis of length \(length)" }
      if start > stop {
        return "the range runs from element \(start) back to \(stop) on an axis of length \(length)"
      }
      strides.append(Stride(start, stop, step: step))
    } else {
      let (start, stop) = (from.map(counted) ?? length - 1, to.map(counted) ?? -1)
      if start >= length || start < -1 || stop < -1 {
        return "the range reaches past an axis of length \(length)"
      }
      let count = Swift.max(0, (start - stop - step - 1) / -step)
      let last = start + (count - 1) * step
      strides.append(count == 0 ? Stride(0, 0) : Stride(last, start + 1, step: -step))
      flips.append(strides.count - 1)
    }
    result.append(strides[strides.count - 1].count)
    return nil
  }
}
