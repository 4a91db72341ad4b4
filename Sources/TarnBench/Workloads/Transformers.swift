import Tarn

/// A small GPT over 65 characters, as nanoGPT trains it on a CPU.
let transformers: [Workload] = [
  Workload(
    "gpt-train", "4 blocks of 128 with 4 heads, AdamW, 12 sequences of 64",
    // Of the weights, and of attention: scores and sums of all pairs.
    gigaOperations: giga(6 * 768 * (4 * 12 * 128 * 128 + 65 * 128 + 4 * 2 * 64 * 128))
  ) {
    let card = TextModelCard(.transformer, vocabulary: 65, layers: 4, heads: 4, context: 64)
    let optimizer = AdamW(
      learningRate: 1e-3, beta2: 0.99, weightDecay: 0.1,
      groups: [
        ParameterGroup("*.bias", weightDecay: 0), ParameterGroup("*.ln_*.weight", weightDecay: 0),
      ])
    let batches = (0..<16).map { number -> Examples in
      let key = RandomKey(seed: UInt64(number))
      let x = Tensor.randomIntegers([64, 12], in: 0..<65, key: key).evaluate()
      return Pair(x, labels(768, of: 65, seed: UInt64(number)))
    }
    return training(
      CharacterGPT(model: TransformerLanguageModel(card)), optimizer, batches,
      clipping: { $0.clipped(toNorm: 1).clipped })
  }
]

/// [steps, batch] indices → [steps · batch, 65].
private struct CharacterGPT: Layer {
  var model: TransformerLanguageModel

  func callAsFunction(_ indices: Tensor) -> Tensor { model.logits(indices, from: []).logits }
}
