/// A mistake in a program: wrong shape, type, axis, index. It says what was asked, what was found and what to type instead.
///
/// Outside a scope a diagnostic stops the program with its text. Inside ``catching(_:)`` it is thrown:
///
/// ```swift
/// do {
///   try Diagnostic.catching { _ = x.matmul(w) }
/// } catch let problem as Diagnostic { print(problem) }
/// ```
public struct Diagnostic: Error, Sendable, CustomStringConvertible {
  /// The operation or layer as the user knows it, e.g. `matmul` or `Linear(784 → 128)`.
  public var operation: String
  /// What is wrong, in one clause.
  public var reason: String
  /// The values at fault, one line each.
  public var facts: [String]
  /// What to type instead, where that can be told.
  public var hint: String?

  /// A mistake in `operation`; `facts` hold one line each.
  public init(operation: String, reason: String, facts: [String] = [], hint: String? = nil) {
    self.operation = operation
    self.reason = reason
    self.facts = facts
    self.hint = hint
  }

  public var description: String {
    var lines = ["\(operation): \(reason)"]
    lines += facts.map { "  \($0)" }
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }
}

/// Where the first diagnostic of a scope is kept until the scope ends.
package final class DiagnosticSink: Sendable {
  private let first = Lock<Diagnostic?>(nil)
  package func record(_ diagnostic: Diagnostic) {
    first.withLock { if $0 == nil { $0 = diagnostic } }
  }
  package var diagnostic: Diagnostic? { first.withLock { $0 } }
}

extension Diagnostic {
  @TaskLocal package static var sink: DiagnosticSink?

  /// Runs `body` and throws the first diagnostic reported in it. Until the scope ends, computations at
  /// fault go on with zeros of the shape they should have had.
  public static func catching<Result>(_ body: () throws -> Result) throws -> Result {
    let sink = DiagnosticSink()
    let result = try $sink.withValue(sink) { try body() }
    if let diagnostic = sink.diagnostic { throw diagnostic }
    return result
  }

  /// As ``catching(_:)-(()->Result)``, for asynchronous work.
  public static func catching<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result {
    let sink = DiagnosticSink()
    let result = try await $sink.withValue(sink) { try await body() }
    if let diagnostic = sink.diagnostic { throw diagnostic }
    return result
  }

  /// Reports a mistake: throws it from the enclosing ``catching(_:)``, or stops the program.
  public static func report(_ diagnostic: Diagnostic) {
    guard let sink else { fatalError("\n" + diagnostic.description) }
    sink.record(diagnostic)
  }

  /// Reports a mistake and gives zeros of the shape the result should have had, so that work can go on.
  public static func report(
    _ diagnostic: Diagnostic, poison shape: [Int], _ dtype: DType = .float32
  ) -> Tensor {
    report(diagnostic)
    return Tensor.zeros(shape.map { max($0, 0) }, dtype: dtype)
  }

  /// Reports a mistake and goes on with `result`.
  package static func report<Result>(_ diagnostic: Diagnostic, giving result: Result) -> Result {
    report(diagnostic)
    return result
  }
}
