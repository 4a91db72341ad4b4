import TarnCore

/// A number about predictions that is gathered batch by batch.
///
/// A metric is a value: it can be saved with a checkpoint, and those of several workers can be
/// merged.
public protocol Metric: Codable, Sendable, Equatable {
  /// The metric over all that was added; NaN before the first.
  var value: Double { get }
  /// Adds what another has gathered.
  mutating func merge(_ other: Self)
}

/// Reports counts that differ; false where they do.
func lengthsAgree(
  _ operation: String, _ a: (name: String, count: Int), _ b: (name: String, count: Int)
)
  -> Bool
{
  if a.count == b.count { return true }
  Diagnostic.report(
    Diagnostic(
      operation: operation, reason: "\(a.name) and \(b.name) must be of one length",
      facts: ["\(a.name): \(a.count)", "\(b.name): \(b.count)"]))
  return false
}
