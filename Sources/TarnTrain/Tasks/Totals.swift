import TarnCore

/// Figures added up over examples: what metrics are worked out from.
public struct Totals: Codable, Hashable, Sendable {
  /// Number of examples.
  public private(set) var count = 0
  private var sums: [String: Double] = [:]

  public init() {}

  /// The sum of this name; 0 where nothing was added.
  public subscript(name: String) -> Double { sums[name] ?? 0 }

  /// Adds what `count` examples came to.
  public mutating func add(_ new: [String: Double], count: Int) {
    self.count += count
    for (name, value) in new { sums[name, default: 0] += value }
  }
}

/// Totals whose newest parts may still be on the device: adding does not wait for them, reading does.
struct LazyTotals {
  private struct Part {
    let loss: Tensor
    let sums: [String: Tensor]
    let count: Int
  }

  /// The sum that holds the loss of every example.
  static let loss = "loss"

  private var known: Totals
  private var pending: [Part] = []
  /// Unread parts kept before the oldest are read.
  private static let room = 16

  init(_ known: Totals = Totals()) { self.known = known }

  /// Adds the mean loss of `count` examples and the sums a task reports.
  mutating func add(loss: Tensor, _ sums: [String: Tensor], count: Int) {
    pending.append(Part(loss: loss, sums: sums, count: count))
    if pending.count > Self.room { read(pending.removeFirst()) }
  }

  /// Everything added so far.
  mutating func read() -> Totals {
    pending.forEach { read($0) }
    pending = []
    return known
  }

  private mutating func read(_ part: Part) {
    var values = part.sums.mapValues(\.number)
    values[Self.loss] = part.loss.number * Double(part.count)
    known.add(values, count: part.count)
  }
}

extension Tensor {
  /// The one element, read without recording a conversion where its type allows.
  var number: Double {
    switch dtype {
    case .float32: Double(item(as: Float.self))
    case .int64: Double(item(as: Int64.self))
    default: item()
    }
  }
}
