import Tarn

/// Character models: two LSTM layers over 65 characters, one-hot in the step.
let recurrent: [Workload] = [
  characterTraining("charrnn-train", hidden: 128),
  characterTraining("charrnn-train-512", hidden: 512),
  Workload(
    "charrnn-sample", "characters drawn one by one from a model of 128 units",
    units: 500, make: characterSampling),
]

/// [steps, batch] indices → [steps · batch, 65].
private struct CharacterModel: Layer {
  var rnn: LSTM
  var out: Linear

  init(hidden: Int) {
    rnn = LSTM(65, hidden, layers: 2)
    out = Linear(hidden, 65)
  }

  func callAsFunction(_ indices: Tensor) -> Tensor {
    out(rnn(indices.oneHot(65))).reshaped(-1, 65)
  }
}

private func characterTraining(_ name: String, hidden: Int) -> Workload {
  // Forward, and twice that backward: the two layers' products and the last one's.
  let perStep = 8 * hidden * (65 + 3 * hidden) + 2 * hidden * 65
  return Workload(
    name, "two LSTM layers of \(hidden), RMSProp, 50 sequences of 50",
    gigaOperations: giga(3 * 2500 * perStep)
  ) {
    let batches = (0..<16).map { number -> Examples in
      let key = RandomKey(seed: UInt64(number))
      let x = Tensor.randomIntegers([50, 50], in: 0..<65, key: key).evaluate()
      return Pair(x, labels(2500, of: 65, seed: UInt64(number)))
    }
    return training(
      CharacterModel(hidden: hidden), RMSProp(learningRate: 2e-3, alpha: 0.95), batches,
      clipping: { $0.clipped(toValue: 5) })
  }
}

/// Draws 500 characters, each from the model's probabilities after the one before.
private func characterSampling() -> () -> Void {
  let model = CharacterModel(hidden: 128).evaluated()
  let step = compile { (inputs: [Tensor]) -> [Tensor] in
    let state = LSTM.State(hidden: inputs[1], cell: inputs[2])
    let (output, next) = model.rnn(inputs[0].reshaped(1, 1).oneHot(65), from: state)
    let character = Tensor.categorical(
      logits: model.out(output).reshaped(1, 65), key: RandomKey(tensor: inputs[3]))
    return [character, next.hidden, next.cell]
  }
  let start = Tensor.zeros([2, 1, 128])
  let keys = RandomKey(seed: 1).split(500).map { $0.tensor.evaluate() }
  return {
    var (character, hidden, cell) = (Tensor([0]), start, start)
    for key in keys {
      let next = step([character, hidden, cell, key])
      (character, hidden, cell) = (next[0], next[1], next[2])
      _ = character.item()
    }
  }
}
