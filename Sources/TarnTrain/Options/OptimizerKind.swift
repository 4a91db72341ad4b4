import TarnNN

/// The optimizers that options can name.
public enum OptimizerKind: String, Codable, CaseIterable, Sendable {
  case sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, adamw

  /// The optimizer for a run. What the options say nothing of has its usual value.
  public func optimizer(_ options: TrainingOptions) -> any Optimizer {
    let (rate, decay) = (options.learningRate, options.weightDecay)
    // The first group that matches counts: what is not trained is frozen, so that decay leaves it alone too.
    let groups =
      options.training == .all
      ? [] : [ParameterGroup(options.training), ParameterGroup(.all, isFrozen: true)]
    return switch self {
    case .sgd: SGD(learningRate: rate, weightDecay: decay, groups: groups)
    case .momentum:
      SGD(learningRate: rate, momentum: options.momentum, weightDecay: decay, groups: groups)
    case .nesterov:
      SGD(
        learningRate: rate, momentum: options.momentum, nesterov: true, weightDecay: decay,
        groups: groups)
    case .adagrad: Adagrad(learningRate: rate, weightDecay: decay, groups: groups)
    case .adadelta: Adadelta(learningRate: rate, weightDecay: decay, groups: groups)
    case .rmsprop:
      RMSProp(
        learningRate: rate, alpha: options.squareDecay ?? 0.99, weightDecay: decay, groups: groups)
    case .adam: Adam(learningRate: rate, weightDecay: decay, groups: groups)
    case .adamw: AdamW(learningRate: rate, weightDecay: decay, groups: groups)
    }
  }
}
