/// What to type instead, worked out from the shapes at fault. Each gives nil where it has nothing to say.
package enum Hint {
  /// Which axes there are.
  package static func axes(_ rank: Int) -> String {
    switch rank {
    case 0: "a scalar has no axes"
    case 1: "its only axis is 0 (or -1)"
    default: "axes run from 0 to \(rank - 1), or from -\(rank) to -1"
    }
  }

  /// The trailing axes of `shape` multiply to `wanted`: flattening reaches it.
  package static func flatten(_ shape: [Int], toReach wanted: Int) -> String? {
    guard shape.count >= 2 else { return nil }
    for from in stride(from: shape.count - 2, through: 0, by: -1) {
      let lengths = shape[from...]
      if lengths.reduce(1, *) == wanted {
        let product = lengths.map(String.init).joined(separator: " × ")
        return "\(product) = \(wanted), so call .flattened(from: \(from)) first"
      }
    }
    return nil
  }

  /// One of two matrices lies the other way round.
  package static func transpose(_ left: [Int], _ right: [Int]) -> String? {
    guard left.count >= 2, right.count >= 2 else { return nil }
    if left[left.count - 1] == right[right.count - 1] {
      return "the right operand fits the other way round: call .transposed() on it"
    }
    if left[left.count - 2] == right[right.count - 2] {
      return "the left operand fits the other way round: call .transposed() on it"
    }
    return nil
  }

  /// For a product whose inner dimensions differ.
  package static func matmul(_ left: [Int], _ right: [Int]) -> String? {
    let inner = right.count >= 2 ? right[right.count - 2] : right.first ?? 1
    return flatten(left, toReach: inner) ?? transpose(left, right)
  }

  /// One example was given where a batch is wanted.
  package static func missingBatch(_ shape: [Int], rank: Int) -> String? {
    guard shape.count == rank - 1 else { return nil }
    return "one example without its batch axis? .expandedDims(0) makes it \([1] + shape)"
  }

  /// Channels are last where they are wanted at axis 1, or the reverse.
  package static func channels(_ shape: [Int], wanted: Int) -> String? {
    guard shape.count >= 3, shape[1] != wanted, shape[shape.count - 1] == wanted else { return nil }
    let order = [0, shape.count - 1] + Array(1..<shape.count - 1)
    let axes = order.map(String.init).joined(separator: ", ")
    return "channels are last here; .permuted(\(axes)) makes it \(order.map { shape[$0] })"
  }

  /// Class numbers must be integers.
  package static func labels(_ dtype: DType) -> String? {
    if dtype.isInteger { return nil }
    return "labels are class numbers: call .cast(to: .int64), "
      + "or .argMax(axis: -1) if they are one-hot"
  }

  /// A class number one past the end.
  package static func offByOne(label: Int, classes: Int) -> String? {
    if label == classes {
      return "classes are numbered 0 to \(classes - 1); if yours begin at 1, subtract 1"
    }
    return label < 0 ? "a negative label is no class; leave such rows out or mask them" : nil
  }

  /// For two shapes that do not broadcast.
  package static func broadcast(_ left: [Int], _ right: [Int]) -> String? {
    if let text = trailingAxes(left, right) { return "\(text) on the left operand" }
    if let text = trailingAxes(right, left) { return "\(text) on the right operand" }
    if left.count >= 2, left.count == right.count,
      left.dropLast(2) == right.dropLast(2), left.suffix(2) == right.suffix(2).reversed()
    {
      return "they are transposes: call .transposed() on one of them"
    }
    return left.product == right.product
      ? "both have \(left.product) elements: .reshaped(\(left)) on the right operand makes them agree"
      : nil
  }

  /// For a tensor that does not broadcast to a shape.
  package static func stretch(_ shape: [Int], to target: [Int]) -> String? {
    trailingAxes(shape, target).map { "\($0) first" }
  }

  /// `short` lines up with the first axes of `long`.
  private static func trailingAxes(_ short: [Int], _ long: [Int]) -> String? {
    guard !short.isEmpty, short.count < long.count else { return nil }
    let aligned = short + [Int](repeating: 1, count: long.count - short.count)
    guard zip(aligned, long).allSatisfy({ $0 == 1 || $0 == $1 }) else { return nil }
    return aligned.count - short.count == 1
      ? "shapes line up at the last axis: call .expandedDims(-1)"
      : "shapes line up at the last axis: call .reshaped(\(aligned))"
  }

  /// For a new shape with the wrong number of elements.
  package static func reshape(_ count: Int, to shape: [Int]) -> String? {
    guard let wanted = shape.checkedProduct, wanted > 0, count > wanted, count % wanted == 0 else {
      return nil
    }
    return "\(count) = \(count / wanted) × \(wanted): .reshaped(\([-1] + shape)) would do"
  }
}
