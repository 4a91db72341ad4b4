import TarnCore

/// Losses of classification.
extension ONNXOperators {
  static let losses: [ONNXOperator] = [
    ONNXOperator("NegativeLogLikelihoodLoss", [12, 13]) { call in
      try call.loss(of: call.tensor(0))
    },
    ONNXOperator(
      "SoftmaxCrossEntropyLoss", [12, 13],
      values: { call in
        let scores = try call.tensor(0)
        try call.require(scores.rank >= 2, "\(scores.shape) has no classes")
        let logarithms = scores.logSoftmax(axis: 1)
        return [.tensor(try call.loss(of: logarithms)), .tensor(logarithms)]
      }),
  ]
}

extension ONNXCall {
  /// −Σ w[label] log p[label], over the sum of the weights for the mean.
  ///
  /// - Parameter logarithms: [N, C, …]; the second input has labels [N, …], the third a weight for each class.
  fileprivate func loss(of logarithms: Tensor) throws -> Tensor {
    let labels = try tensor(1).cast(to: .int64)
    let shape = logarithms.shape
    try require(
      shape.count >= 2 && labels.shape == shape.removing(at: [1]),
      "labels \(labels.shape) do not fit \(shape)")
    let ignored = node.attributes["ignore_index"] == nil ? nil : try int("ignore_index", 0)
    let isKept = ignored.map { labels .!= $0 }
    let safe = isKept.map { which($0, labels, labels.filled(.integer(0))) } ?? labels
    let chosen = logarithms.takeAlong(safe.expandedDims(1), axis: 1).squeezed(1)
    var weights = optional(2).map { $0.take(safe) }
    if let isKept {
      let ones = weights ?? Tensor.full(like: chosen, 1)
      weights = which(isKept, ones, Tensor.full(like: chosen, 0))
    }
    let losses = weights.map { -chosen * $0 } ?? -chosen
    switch try string("reduction", "mean") {
    case "none": return losses
    case "sum": return losses.sum()
    case "mean": return weights.map { losses.sum() / $0.sum() } ?? losses.mean()
    case let other: throw error("there is no reduction '\(other)'")
    }
  }
}
