import TarnCore

/// A rule that moves a model's parameters along a gradient. It is a value: copy it, save it, send it.
///
/// ```swift
/// var optimizer = AdamW(learningRate: 1e-3)
/// for batch in batches {
///   let step = valueGradientAndUpdates(at: model, key: keys.next()) { crossEntropy($0(batch.x), batch.y) }
///   optimizer.update(&model, with: step)
/// }
/// ```
///
/// Its memory is `state`, by parameter and by name, as `state.fc.weight.momentum`; with its numbers it is saved like a model
/// by ``TensorStructure/save(to:name:)``. To write one, give the stored properties and ``step(_:_:_:_:)``.
public protocol Optimizer: TensorStructure {
  /// What a schedule sets.
  var learningRate: Double { get set }
  /// λ: the strength of the pull to zero.
  var weightDecay: Double { get set }
  /// Exceptions for some parameters. The first whose filter matches counts.
  var groups: [ParameterGroup] { get set }
  /// Steps taken.
  var stepCount: Int { get set }
  /// By parameter, then by name.
  var state: [String: [String: Tensor]] { get set }

  /// The new value of one parameter.
  ///
  /// - Parameters:
  ///   - w: the parameter.
  ///   - g: its gradient.
  ///   - slots: what is remembered about it; empty at its first step.
  ///   - options: the numbers that hold for it now.
  func step(_ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions)
    -> Tensor
}

/// Other numbers for the parameters whose names match.
///
/// ```swift
/// optimizer.groups = [
///   ParameterGroup("features.*", isFrozen: true),
///   ParameterGroup("*.bias", weightDecay: 0),
///   ParameterGroup("fc", rate: 10),
/// ]
/// ```
public struct ParameterGroup: Hashable, Sendable, Codable {
  /// Which parameters it is about.
  public var filter: ParameterFilter
  /// Factor on the optimizer's learning rate, so that schedules act on all groups.
  public var rate: Double
  /// nil: the optimizer's.
  public var weightDecay: Double?
  /// Whether they stay as they are.
  public var isFrozen: Bool

  /// The parameters that `filter` matches, at `rate` times the learning rate.
  public init(
    _ filter: ParameterFilter, rate: Double = 1, weightDecay: Double? = nil, isFrozen: Bool = false
  ) {
    (self.filter, self.rate, self.weightDecay) = (filter, rate, weightDecay)
    self.isFrozen = isFrozen
  }
}

/// The numbers that hold for one parameter at one step.
public struct StepOptions: Sendable {
  /// η, with the group's factor.
  public var rate: Double
  /// λ
  public var weightDecay: Double
  /// 1 at the first step.
  public var step: Int
}

extension Optimizer {
  /// Moves the parameters of `model` one step and computes them.
  ///
  /// - Parameters:
  ///   - gradient: a value of the model's type; its buffers count for nothing.
  ///   - others: what else to compute in the same run, as the loss, so that nothing is computed twice.
  public mutating func update<Model: Module>(
    _ model: inout Model, along gradient: Model, computing others: [Tensor] = []
  ) {
    advance(&model, along: gradient)
    evaluateTogether(model.tensors(.all) + tensors(.all) + others)
  }

  /// Moves the parameters one step, brings the buffers up to date and computes all of it with the loss.
  public mutating func update<Model: Module>(_ model: inout Model, with step: TrainingStep<Model>) {
    advance(&model, along: step.gradient)
    model = model.applying(step.updates)
    evaluateTogether(model.tensors(.all) + tensors(.all) + [step.value])
  }

  /// Records one step without computing it, for a loop that has more to compute in the same plan.
  package mutating func advance<Model: Module>(_ model: inout Model, along gradient: Model) {
    let tape = model.walked(named: true)
    let gradients = gradient.tensors(.trainable)
    var all = tape.leaves.map(\.tensor)
    var index = 0
    stepCount += 1
    tape.forEachLeaf(.trainable) { id, leaf in
      defer { index += 1 }
      guard index < gradients.count, gradients[index].shape == leaf.tensor.shape else { return }
      all[id] = advanced(leaf.name, leaf.tensor, gradients[index])
    }
    guard index == gradients.count else {
      Diagnostic.report(
        Diagnostic(
          operation: typeName, reason: "the gradient is of another model",
          facts: ["parameters \(index)", "gradients  \(gradients.count)"]))
      return
    }
    model = model.rebuilt(from: tape, with: all)
  }

  private mutating func advanced(_ name: String, _ w: Tensor, _ g: Tensor) -> Tensor {
    let group = groups.first { $0.filter.matches(name) }
    if group?.isFrozen == true { return w }
    var slots = state.removeValue(forKey: name) ?? [:]
    let options = StepOptions(
      rate: learningRate * (group?.rate ?? 1), weightDecay: group?.weightDecay ?? weightDecay,
      step: stepCount)
    let moved = step(w, g, &slots, options)
    if !slots.isEmpty { state[name] = slots }
    return moved.cast(to: w.dtype)
  }
}

/// Computes tensors in one run; what is still being recorded by a transformation stays recorded.
package func evaluateTogether(_ tensors: [Tensor]) {
  Tensor.evaluate(tensors.filter { $0.node.trace?.isActive != true })
}

extension Tensor {
  /// g + λ w, the gradient of the loss with ½ λ |w|² added.
  func decayed(_ w: Tensor, _ options: StepOptions) -> Tensor {
    options.weightDecay == 0 ? self : self + w * options.weightDecay
  }
}
