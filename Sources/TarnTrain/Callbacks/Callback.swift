import TarnCore

/// What happens beside the learning itself: logs, stopping, schedules, progress.
///
/// The loop calls each callback in the order given, on its own thread. What a callback must remember for a run to be taken
/// up again exactly, it gives as numbers in ``save()``.
///
/// ```swift
/// final class Beep: Callback {
///   func didEndEpoch(_ record: EpochRecord, _ training: Training) { print("\u{7}", record.epoch) }
/// }
/// ```
public protocol Callback: AnyObject {
  /// What its state is kept under. Two callbacks of one run must differ in it.
  var name: String { get }

  /// Before the first step of this session; `training` tells whether a run is taken up again.
  func willStart(_ training: Training) throws
  /// Before an epoch, or the rest of one.
  func willStartEpoch(_ training: Training) throws
  /// Before a step: the time to change its learning rate.
  func willStartStep(_ training: Training) throws
  func didEndStep(_ step: StepReport, _ training: Training) throws
  /// After an epoch and the validation that follows it.
  func didEndEpoch(_ record: EpochRecord, _ training: Training) throws
  /// After a validation within an epoch.
  func didValidate(_ record: ValidationRecord, _ training: Training) throws
  /// After the last step of this session. Not called when training throws.
  func didEnd(_ training: Training) throws

  /// What to remember.
  func save() throws -> [String: Double]
  /// Takes back what ``save()`` gave, before ``willStart(_:)``.
  func restore(_ state: [String: Double]) throws
}

extension Callback {
  public var name: String { "\(Self.self)" }
  public func willStart(_ training: Training) throws {}
  public func willStartEpoch(_ training: Training) throws {}
  public func willStartStep(_ training: Training) throws {}
  public func didEndStep(_ step: StepReport, _ training: Training) throws {}
  public func didEndEpoch(_ record: EpochRecord, _ training: Training) throws {}
  public func didValidate(_ record: ValidationRecord, _ training: Training) throws {}
  public func didEnd(_ training: Training) throws {}
  public func save() throws -> [String: Double] { [:] }
  public func restore(_ state: [String: Double]) throws {}
}

/// A step that was taken.
public struct StepReport: Sendable {
  /// From 0.
  public let epoch: Int
  /// Its place in the epoch, from 0.
  public let step: Int
  /// Steps taken in all, this one included.
  public let globalStep: Int
  /// Examples in its batch.
  public let count: Int
  public let learningRate: Double
  let lossTensor: Tensor

  /// The mean loss of its batch, before the step. Reading it waits for the device.
  public var loss: Double { lossTensor.number }
}
