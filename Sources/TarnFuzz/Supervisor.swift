import CTarnFuzz
import Foundation
import Tarn

/// Feeds readers one after another, each in processes of its own that may crash, and prints a table.
struct Supervisor {
  /// Where everything is kept: seeds, what was found to be new, what broke a reader, logs.
  let scratch: URL
  /// Inputs for each reader.
  let rounds: Int
  /// Seconds for each reader at most.
  let seconds: Int
  /// After so many crashes a reader is given up.
  private let mostCrashes = 8

  private func folder(_ name: String) throws -> URL {
    let folder = scratch.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Whether every reader did as it should.
  func run(_ readers: [Reader]) throws -> Bool {
    print(Row.header)
    var isSound = true
    for reader in readers {
      let row = try feed(reader)
      print(row)
      fflush(nil)
      isSound = isSound && row.isSound
    }
    return isSound
  }

  private func feed(_ reader: Reader) throws -> Row {
    let seeds = try folder("seeds").appendingPathComponent(reader.name)
    guard try Seeds.gather(for: reader, into: seeds) > 0 else {
      throw UsageError("\(reader.name): there is nothing to begin with")
    }
    let counts = try folder("counts").appendingPathComponent(reader.name)
    try? FileManager.default.removeItem(at: counts)
    let found = try folder("found").appendingPathComponent("\(reader.name)-").path
    for old in findings(of: reader, "") { try FileManager.default.removeItem(at: old) }
    let log = try folder("logs").appendingPathComponent("\(reader.name).log")
    try Data().write(to: log)
    var row = Row(name: reader.name)
    let start = Date.now
    repeat {
      let left = rounds - Int(row.counts.inputs)
      let time = seconds - Int(Date.now.timeIntervalSince(start))
      let arguments = [
        "--child", reader.name, counts.path, found, try corpus(reader).path, seeds.path,
        "-runs=\(left)", "-max_total_time=\(max(1, time))", "-seed=\(row.crashes + 1)",
        "-artifact_prefix=\(found)", "-timeout=20", "-rss_limit_mb=3000",
        "-detect_leaks=0", "-verbosity=1", "-print_final_stats=1", "-reload=0",
      ]
      let status = try spawn(arguments, log: log)
      try row.read(counts)
      if status == 0 { break }
      row.crashes += 1
    } while row.crashes < mostCrashes && row.counts.inputs < rounds
      && Int(Date.now.timeIntervalSince(start)) < seconds
    try judgeSlowOnes(of: reader, &row)
    return row
  }

  /// What a reader's run left: inputs that broke it or took too much.
  private func findings(of reader: Reader, _ kind: String) -> [URL] {
    let folder = scratch.appendingPathComponent("found")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let kinds = kind.isEmpty ? ["slow", "greedy", "crash", "timeout", "oom"] : [kind]
    return names.filter { name in kinds.contains { name.hasPrefix("\(reader.name)-\($0)-") } }
      .map { folder.appendingPathComponent($0) }
  }

  /// Tries what took more than a second once more, alone in a process of its own: other work on the machine may have taken the time.
  private func judgeSlowOnes(of reader: Reader, _ row: inout Row) throws {
    row.counts.slow = 0
    for input in findings(of: reader, "slow") {
      let log = try folder("logs").appendingPathComponent("\(reader.name)-slow.log")
      try Data().write(to: log)
      let isSlow = try spawn(["--try", reader.name, input.path], log: log) != 0
      if isSlow { row.counts.slow += 1 } else { try FileManager.default.removeItem(at: input) }
    }
  }

  private func corpus(_ reader: Reader) throws -> URL { try folder("corpus/\(reader.name)") }

  /// Runs this program once more; its status.
  private func spawn(_ arguments: [String], log: URL) throws -> Int32 {
    let child = Process()
    child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    child.arguments = arguments
    let output = try FileHandle(forWritingTo: log)
    try output.seekToEnd()
    (child.standardOutput, child.standardError) = (output, output)
    // The sanitizer tells where it broke; Swift's own account of it would be taken for another fault.
    child.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    try child.run()
    child.waitUntilExit()
    try output.close()
    return child.terminationReason == .exit ? child.terminationStatus : 128 + SIGABRT
  }
}

/// A line of the table.
struct Row: CustomStringConvertible {
  var name: String
  var counts = tarn_fuzz_counts()
  var crashes = 0

  static let header = Self.line(
    "reader", "inputs", "refused", "read", "slowest", "over 1 s", "most heap", "of its room",
    "too much", "crashes")

  init(name: String) { self.name = name }

  var isSound: Bool { crashes == 0 && counts.slow == 0 && counts.greedy == 0 }

  mutating func read(_ file: URL) throws {
    let data = try Data(contentsOf: file)
    withUnsafeMutableBytes(of: &counts) { $0.copyBytes(from: data.prefix($0.count)) }
  }

  var description: String {
    Self.line(
      name, "\(counts.inputs)", "\(counts.refused)", "\(counts.read)",
      "\(counts.slowest / 1_000_000) ms", "\(counts.slow)",
      String(format: "%.1f MB", Double(counts.largest) / 1e6),
      String(format: "%.0f %%", Double(counts.fullest) / 10), "\(counts.greedy)", "\(crashes)")
  }

  private static func line(_ first: String, _ others: String...) -> String {
    let name = first.padding(toLength: 15, withPad: " ", startingAt: 0)
    let cells = others.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }
    return name + cells.joined()
  }
}

/// What was wrong with how the program was called.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
