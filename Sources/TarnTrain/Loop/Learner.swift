import TarnCore
import TarnData
import TarnNN

/// What a step changes: the model, the optimizer's memory, and the running average of the weights.
struct Learner<Model: Module> {
  var model: Model
  var optimizer: any Optimizer
  var average: WeightAverage<Model>?
  private let clipNorm: Double?
  private let clipValue: Double?
  private let gradientScale: Double?

  init(_ model: Model, _ options: TrainingOptions) {
    self.model = model
    optimizer = options.optimizer.optimizer(options)
    average = options.averaging.map { WeightAverage(.exponential(decay: $0)) }
    (clipNorm, clipValue) = (options.clipNorm, options.clipValue)
    gradientScale = options.gradientScale
  }

  /// The weights to use.
  var result: Model { average?.model ?? model }

  /// Scales and clips the gradient, moves the weights and their average, and computes all that the step recorded in one plan.
  mutating func update(with step: TrainingStep<Model>, rate: Double, computing others: [Tensor]) {
    var gradient = step.gradient
    if let gradientScale { gradient = gradient.mapTensors { $0 * gradientScale } }
    if let clipValue { gradient = gradient.clipped(toValue: clipValue) }
    if let clipNorm { gradient = gradient.clipped(toNorm: clipNorm).clipped }
    // The rate is a number of the plan, not part of its structure: a schedule makes no new plans.
    optimizer.learningRate = rate
    optimizer.advance(&model, along: gradient)
    model = model.applying(step.updates)
    average?.record(model)
    evaluateTogether(
      model.tensors(.all) + optimizer.tensors(.all) + (average?.tensors(.all) ?? [])
        + [step.value] + others)
  }
}
