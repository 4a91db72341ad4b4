import Tarn

/// φₖ(x) = exp(-βₖ |x - cₖ|²): each of the outputs says how near x is to its centre.
/// [batch, inputs] → [batch, centres]
struct RadialBasis: Layer {
  var centres: Tensor
  var logBeta: Tensor
  enum CodingKeys: String, CodingKey { case centres, logBeta = "log_beta" }

  init(_ inputs: Int, _ count: Int, key: RandomKey) {
    centres = .normal([count, inputs], key: key)
    logBeta = .zeros([count])
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let distance = (x.expandedDims(1) - centres).squared().sum(-1)
    // A row of its own in the table that `summary` makes.
    return recorded((-logBeta.exp() * distance).exp(), multiplyAdds: x.count * logBeta.count)
  }
}

/// A model is a struct of layers.
struct Classifier: Layer {
  var basis: RadialBasis
  var head: Linear

  init(centres: Int, key: RandomKey) {
    let keys = key.split(2)
    basis = RadialBasis(2, centres, key: keys[0])
    head = Linear(centres, 2, key: keys[1])
  }

  func callAsFunction(_ x: Tensor) -> Tensor { head(basis(x)) }
}

/// L = -mean of (1 - p)^γ log p: what is known well already counts less (Lin et al., 2017).
func focalLoss(_ scores: Tensor, _ labels: Tensor, gamma: Double = 2) -> Tensor {
  let logP = scores.logSoftmax().takeAlong(labels.expandedDims(1), axis: 1)
  return -((1 - logP.exp()).pow(gamma) * logP).mean()
}
