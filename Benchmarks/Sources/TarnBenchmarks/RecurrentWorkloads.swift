import Tarn

/// Two layers over characters, one-hot in the step.
private struct CharacterModel: Module {
  var rnn: LSTM
  var out: Linear

  init(hidden: Int) {
    rnn = LSTM(65, hidden, layers: 2)
    out = Linear(hidden, 65)
  }

  /// [steps, batch] indices → [steps · batch, 65].
  func callAsFunction(_ indices: Tensor) -> Tensor {
    out(rnn(indices.oneHot(65))).reshaped(-1, 65)
  }
}

private func training(_ name: String, hidden: Int) -> Workload {
  Workload(name: name) {
    var model = CharacterModel(hidden: hidden).evaluated()
    var optimizer = RMSProp(learningRate: 2e-3, alpha: 0.95)
    let batches = (0..<16).map { number in
      let key = RandomKey(seed: UInt64(number))
      return (
        Tensor.randomIntegers([50, 50], in: 0..<65, key: key.folded(in: 0)).evaluate(),
        Tensor.randomIntegers([2500], in: 0..<65, key: key.folded(in: 1)).evaluate()
      )
    }
    var step = 0
    return {
      let (x, y) = batches[step % batches.count]
      step += 1
      let (loss, gradient) = valueAndGrad({ crossEntropy($0(x), y) }, at: model)
      optimizer.update(&model, along: gradient.clipped(toValue: 5), computing: [loss])
    }
  }
}

let recurrentWorkloads = [
  training("charrnn-train", hidden: 128),
  training("charrnn-train-512", hidden: 512),
]
