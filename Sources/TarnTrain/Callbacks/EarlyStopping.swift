/// Ends training when the monitored figure has not improved for some epochs.
///
/// Its counters follow from the history, so a run that is taken up again stops at the same epoch.
public final class EarlyStopping: Callback {
  public let patience: Int
  /// How much the figure must get better to count as an improvement.
  public let minimumDelta: Double
  private let monitor: Monitor?
  private var best: (value: Double, epoch: Int)?
  private var waited = 0

  /// - Parameters:
  ///   - monitor: the figure to watch; nil: the run's.
  ///   - patience: epochs without improvement to wait for; at least 1.
  public init(monitor: Monitor? = nil, patience: Int, minimumDelta: Double = 0) {
    (self.monitor, self.patience) = (monitor, max(1, patience))
    self.minimumDelta = minimumDelta
  }

  public func willStart(_ training: Training) throws {
    (best, waited) = (nil, 0)
    for record in training.history.epochs { try note(record, training) }
    stopIfDue(training)
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) throws {
    try note(record, training)
    stopIfDue(training)
  }

  private func note(_ record: EpochRecord, _ training: Training) throws {
    let monitor = monitor ?? training.monitor
    let value = try monitor.value(in: record)
    if monitor.isBetter(value, than: best?.value, by: minimumDelta) {
      (best, waited) = ((value, record.epoch), 0)
    } else {
      waited += 1
    }
  }

  private func stopIfDue(_ training: Training) {
    if waited >= patience { training.requestStop(.early(bestEpoch: best?.epoch ?? 0)) }
  }
}
