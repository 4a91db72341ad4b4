import CTarnKernels
import Foundation
import TarnCore

/// Where the time of a recording went. See ``Profiler``.
public struct Profile: Sendable, Encodable {
  /// Kernels of one kind, or all of one layer.
  public struct Row: Sendable, Encodable {
    /// The kernel, or the layer; "(no layer)" for what belongs to none.
    public var name: String
    /// Kernels run.
    public var count: Int
    public var seconds: Double
    /// Of the time in kernels.
    public var share: Double
    /// Arithmetic a second, in units of 10⁹, a convolution counted by its definition; nil for a kernel that does none.
    public var gflops: Double?
    /// Memory read or written a second, in units of 10⁹ bytes, every operand counted once.
    public var gbPerSecond: Double
  }

  /// From beginning to end, recording, planning and everything else included.
  public var seconds: Double
  public var kernelSeconds: Double
  /// The most that this machine does with as many threads: 10⁹ operations, and 10⁹ bytes, a second.
  public var peakGflops: Double
  public var peakGbPerSecond: Double
  /// The slowest first.
  public var kernels: [Row]
  public var layers: [Row]
  /// The most memory that tensors held at once since the program began, in units of 10⁶ bytes.
  public var peakTensorMb: Double

  private let events: [ProfileSession.Event]

  private enum CodingKeys: CodingKey {
    case seconds, kernelSeconds, peakGflops, peakGbPerSecond, kernels, layers, peakTensorMb
  }

  init(_ events: [ProfileSession.Event], seconds: Double) {
    self.events = events
    self.seconds = seconds
    kernelSeconds = events.reduce(0) { $0 + Double($1.nanoseconds) } * 1e-9
    (peakGflops, peakGbPerSecond) = Machine.peak
    kernels = Self.rows(events) { $0.cost.name }
    layers = Self.rows(events) { $0.layer ?? "(no layer)" }
    peakTensorMb = Double(Machine.tensorMemory.peak) / 1e6
  }

  private static func rows(
    _ events: [ProfileSession.Event], by name: (ProfileSession.Event) -> String
  ) -> [Row] {
    let total = max(1, events.reduce(0) { $0 + $1.nanoseconds })
    let rows = Dictionary(grouping: events, by: name).map { name, events in
      let taken = events.reduce(0) { $0 + $1.nanoseconds }
      let operations = events.reduce(0) { $0 + $1.cost.operations }
      let bytes = events.reduce(0) { $0 + $1.cost.bytes }
      return Row(
        name: name, count: events.count, seconds: Double(taken) * 1e-9,
        share: Double(taken) / Double(total),
        gflops: operations > 0 ? Double(operations) / Double(max(1, taken)) : nil,
        gbPerSecond: Double(bytes) / Double(max(1, taken)))
    }
    return rows.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) }
  }

  /// The recording kernel by kernel, in the format of chrome://tracing and ui.perfetto.dev: JSON.
  public var trace: Data {
    let origin = events.map(\.start).min() ?? 0
    let spans = events.map { event in
      Span(
        name: event.cost.name, cat: event.layer ?? "", ts: Double(event.start - origin) * 1e-3,
        dur: Double(event.nanoseconds) * 1e-3,
        args: .init(
          layer: event.layer, shape: event.cost.shape, operations: event.cost.operations,
          bytes: event.cost.bytes))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(Trace(traceEvents: spans))) ?? Data()
  }

  private struct Trace: Encodable {
    var traceEvents: [Span]
    var displayTimeUnit = "ms"
  }

  private struct Span: Encodable {
    struct Arguments: Encodable {
      var layer: String?
      var shape: [Int]
      var operations: Int
      var bytes: Int
    }

    var name: String
    var cat: String
    var ph = "X"
    var pid = 1
    var tid = 1
    /// Microseconds.
    var ts: Double
    var dur: Double
    var args: Arguments
  }
}

extension Profile: CustomStringConvertible {
  public var description: String {
    var lines = [
      "\(Self.text(seconds * 1e3)) ms, \(Self.text(kernelSeconds * 1e3)) ms of them in "
        + "\(events.count) kernels; this machine's peak: \(Self.text(peakGflops)) GFLOP/s, "
        + "\(Self.text(peakGbPerSecond)) GB/s"
    ]
    lines += [""] + table("kernel", kernels) + [""] + table("layer", layers)
    lines += ["", "tensors held up to \(Self.text(peakTensorMb)) MB"]
    return lines.joined(separator: "\n")
  }

  /// The slowest of the rows.
  private func table(_ title: String, _ rows: [Row]) -> [String] {
    let most = 24
    let shown = rows.prefix(most)
    let width = min(60, max(title.count, shown.map(\.name.count).max() ?? 0))
    func line(_ name: String, _ cells: [String]) -> String {
      let kept = name.count > width ? name.prefix(width - 1) + "…" : name[...]
      let padding = String(repeating: " ", count: width - kept.count)
      return kept + padding
        + cells.map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }.joined()
    }
    var lines = [line(title, ["ms", "share", "count", "GFLOP/s", "of peak", "GB/s", "of peak"])]
    for row in shown {
      lines.append(
        line(
          row.name,
          [
            Self.text(row.seconds * 1e3), Self.percent(row.share), "\(row.count)",
            row.gflops.map(Self.text) ?? "–",
            row.gflops.map { Self.percent($0 / max(1e-9, peakGflops)) } ?? "–",
            Self.text(row.gbPerSecond),
            Self.percent(row.gbPerSecond / max(1e-9, peakGbPerSecond)),
          ]))
    }
    if rows.count > most { lines.append("… and \(rows.count - most) more") }
    return lines
  }

  private static func text(_ value: Double) -> String {
    String(format: value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.3f", value)
  }

  private static func percent(_ value: Double) -> String { String(format: "%.1f%%", 100 * value) }
}
