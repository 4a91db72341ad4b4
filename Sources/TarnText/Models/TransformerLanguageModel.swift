import Foundation
import TarnCore
import TarnNN

/// A decoder-only Transformer as GPT-2's: learned positions, layer normalisation first, tied decoder
/// (Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019).
///
/// It sees `card.context` symbols at most. Parameters are named as those of nanoGPT with its prefix `transformer.`, the tied
/// `lm_head.weight` left out.
public struct TransformerLanguageModel: LanguageModel {
  public private(set) var card: TextModelCard
  public var body: TransformerBody

  private enum CodingKeys: String, CodingKey { case card, body = "transformer" }

  /// Weights from N(0, 0.02²), those before a residual sum smaller by √(2 · layers); biases 0.
  public init(_ card: TextModelCard) {
    self.card = card
    body = TransformerBody(card)
    let residual = 0.02 / Double(2 * card.layers).squareRoot()
    self = mapParameters { name, old in
      if name.hasSuffix("bias") { return .zeros(old.shape) }
      // The only other matrices are those of normal deviation; vectors are scales of normalisations.
      return name.hasSuffix("c_proj.weight") ? (old * (residual / 0.02)).evaluate() : old
    }
  }

  /// Symbols [steps, batch] with steps at most `card.context`; there is no state.
  public func logits(_ symbols: Tensor, from state: [Tensor]) -> (logits: Tensor, state: [Tensor]) {
    let rows = symbols.transposed(0, 1)
    var x = body.embedded(rows, at: .arange(rows.shape[1]), dropout: card.dropout)
    for block in body.blocks { x = block(x) }
    let logits = body.decoded(x).transposed(0, 1)
    return (logits.reshaped(-1, card.vocabulary), [])
  }

  public func stepper() -> any SymbolStepper { TransformerStepper(self) }
}

/// Embeddings, blocks and the last normalisation.
public struct TransformerBody: Module {
  public var symbols: Embedding
  public var places: Embedding
  public var blocks: [TransformerBlock]
  public var normalization: LayerNorm

  private enum CodingKeys: String, CodingKey {
    case symbols = "wte", places = "wpe", blocks = "h", normalization = "ln_f"
  }

  init(_ card: TextModelCard) {
    let start = Initializer.normal(deviation: 0.02)
    symbols = Embedding(card.vocabulary, card.size, initializer: start)
    places = Embedding(card.context, card.size, initializer: start)
    blocks = (0..<card.layers).map { _ in TransformerBlock(card, start) }
    normalization = LayerNorm(card.size)
  }

  /// [batch, steps] at places [steps] → [batch, steps, size].
  func embedded(_ rows: Tensor, at places: Tensor, dropout: Double = 0) -> Tensor {
    Dropout(dropout)(symbols(rows) + self.places(places))
  }

  /// [batch, steps, size] → logits [batch, steps, vocabulary], with the weights of the embedding.
  func decoded(_ x: Tensor) -> Tensor {
    normalization(x).matmul(symbols.weight, transposed: true)
  }
}

/// x + attention(norm x), then x + mlp(norm x).
public struct TransformerBlock: Module {
  public var attentionNorm: LayerNorm
  public var attention: CausalSelfAttention
  public var mlpNorm: LayerNorm
  public var mlp: TransformerMLP

  private enum CodingKeys: String, CodingKey {
    case attentionNorm = "ln_1", attention = "attn", mlpNorm = "ln_2", mlp
  }

  init(_ card: TextModelCard, _ start: Initializer) {
    attentionNorm = LayerNorm(card.size)
    attention = CausalSelfAttention(card, start)
    mlpNorm = LayerNorm(card.size)
    mlp = TransformerMLP(card, start)
  }

  /// [batch, steps, size]
  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = x + attention(attentionNorm(x)).output
    return y + mlp(mlpNorm(y))
  }

  /// One step [1, 1, size] after those in the caches.
  func step(_ x: Tensor, _ cache: KeyValueCache) -> (output: Tensor, cache: KeyValueCache) {
    let (mixed, cache) = attention.step(attentionNorm(x), cache)
    let y = x + mixed
    return (y + mlp(mlpNorm(y)), cache)
  }
}

/// Two layers with GELU between, four times as wide inside.
public struct TransformerMLP: Layer {
  public var widening: Linear
  public var narrowing: Linear
  private let dropout: Double

  private enum CodingKeys: String, CodingKey {
    case widening = "c_fc", narrowing = "c_proj", dropout
  }

  init(_ card: TextModelCard, _ start: Initializer) {
    widening = Linear(card.size, 4 * card.size, initializer: start)
    narrowing = Linear(4 * card.size, card.size, initializer: start)
    dropout = card.dropout
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Dropout(dropout)(narrowing(widening(x).gelu()))
  }
}

/// Keys and values of the steps so far, [1, heads, context, size / heads], and where the next goes, an int64.
struct KeyValueCache {
  var keys: Tensor
  var values: Tensor
  var place: Tensor

  /// With the next step's [1, heads, 1, size / heads] in its place.
  func adding(_ key: Tensor, _ value: Tensor) -> KeyValueCache {
    let isHere = steps .== place
    return KeyValueCache(
      keys: which(isHere, key, keys), values: which(isHere, value, values), place: place)
  }

  /// Whether a step has been read, [1, 1, 1, context].
  var isKnown: Tensor { (steps .<= place).reshaped([1, 1, 1, -1]) }

  private var steps: Tensor { Tensor.arange(keys.shape[2]).reshaped([1, 1, -1, 1]) }
}

/// Several heads of attention of a sequence to its own past.
public struct CausalSelfAttention: Module {
  /// Queries, keys and values one after another.
  public var projections: Linear
  public var output: Linear
  private let heads: Int
  private let dropout: Double

  private enum CodingKeys: String, CodingKey {
    case projections = "c_attn", output = "c_proj", heads, dropout
  }

  init(_ card: TextModelCard, _ start: Initializer) {
    projections = Linear(card.size, 3 * card.size, initializer: start)
    output = Linear(card.size, card.size, initializer: start)
    (heads, dropout) = (card.heads, card.dropout)
  }

  /// [batch, steps, size], with the keys and values [batch, heads, steps, size / heads].
  func callAsFunction(_ x: Tensor) -> (output: Tensor, keys: Tensor, values: Tensor) {
    let packed = projections(x)
    let (_, keys, values) = apart(packed)
    let mixed = Tensor.selfAttention(packed, heads: heads, isCausal: true, dropout: dropout)
    return (Dropout(dropout)(output(mixed)), keys, values)
  }

  /// One step after those in the cache.
  func step(_ x: Tensor, _ cache: KeyValueCache) -> (output: Tensor, cache: KeyValueCache) {
    let (queries, keys, values) = apart(projections(x))
    let cache = cache.adding(keys, values)
    let mixed = Tensor.attention(queries, cache.keys, cache.values, mask: cache.isKnown)
    return (output(joined(mixed)), cache)
  }

  /// [batch, steps, 3 · size] → [batch, heads, steps, size / heads] each.
  private func apart(_ x: Tensor) -> (queries: Tensor, keys: Tensor, values: Tensor) {
    let (batch, steps, size) = (x.shape[0], x.shape[1], x.shape[2] / 3)
    let parts = x.split(3, axis: 2).map {
      $0.reshaped([batch, steps, heads, size / heads]).permuted(0, 2, 1, 3)
    }
    return (parts[0], parts[1], parts[2])
  }

  /// [batch, heads, steps, width] → [batch, steps, heads · width]
  private func joined(_ x: Tensor) -> Tensor {
    let shape = x.shape
    return x.permuted(0, 2, 1, 3).reshaped([shape[0], shape[2], shape[1] * shape[3]])
  }
}
