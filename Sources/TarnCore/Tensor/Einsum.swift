/// Einstein's summation: a letter names an axis, letters that are not in the result are summed over.
///
/// ```swift
/// einsum("bij,bjk->bik", a, b)   // batch of matrix products
/// einsum("ii->", a)              // trace
/// einsum("...ij->...ji", a)      // transpose of the last two axes
/// ```
/// Without `->` the result has the letters that occur once, in alphabetical order. `...` stands for axes without
/// a name, which must agree where two operands have them. Operands are contracted from left to right.
public func einsum(_ equation: String, _ operands: Tensor...) -> Tensor {
  einsum(equation, of: operands)
}

/// As ``einsum(_:_:)``, of a list.
package func einsum(_ equation: String, of operands: [Tensor]) -> Tensor {
  guard let plan = EinsumPlan(equation, operands) else {
    return Tensor.zeros([], dtype: operands.first?.dtype ?? .float32)
  }
  var terms = zip(operands, plan.inputs).map { Term(tensor: $0, axes: $1).withoutRepeats() }
  for i in terms.indices {
    let others = Set(plan.output + terms.enumerated().flatMap { $0 == i ? [] : $1.axes })
    terms[i] = terms[i].summed(keeping: others)
  }
  var result = terms[0]
  for i in 1..<max(terms.count, 1) {
    let needed = Set(plan.output + terms[(i + 1)...].flatMap(\.axes))
    result = result.contracted(with: terms[i], keeping: needed)
  }
  return result.ordered(plan.output).tensor
}

/// The letters of each operand and of the result. Axes under `...` have letters of the private use area.
private struct EinsumPlan {
  var inputs: [[Character]] = []
  var output: [Character] = []

  init?(_ equation: String, _ operands: [Tensor]) {
    let sides = equation.filter { $0 != " " }.replacingArrow.split(
      separator: ">", omittingEmptySubsequences: false)
    let terms = (sides.first ?? "").split(separator: ",", omittingEmptySubsequences: false)
    if let reason = parse(terms, sides.count > 1 ? sides[1] : nil, sides.count, operands) {
      Diagnostic.report(
        Diagnostic(
          operation: "einsum", reason: reason,
          facts: ["equation \(equation)"]
            + operands.enumerated().map { "operand \($0) \($1.shape)" }))
      return nil
    }
  }

  /// Fills in the letters; gives what is wrong, if anything is.
  private mutating func parse(
    _ terms: [Substring], _ result: Substring?, _ sides: Int, _ operands: [Tensor]
  ) -> String? {
    guard sides <= 2 else { return "more than one ->" }
    guard terms.count == operands.count, !operands.isEmpty else {
      return "\(terms.count) terms for \(operands.count) operands"
    }
    var widest = 0
    for (term, operand) in zip(terms, operands) {
      let named = term.filter { $0 != "." }.count
      let hidden = term.contains(".") ? operand.rank - named : 0
      guard hidden >= 0, named + hidden == operand.rank else {
        return "\"\(term)\" does not name the axes of \(operand.shape)"
      }
      guard let axes = Self.letters(term, hidden: hidden) else { return "cannot read \"\(term)\"" }
      inputs.append(axes)
      widest = max(widest, hidden)
    }
    if let reason = lengthsAgree(operands) { return reason }
    return parseResult(result, hidden: widest)
  }

  private mutating func parseResult(_ result: Substring?, hidden: Int) -> String? {
    let all = inputs.flatMap { $0 }
    guard let result else {
      let once = Set(all.filter { $0.isLetter && $0.isASCII }).filter { letter in
        all.count { $0 == letter } == 1
      }
      output = (Self.letters("...", hidden: hidden) ?? []) + once.sorted()
      return nil
    }
    guard let letters = Self.letters(result, hidden: hidden) else {
      return "cannot read \"\(result)\""
    }
    output = letters
    if Set(letters).count != letters.count { return "the result names an axis twice" }
    if let stray = letters.first(where: { !all.contains($0) }) {
      return "the result names the axis \(stray), which no operand has"
    }
    return nil
  }

  /// One length for each letter.
  private func lengthsAgree(_ operands: [Tensor]) -> String? {
    var lengths: [Character: Int] = [:]
    for (axes, operand) in zip(inputs, operands) {
      for (axis, length) in zip(axes, operand.shape) {
        if let known = lengths[axis], known != length {
          let name = axis.isASCII ? "axis \(axis)" : "an axis under ..."
          return "\(name) is \(known) long in one place and \(length) in another"
        }
        lengths[axis] = length
      }
    }
    return nil
  }

  /// The letters of a term, `...` as `hidden` letters of their own (the last axis has the first of them).
  private static func letters(_ term: Substring, hidden: Int) -> [Character]? {
    let parts = term.split(separator: "...", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.joined().allSatisfy({ $0.isLetter && $0.isASCII }) else {
      return nil
    }
    guard parts.count == 2 else { return Array(term) }
    let unnamed = (0..<hidden).reversed().map { i in
      Character(Unicode.Scalar(UInt16(0xE000 + i)) ?? "\u{E000}")
    }
    return Array(parts[0]) + unnamed + Array(parts[1])
  }
}

extension String {
  /// `->` as one character.
  fileprivate var replacingArrow: String {
    split(separator: "->", omittingEmptySubsequences: false).joined(separator: ">")
  }
}

/// A tensor whose axes have names.
private struct Term {
  var tensor: Tensor
  var axes: [Character]

  private func length(_ axis: Character) -> Int {
    axes.firstIndex(of: axis).map { tensor.shape[$0] } ?? 1
  }

  /// With the diagonal in place of axes of one name.
  func withoutRepeats() -> Term {
    for (i, axis) in axes.enumerated() {
      guard let j = axes[(i + 1)...].firstIndex(of: axis) else { continue }
      let rest = axes.indices.filter { $0 != i && $0 != j }
      let diagonal = tensor.permuted(rest + [i, j]).diagonal()
      return Term(tensor: diagonal, axes: rest.map { axes[$0] } + [axis]).withoutRepeats()
    }
    return self
  }

  /// Summed over the axes that are not kept.
  func summed(keeping kept: Set<Character>) -> Term {
    let gone = axes.indices.filter { !kept.contains(axes[$0]) }
    if gone.isEmpty { return self }
    return Term(tensor: tensor.sum(axes: gone), axes: axes.filter(kept.contains))
  }

  /// With its axes in this order; those it does not have are put in with length 1.
  func ordered(_ order: [Character]) -> Term {
    let own = order.compactMap { axes.firstIndex(of: $0) }
    let aligned = tensor.permuted(own).reshaped(order.map(length))
    return Term(tensor: aligned, axes: order)
  }

  /// The product, summed over the axes both have that are not kept.
  func contracted(with other: Term, keeping kept: Set<Character>) -> Term {
    let shared = axes.filter(other.axes.contains)
    let batch = shared.filter(kept.contains)
    let summed = shared.filter { !kept.contains($0) }
    let rows = axes.filter { !shared.contains($0) }
    let columns = other.axes.filter { !shared.contains($0) }
    let result = batch + rows + columns
    if summed.isEmpty {
      return Term(tensor: ordered(result).tensor * other.ordered(result).tensor, axes: result)
    }
    let (b, k) = (batch.map(length).product, summed.map(length).product)
    let (m, n) = (rows.map(length).product, columns.map(other.length).product)
    let left = ordered(batch + rows + summed).tensor.reshaped([b, m, k])
    let right = other.ordered(batch + summed + columns).tensor.reshaped([b, k, n])
    let lengths = batch.map(length) + rows.map(length) + columns.map(other.length)
    return Term(tensor: left.matmul(right).reshaped(lengths), axes: result)
  }
}
