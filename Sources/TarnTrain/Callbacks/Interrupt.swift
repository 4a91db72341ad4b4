import Foundation
import Synchronization

/// Ends training after the step during which Ctrl-C was pressed or the program was asked to terminate, so that the state is
/// saved. A second Ctrl-C leaves at once; the last checkpoint is whole all the same.
///
/// The signals are taken from the start of training to its end.
public final class Interrupt: Callback {
  private let resume: String?
  private var old: [(signal: Int32, action: sigaction)] = []

  /// - Parameter resume: what to type to go on, told on standard error when training was interrupted.
  public init(resume: String? = nil) { self.resume = resume }

  deinit { restoreSignals() }

  public func willStart(_ training: Training) {
    signalsSeen.store(0, ordering: .relaxed)
    for signal in [SIGINT, SIGTERM] {
      var (new, before) = (sigaction(), sigaction())
      #if os(macOS)
        new.__sigaction_u.__sa_handler = signalArrived
      #else
        new.__sigaction_handler.sa_handler = signalArrived
      #endif
      new.sa_flags = SA_RESTART
      if sigaction(signal, &new, &before) == 0 { old.append((signal, before)) }
    }
  }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    if signalsSeen.load(ordering: .relaxed) > 0 { training.requestStop(.interrupted) }
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) {
    if signalsSeen.load(ordering: .relaxed) > 0 { training.requestStop(.interrupted) }
  }

  public func didEnd(_ training: Training) {
    restoreSignals()
    guard training.stopReason == .interrupted else { return }
    var words = "interrupted in epoch \(training.epoch + 1) after step \(training.globalStep)"
    if training.run != nil { words += "; the state is saved" }
    if let resume { words += "\nto go on: \(resume)" }
    FileHandle.standardError.write(Data((words + "\n").utf8))
  }

  private func restoreSignals() {
    for (signal, action) in old {
      var action = action
      sigaction(signal, &action, nil)
    }
    old = []
  }
}

/// Signals since training began. An atomic is all that a signal handler may touch.
private let signalsSeen = Atomic(0)

/// The handler: counts, says so, and leaves at the second signal. It calls nothing that is not safe in a handler.
private func signalArrived(_ signal: Int32) {
  if signalsSeen.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + signal) }
  let words: StaticString = "\nfinishing this step; press Ctrl-C again to leave at once\n"
  _ = write(2, words.utf8Start, words.utf8CodeUnitCount)
}
