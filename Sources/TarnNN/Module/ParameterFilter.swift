import TarnCore

/// Chooses parameters by name: for training some and freezing others, and for an optimizer's parameter groups.
///
/// A pattern is a path (`features` also means everything inside it) in which `*` stands for any characters, dots too, and
/// `?` for one.
///
/// ```swift
/// let (loss, gradient) = valueAndGrad(loss, at: model, training: .except("features.*"))
/// ```
public struct ParameterFilter: Sendable, Hashable, Codable, ExpressibleByStringLiteral {
  private var patterns: [String]
  private var isInverted: Bool

  private init(_ patterns: [String], isInverted: Bool) {
    (self.patterns, self.isInverted) = (patterns, isInverted)
  }

  /// Every parameter.
  public static let all = ParameterFilter([], isInverted: true)
  /// None.
  public static let none = ParameterFilter([], isInverted: false)

  /// Those that match at least one pattern.
  public static func matching(_ patterns: String...) -> ParameterFilter {
    ParameterFilter(patterns, isInverted: false)
  }
  /// Those that match at least one pattern.
  public static func matching(_ patterns: [String]) -> ParameterFilter {
    ParameterFilter(patterns, isInverted: false)
  }
  /// Those that match no pattern.
  public static func except(_ patterns: String...) -> ParameterFilter {
    ParameterFilter(patterns, isInverted: true)
  }
  /// Those that match no pattern.
  public static func except(_ patterns: [String]) -> ParameterFilter {
    ParameterFilter(patterns, isInverted: true)
  }

  /// The parameters whose names match this pattern.
  public init(stringLiteral pattern: String) { self.init([pattern], isInverted: false) }

  /// Whether the parameter of this name is chosen.
  public func matches(_ name: String) -> Bool {
    patterns.contains { Self.matches(Array($0.utf8), Array(name.utf8)) } != isInverted
  }

  /// With one star to go back to, this takes time in the product of the lengths at worst.
  private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
    let (star, any, dot) = (UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "."))
    var (p, n) = (0, 0)
    var retry: (pattern: Int, name: Int)?
    while n < name.count {
      if p == pattern.count, name[n] == dot { return true }
      if p < pattern.count, pattern[p] == star {
        retry = (p + 1, n)
        p += 1
      } else if p < pattern.count, pattern[p] == any || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let (starEnd, from) = retry {
        retry = (starEnd, from + 1)
        (p, n) = (starEnd, from + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == star }
  }
}

/// A model of which only some parameters are trained.
private struct Partial<Model: Module>: TensorTree {
  var model: Model
  let isTrained: [Bool]

  func tensors(_ kind: LeafKind) -> [Tensor] {
    let tensors = model.tensors(kind)
    return kind == .all ? tensors : zip(tensors, isTrained).filter(\.1).map(\.0)
  }

  func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> Self {
    guard kind == .trainable else {
      return Partial(model: model.replacing(.all, with: tensors), isTrained: isTrained)
    }
    var next = tensors.makeIterator()
    let all = zip(model.tensors(.trainable), isTrained).map { old, isTrained in
      isTrained ? next.next() ?? old : old
    }
    return Partial(model: model.replacing(.trainable, with: all), isTrained: isTrained)
  }
}

/// The value of a scalar function of a model and its gradient for the parameters `filter` chooses.
///
/// No work is spent on the others, whose gradient is zero.
public func valueAndGrad<Model: Module>(
  _ f: (Model) throws -> Tensor, at model: Model, training filter: ParameterFilter
) rethrows -> (value: Tensor, gradient: Model) {
  if filter == .all { return try valueAndGrad(f, at: model) }
  let isTrained = model.parameters.map { filter.matches($0.name) }
  let (value, gradient) = try valueAndGrad(
    { try f($0.model) }, at: Partial(model: model, isTrained: isTrained))
  return (value, gradient.model)
}
