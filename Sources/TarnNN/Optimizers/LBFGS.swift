import TarnCore

/// Limited-memory BFGS: steps along −H g, H an approximation of the inverse Hessian from the last changes of
/// parameters and gradient (Liu and Nocedal, 1989). PyTorch's algorithm. For full batches, where one gradient is exact.
///
/// ```swift
/// var optimizer = LBFGS(lineSearch: .strongWolfe)
/// for _ in 1...10 {
///   let loss = optimizer.update(&model) { model in valueAndGrad({ loss($0) }, at: model) }
/// }
/// ```
public struct LBFGS: TensorStructure {
  /// How far to go along a direction.
  public enum LineSearch: String, Hashable, Sendable, Codable {
    /// A step of the learning rate, whatever comes.
    case none
    /// Until value and slope have fallen enough (Nocedal and Wright, algorithms 3.5 and 3.6).
    case strongWolfe
  }

  /// The length of a step, and where a line search begins.
  public var learningRate: Double
  /// Iterations in one call of ``update(_:_:)``.
  public var maxIterations: Int
  /// Evaluations of the function in one call.
  public var maxEvaluations: Int
  /// Stops where no element of the gradient is larger.
  public var gradientTolerance: Double
  /// Stops where parameters or value change by less.
  public var changeTolerance: Double
  /// Pairs remembered.
  public var historySize: Int
  /// How far to go along a direction.
  public var lineSearch: LineSearch
  /// Iterations so far, over all calls.
  public private(set) var iterationCount = 0
  var history: [Change] = []
  private var direction: Tensor?
  private var previousGradient: Tensor?
  private var stepLength = 0.0
  private var scale = 1.0

  /// s = change of the parameters, y = change of the gradient, ρ = 1 / yᵀs.
  struct Change: Codable, Sendable {
    var s: Tensor
    var y: Tensor
    var rho: Double
  }

  /// An optimizer that remembers nothing yet. `maxEvaluations` is 5/4 of `maxIterations` unless given.
  public init(
    learningRate: Double = 1, maxIterations: Int = 20, maxEvaluations: Int? = nil,
    gradientTolerance: Double = 1e-7, changeTolerance: Double = 1e-9, historySize: Int = 100,
    lineSearch: LineSearch = .none
  ) {
    (self.learningRate, self.maxIterations) = (learningRate, maxIterations)
    self.maxEvaluations = maxEvaluations ?? maxIterations * 5 / 4
    (self.gradientTolerance, self.changeTolerance) = (gradientTolerance, changeTolerance)
    (self.historySize, self.lineSearch) = (historySize, lineSearch)
  }

  /// Up to `maxIterations` iterations; gives the value at the start.
  @discardableResult
  public mutating func update<Model: Module>(
    _ model: inout Model, _ gradient: @escaping (Model) -> (value: Tensor, gradient: Model)
  ) -> Double {
    let start = model
    var x = Self.flat(model)
    func evaluate(_ x: Tensor) -> Point {
      let (value, gradient) = gradient(Self.shaped(x, like: start))
      let g = Self.flat(gradient)
      evaluateTogether([x, g, value])
      return Point(value: value.item(), gradient: g)
    }
    var point = evaluate(x)
    let first = point.value
    var evaluations = 1
    var isDone = point.largest <= gradientTolerance
    var iteration = 0
    while !isDone, iteration < maxIterations {
      iteration += 1
      iterationCount += 1
      let d = nextDirection(point.gradient)
      let previous = point
      previousGradient = point.gradient
      let sum = point.gradient.abs().sum().item()
      stepLength = iterationCount == 1 ? min(1, 1 / sum) * learningRate : learningRate
      let slope = (point.gradient * d).sum().item()
      if slope > -changeTolerance { break }
      if lineSearch == .strongWolfe {
        var search = WolfeSearch(x: x, d: d, start: point, slope: slope, evaluate: evaluate)
        (point, stepLength) = search.run(from: stepLength)
        evaluations += search.evaluations
        x = (x + d * stepLength).evaluate()
      } else {
        x = (x + d * stepLength).evaluate()
        if iteration < maxIterations {
          point = evaluate(x)
          evaluations += 1
        }
      }
      isDone =
        evaluations >= maxEvaluations || point.largest <= gradientTolerance
        || (d * stepLength).abs().max().item() <= changeTolerance
        || abs(point.value - previous.value) < changeTolerance && iteration < maxIterations
    }
    model = Self.shaped(x, like: start).evaluated()
    return first
  }

  /// −H g by the two-loop recursion.
  private mutating func nextDirection(_ g: Tensor) -> Tensor {
    guard iterationCount > 1, let direction, let previousGradient else {
      history = []
      scale = 1
      self.direction = (-g).evaluate()
      return -g
    }
    let y = g - previousGradient
    let s = direction * stepLength
    let ys = (y * s).sum().item()
    if ys > 1e-10 {
      if history.count == historySize, !history.isEmpty { history.removeFirst() }
      history.append(Change(s: s.evaluate(), y: y.evaluate(), rho: 1 / ys))
      scale = ys / (y * y).sum().item()
    }
    var q = -g
    var alphas: [Tensor] = []
    for change in history.reversed() {
      let alpha = (change.s * q).sum() * change.rho
      q = q - change.y * alpha
      alphas.append(alpha)
    }
    var r = q * scale
    for (change, alpha) in zip(history, alphas.reversed()) {
      let beta = (change.y * r).sum() * change.rho
      r = r + change.s * (alpha - beta)
    }
    self.direction = r.evaluate()
    return r
  }

  private static func flat(_ model: some Module) -> Tensor {
    Tensor.concatenated(model.tensors(.trainable).map { $0.reshaped([-1]) }, axis: 0)
  }

  private static func shaped<Model: Module>(_ x: Tensor, like model: Model) -> Model {
    let old = model.tensors(.trainable)
    let parts = x.split(sizes: old.map(\.count), axis: 0)
    return model.replacing(
      .trainable, with: zip(parts, old).map { $0.reshaped($1.shape).cast(to: $1.dtype) })
  }
}

/// The function at one place.
struct Point {
  var value: Double
  var gradient: Tensor
  var largest: Double { gradient.abs().max().item() }
}
