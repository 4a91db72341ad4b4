import TarnNN

/// Sets the learning rate of every step: the options' schedule, times the warm-up.
///
/// The rate is a function of the step and of the epochs' figures so far, so it needs no state of its own.
final class ScheduleCallback: Callback {
  private let kind: ScheduleKind
  private let base: Double
  private let warmupSteps: Int
  private var schedule = Schedule.constant
  private var plateau: Plateau?

  init(_ options: TrainingOptions) {
    (kind, base, warmupSteps) = (options.schedule, options.learningRate, options.warmupSteps)
  }

  func willStart(_ training: Training) throws {
    let epoch = training.stepsPerEpoch
    switch kind {
    case .constant: schedule = .constant
    case .step(let every, let factor): schedule = .steps(every: every * epoch, factor: factor)
    case .exponential(let factor): schedule = .steps(every: epoch, factor: factor)
    case .decay(let factor, let first):
      schedule = .decay(factor: factor, every: epoch, from: first * epoch)
    case .cosine(let minimum): schedule = .cosine(steps: training.totalSteps, minimum: minimum)
    case .oneCycle: schedule = .oneCycle(peak: base, steps: training.totalSteps)
    case .plateau(let factor, let patience):
      plateau = Plateau(
        rate: base, goal: training.monitor.isGain ? .larger : .smaller, factor: factor,
        patience: patience)
      for record in training.history.epochs { try note(record, training) }
    }
  }

  func willStartStep(_ training: Training) {
    let warmth = min(1, Double(training.globalStep + 1) / Double(max(1, warmupSteps)))
    let rate = plateau?.rate ?? schedule.rate(at: training.globalStep, base: base)
    training.learningRate = rate * warmth
  }

  func didEndEpoch(_ record: EpochRecord, _ training: Training) throws {
    try note(record, training)
  }

  private func note(_ record: EpochRecord, _ training: Training) throws {
    guard plateau != nil else { return }
    let value = try training.monitor.value(in: record)
    _ = plateau?.rate(after: value)
  }
}
