import TarnCore
import TarnNN

/// A Transformer that reads symbol by symbol. Keys and values of those before are kept, so that each costs one step.
///
/// When its context is full it goes on from the last half of it, read again in one pass.
final class TransformerStepper: SymbolStepper {
  private let context: Int
  private let step: Compiled<[Tensor], [Tensor]>
  private let reread: Compiled<[Tensor], [Tensor]>
  private let start: [Tensor]
  /// Keys and values of every block.
  private var caches: [Tensor]
  /// What was read and stands in the caches.
  private var read: [Int] = []

  init(_ model: TransformerLanguageModel) {
    let card = model.card
    context = card.context
    let shape = [1, card.heads, card.context, card.size / card.heads]
    step = compile { inputs in Self.step(model, inputs) }
    reread = compile { inputs in Self.reread(model, inputs[0]) }
    start = (0..<2 * card.layers).map { _ in Tensor.zeros(shape).evaluate() }
    caches = start
  }

  func restart() { (caches, read) = (start, []) }

  func logits(after symbol: Int) -> [Float] {
    if read.count == context {
      read = Array(read.suffix(context / 2))
      caches = read.isEmpty ? start : reread([Tensor(read.map(Int64.init))])
    }
    let place = Tensor([Int64(read.count)])
    read.append(symbol)
    let results = step([Tensor([Int64(symbol)]), place] + caches)
    caches = Array(results.dropFirst())
    return results[0].array(of: Float.self)
  }

  /// A symbol [1], its place [1] and the caches to logits [vocabulary] and the caches.
  private static func step(_ model: TransformerLanguageModel, _ inputs: [Tensor]) -> [Tensor] {
    Phase.inference {
      var x = model.body.embedded(inputs[0].reshaped(1, 1), at: inputs[1])
      var caches: [Tensor] = []
      for (number, block) in model.body.blocks.enumerated() {
        let cache = KeyValueCache(
          keys: inputs[2 + 2 * number], values: inputs[3 + 2 * number], place: inputs[1])
        let (output, next) = block.step(x, cache)
        x = output
        caches += [next.keys, next.values]
      }
      return [model.body.decoded(x).reshaped(-1)] + caches
    }
  }

  /// Symbols [steps] to the caches after them.
  private static func reread(_ model: TransformerLanguageModel, _ symbols: Tensor) -> [Tensor] {
    Phase.inference {
      let steps = symbols.shape[0]
      var x = model.body.embedded(symbols.reshaped(1, steps), at: .arange(steps))
      var caches: [Tensor] = []
      for block in model.body.blocks {
        let (mixed, keys, values) = block.attention(block.attentionNorm(x))
        let rest = model.card.context - steps
        caches += [keys, values].map { cache in
          var shape = cache.shape
          shape[2] = rest
          return .concatenated([cache, .zeros(shape)], axis: 2)
        }
        let y = x + mixed
        x = y + block.mlp(block.mlpNorm(y))
      }
      return caches
    }
  }
}
