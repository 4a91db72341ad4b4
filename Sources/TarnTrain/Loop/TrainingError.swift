/// Training that cannot go on.
public struct TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What happened, and at which step.
  public var reason: String
  /// What is left of the run.
  public var kept: String?
  /// What to change.
  public var hints: [String]

  public init(reason: String, kept: String? = nil, hints: [String] = []) {
    (self.reason, self.kept, self.hints) = (reason, kept, hints)
  }

  public var description: String {
    ([reason] + [kept].compactMap { $0 } + hints.map { "hint: \($0)" }).joined(separator: "\n  ")
  }
}
