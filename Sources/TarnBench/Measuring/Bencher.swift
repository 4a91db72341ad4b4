import Foundation
import Tarn

/// Measures workloads, each in a process of its own, so that the peak memory is its own too.
///
/// A process that measures is this program again, called with the arguments of ``Request``.
package struct Bencher: Sendable {
  /// What a process that was started for one workload shall do.
  package enum Request: Sendable {
    /// Measure it and print a line.
    case measure(Workload)
    /// Be what is measured.
    case perform(Workload)

    /// The arguments after `bench` that say so.
    func arguments(threads: Int) -> [String] {
      let (role, workload) =
        switch self {
        case .measure(let workload): ("measure", workload)
        case .perform(let workload): ("perform", workload)
        }
      return ["--child", "\(role):\(workload.name)", "--threads", "\(threads)"]
    }

    /// From what stands after `--child`; nil if it is no such request.
    package init?(_ text: String) {
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2, let workload = Catalogue.workload(parts[1]) else { return nil }
      switch parts[0] {
      case "measure": self = .measure(workload)
      case "perform": self = .perform(workload)
      default: return nil
      }
    }
  }

  /// The program that measures: this one.
  private var program: String { Bundle.main.executablePath ?? CommandLine.arguments[0] }
  private let threads: Int
  /// How many processes are timed where whole processes are, after one that does not count.
  private let processes = 7

  package init(threads: Int) { self.threads = threads }

  /// Measures `workload` in a fresh process.
  package func timing(of workload: Workload) throws -> Timing {
    let arguments = ["bench"] + Request.measure(workload).arguments(threads: threads)
    let text = try ChildProcess.output(program, arguments)
    return try Timing(line: text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Does what this process was started for; gives what it has to print.
  package func answer(_ request: Request) throws -> String? {
    switch request {
    case .perform(let workload):
      perform(workload)
      return nil
    case .measure(let workload):
      switch workload.kind {
      case .calls(let units, let make):
        let seconds = Sampling().seconds(make()).map { $0 / Double(units) }
        return try Timing(
          workload, threads: threads, seconds: seconds, peakBytes: ProcessMemory.peakBytes
        ).line()
      case .process: return try processTiming(workload).line()
      }
    }
  }

  private func perform(_ workload: Workload) {
    switch workload.kind {
    case .calls(_, let make): make()()
    case .process(let body): body()
    }
  }

  private func processTiming(_ workload: Workload) throws -> Timing {
    let arguments = ["bench"] + Request.perform(workload).arguments(threads: threads)
    var seconds: [Double] = []
    for number in 0...processes {
      let time = try ChildProcess.time(program, arguments)
      if number > 0 { seconds.append(time / .seconds(1)) }
    }
    return Timing(
      workload, threads: threads, seconds: seconds, peakBytes: ProcessMemory.peakBytesOfChildren)
  }
}
