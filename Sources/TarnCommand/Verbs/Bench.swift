import ArgumentParser
import Foundation
import Tarn
import TarnBench

/// `tarn bench`. Its answer comes line by line, as each timing takes seconds.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the speed of this machine: operations, networks, training steps.",
    discussion: """
      Each workload runs in a process of its own, for three seconds or more. With --json each gets one line, an object of
      workload, threads, median_ms, min_ms, p90_ms, samples, peak_rss_mb and, where known, giga_operations and giga_bytes. With
      --profile the workloads run here instead, a few times each, and the answer is where their time goes.
      """)

  @Option(help: ArgumentHelp("Only these, as --list names them.", valueName: "name,name"))
  var only: String?

  @Flag(help: "Name the workloads and measure nothing.")
  var list = false

  @Option(help: .hidden)
  var child: String?

  @OptionGroup var common: CommonOptions

  private var names: [String]? {
    only?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private var workloads: [Workload] { names?.compactMap(Catalogue.workload) ?? Catalogue.all }

  func validate() throws {
    if names?.isEmpty == true { throw ValidationError("--only: give at least one name.") }
    if let unknown = names?.first(where: { Catalogue.workload($0) == nil }) {
      let near = suggestion(for: unknown, among: Catalogue.all.map(\.name))
      throw ValidationError("there is no workload '\(unknown)': \(near ?? "see tarn bench --list")")
    }
    if let child, Bencher.Request(child) == nil {
      throw ValidationError("--child \(child): it is for the command's own use.")
    }
  }

  func run() throws {
    try conclude(common) { console in
      let bencher = Bencher(threads: Machine.threads)
      if let request = child.flatMap(Bencher.Request.init) {
        if let line = try bencher.answer(request) { try console.line(line) }
      } else if let file = common.profile, !list {
        for workload in workloads { try profile(workload, to: file, on: console) }
      } else if list {
        try name(on: console)
      } else {
        try measure(bencher, on: console)
      }
      return 0
    }
  }

  private func name(on console: Console) throws {
    for workload in workloads {
      try console.line(
        console.isJSON
          ? Self.json(["workload": workload.name, "about": workload.about])
          : workload.name.padding(toLength: 30, withPad: " ", startingAt: 0) + workload.about)
    }
  }

  /// Runs a workload in this process, twice to warm up and five times to look at.
  private func profile(_ workload: Workload, to file: String, on console: Console) throws {
    let (work, _) = Profiler.record { () -> () -> Void in
      let work =
        switch workload.kind {
        case .calls(_, let make): make()
        case .process(let body): body
        }
      for _ in 0..<2 { work() }
      return work
    }
    let (_, profile) = Profiler.record { for _ in 0..<5 { work() } }
    try profile.writeTrace(to: file)
    guard console.isJSON else {
      return try console.line("\(workload.name), five times: \(profile)\n")
    }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = .sortedKeys
    let answer = Profiled(workload: workload.name, profile: profile)
    try console.line(String(decoding: try encoder.encode(answer), as: UTF8.self))
  }

  private struct Profiled: Encodable {
    var workload: String
    var profile: Profile
  }

  private func measure(_ bencher: Bencher, on console: Console) throws {
    if !console.isJSON, !console.isQuiet {
      try console.line(
        Self.row(["workload", "median ms", "least", "p90", "GFLOP/s", "GB/s", "memory MB"]))
    }
    for workload in workloads {
      let timing = try bencher.timing(of: workload)
      try console.line(console.isJSON ? timing.line() : Self.row(timing))
    }
  }

  private static func json(_ object: [String: String]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(object), as: UTF8.self)
  }

  private static func row(_ timing: Timing) -> String {
    func digits(_ value: Double?) -> String { value.map { String(format: "%.4g", $0) } ?? "" }
    return row([
      timing.workload, digits(timing.medianMilliseconds),
      digits(timing.minimumMilliseconds), digits(timing.p90Milliseconds),
      digits(timing.gigaOperationsPerSecond), digits(timing.gigaBytesPerSecond),
      digits(timing.peakMemory),
    ])
  }

  private static func row(_ cells: [String]) -> String {
    let numbers = cells.dropFirst().map {
      String(repeating: " ", count: max(1, 10 - $0.count)) + $0
    }
    return cells[0].padding(toLength: 28, withPad: " ", startingAt: 0) + numbers.joined()
  }
}
