import TarnCore
import TarnInterop

/// An operator: what it is called, the operator sets in which its meaning changed and is followed, and what it records.
struct ONNXOperator: Sendable {
  typealias Body = @Sendable (ONNXCall) throws -> [ONNXValue]

  let name: String
  let domain: String
  let versions: [Int]
  let body: Body
  /// Whether equal inputs give equal outputs, so that it may be computed while recording.
  let isPure: Bool
  /// Whether its result depends on its inputs' shapes alone.
  let readsShapesOnly: Bool

  init(
    _ name: String, _ versions: [Int], domain: String = "", isPure: Bool = true,
    readsShapesOnly: Bool = false, values body: @escaping Body
  ) {
    (self.name, self.versions, self.domain) = (name, versions, domain)
    (self.body, self.isPure, self.readsShapesOnly) = (body, isPure, readsShapesOnly)
  }

  /// The newest version of the standard operators that is followed.
  static let newest = 21

  /// Whether the operator's meaning in a version of its domain's operators is followed.
  func follows(_ opset: Int) -> Bool {
    (versions.first ?? 1) <= opset && (opset <= Self.newest || !domain.isEmpty)
  }

  /// An operator with one result.
  init(
    _ name: String, _ versions: [Int], domain: String = "", isPure: Bool = true,
    _ body: @escaping @Sendable (ONNXCall) throws -> Tensor
  ) {
    self.init(name, versions, domain: domain, isPure: isPure) { [.tensor(try body($0))] }
  }

  /// An operator of one tensor.
  static func map(
    _ name: String, _ versions: [Int], _ body: @escaping @Sendable (Tensor) -> Tensor
  ) -> ONNXOperator {
    ONNXOperator(name, versions) { body(try $0.tensor(0)) }
  }

  /// An operator of two tensors that broadcast.
  static func pair(
    _ name: String, _ versions: [Int], _ body: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> ONNXOperator {
    ONNXOperator(name, versions) { body(try $0.tensor(0), try $0.second()) }
  }
}

/// All operators by name.
enum ONNXOperators {
  static let all: [ONNXOperator] =
    math + activations + comparisons + reductions + shapes + indexing + generators + linear
    + windows + normalisations + recurrent + quantized + images + losses + control + sequences
    + signals + optional + training

  private static let table: [String: ONNXOperator] = Dictionary(
    all.map { ($0.domain + "." + $0.name, $0) }, uniquingKeysWith: { first, _ in first })

  /// The operator of this name for an operator set.
  static func named(_ name: String, domain: String, opset: Int) -> ONNXOperator? {
    table[domain + "." + name]
  }
}
