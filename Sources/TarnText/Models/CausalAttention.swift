import TarnCore

extension Tensor {
  /// softmax(Q Kᵀ / √E + mask) V.
  static func attention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, isCausal: Bool = false,
    dropout: Double = 0
  ) -> Tensor {
    let scale = 1 / Double(query.shape[3]).squareRoot()
    var scores = (query * scale).matmul(key, transposed: true)
    if isCausal {
      let places = Tensor.arange(query.shape[2])
      scores = which(places.reshaped([-1, 1]) .>= places, scores, -1e30)
    }
    if let mask { scores = which(mask, scores, -1e30) }
    return scores.softmax(axis: -1).matmul(value)
  }
}
