import Tarn

/// A model of characters: one-hot, LSTM layers, linear. [steps, batch] → [steps · batch, characters].
private struct CharacterModel: Layer {
  var lstm: LSTM
  var out: Linear

  init(width: Int) {
    lstm = LSTM(characters, width, layers: 2)
    out = Linear(width, characters)
  }

  func callAsFunction(_ text: Tensor) -> Tensor {
    out(lstm(text.oneHot(characters))).reshaped(-1, characters)
  }
}

private let characters = 65

/// Training of character models: batches of 50 texts of 50, RMSProp, each element of the gradient within ±5.
let recurrent: [Workload] = [
  characterTraining("charrnn-train", width: 128),
  characterTraining("charrnn-train-512", width: 512),
]

private func characterTraining(_ name: String, width: Int) -> Workload {
  let gates = 4 * width * (characters + width) + 4 * width * 2 * width
  return Workload(
    name, "two LSTM layers of \(width), RMSProp, batches of 50 texts of 50",
    gigaOperations: giga(6 * 2500 * (gates + width * characters))
  ) {
    let batches = (1...16).map { number in
      let seed = UInt64(number)
      let text = Tensor.randomIntegers([50, 50], in: 0..<characters, key: RandomKey(seed: seed))
      return Pair(text.evaluate(), labels(2500, of: characters, seed: seed + 100))
    }
    return training(
      CharacterModel(width: width), RMSProp(learningRate: 2e-3, alpha: 0.95), batches,
      clipping: { $0.clipped(toValue: 5) })
  }
}
