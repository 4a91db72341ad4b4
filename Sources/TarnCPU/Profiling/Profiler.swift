import CTarnKernels
import Foundation
import TarnCore

/// Finds out where the time goes.
///
/// ```swift
/// let (_, profile) = Profiler.record { model(images).evaluate() }
/// print(profile)                                  // kernels and layers, the slowest first
/// try profile.trace.write(to: URL(filePath: "trace.json"))   // for chrome://tracing or ui.perfetto.dev
/// ```
public enum Profiler {
  /// Runs `body` and measures every kernel that the CPU engine runs meanwhile, for other tasks too.
  ///
  /// Layers are named by where they stand in sequences and by what they are; what stands between two layers counts for
  /// the later one, and gradients have names of their own. Plans made here are kept apart from others. A recording takes
  /// in only what is evaluated before `body` returns.
  ///
  /// - Returns: what `body` returns, and the profile. Errors of `body` are thrown on.
  public static func record<Result>(_ body: () throws -> Result) rethrows -> (
    result: Result, profile: Profile
  ) {
    let session = ProfileSession()
    ProfileSession.begin(session)
    defer { ProfileSession.end(session) }
    let start = nanoseconds()
    let result = try LayerLabels.recording { try body() }
    let seconds = Double(nanoseconds() - start) * 1e-9
    return (result, Profile(session.taken, seconds: seconds))
  }

  static func nanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}

/// What one recording has heard of.
final class ProfileSession: Sendable {
  struct Event: Sendable {
    var cost: StepCost
    var layer: String?
    var start: UInt64
    var nanoseconds: UInt64
  }

  private static let open = Lock<[ProfileSession]>([])
  private let events = Lock<[Event]>([])

  static func begin(_ session: ProfileSession) { open.withLock { $0.append(session) } }
  static func end(_ session: ProfileSession) { open.withLock { $0.removeAll { $0 === session } } }

  var taken: [Event] { events.withLock { $0 } }

  /// Runs some steps of a plan and tells those who listen how long each took.
  static func run(
    _ kernels: [KernelStep], _ steps: [Int], of program: Program, _ pointers: KernelStep.Pointers,
    _ scalars: UnsafePointer<tarn_scalar>
  ) throws {
    var heard: [Event] = []
    heard.reserveCapacity(steps.count)
    for index in steps {
      let start = Profiler.nanoseconds()
      try kernels[index].run(pointers, scalars)
      let taken = Profiler.nanoseconds() - start
      let layer = index < program.layers.count ? program.layers[index] : nil
      heard.append(
        Event(
          cost: StepCost(program.steps[index]), layer: layer, start: start, nanoseconds: taken))
    }
    let news = heard
    for session in open.withLock({ $0 }) { session.events.withLock { $0 += news } }
  }
}
