import TarnCore

/// An average of a model's parameters over steps, which often does better than the last of them.
///
/// Buffers are those of the model given last. The first model given is the first average.
///
/// ```swift
/// var average = WeightAverage<LeNet>(.exponential(decay: 0.999))
/// average.update(model)                                   // after each step
/// let better = average.model ?? model
/// ```
///
/// ``record(_:)`` leaves the computing to you, for a loop that computes a step's tensors together.
public struct WeightAverage<Model: Module>: TensorStructure {
  /// How models are averaged.
  public enum Kind: Hashable, Sendable, Codable {
    /// a ← decay · a + (1 − decay) w
    case exponential(decay: Double)
    /// The mean of all models given (stochastic weight averaging, Izmailov et al., 2018).
    case mean
  }

  /// How models are averaged.
  public var kind: Kind
  /// The average so far.
  public private(set) var model: Model?
  /// How many models were given.
  public private(set) var count = 0

  /// An average of nothing yet.
  public init(_ kind: Kind) { self.kind = kind }

  /// Takes one more model in and computes the average.
  public mutating func update(_ latest: Model) {
    record(latest)
    evaluateTogether(tensors(.all))
  }

  /// Takes one more model in without computing the average.
  ///
  /// Compute it at every step, with what else the step recorded: averages that are only recorded hold on to every model
  /// given.
  ///
  /// ```swift
  /// average.record(model)
  /// Tensor.evaluate([loss] + model.tensors(.all) + average.tensors(.all))
  /// ```
  public mutating func record(_ latest: Model) {
    defer { count += 1 }
    guard let average = model else {
      model = latest
      return
    }
    let share: Double =
      switch kind {
      case .exponential(let decay): 1 - decay
      case .mean: 1 / Double(count + 1)
      }
    model = latest.combined(with: average, "WeightAverage") { w, a in a + (w - a) * share }
  }
}
