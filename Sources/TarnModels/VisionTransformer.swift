import TarnCore
import TarnNN

/// A transformer over square patches (Dosovitskiy et al., *An Image is Worth 16x16 Words*, 2020), [N, 3, S, S] → [N, classes].
///
/// Names, shapes and starting values are torchvision's; its last layer starts at zero.
///
/// ```swift
/// let model = VisionTransformer(.b16, classes: 10)
/// let small = VisionTransformer(.init(patch: 4, depth: 6, heads: 3, width: 192, hidden: 768), side: 32)
/// ```
public struct VisionTransformer: Layer {
  /// What shapes it.
  public struct Size: Hashable, Sendable, Codable {
    /// Pixels of a patch's side.
    public var patch: Int
    /// How many blocks.
    public var depth: Int
    public var heads: Int
    /// Channels of a place, and inside the perceptrons.
    public var width: Int, hidden: Int

    public init(patch: Int, depth: Int, heads: Int, width: Int, hidden: Int) {
      (self.patch, self.depth, self.heads) = (patch, depth, heads)
      (self.width, self.hidden) = (width, hidden)
    }

    public static let b16 = Size(patch: 16, depth: 12, heads: 12, width: 768, hidden: 3072)
    public static let b32 = Size(patch: 32, depth: 12, heads: 12, width: 768, hidden: 3072)
    public static let l16 = Size(patch: 16, depth: 24, heads: 16, width: 1024, hidden: 4096)
    public static let l32 = Size(patch: 32, depth: 24, heads: 16, width: 1024, hidden: 4096)
  }

  /// [1, 1, width], put in front of the patches; what becomes of it is classified.
  public var classToken: Tensor
  public var projection: Conv2d
  public var encoder: VisionEncoder
  public var heads: Heads

  /// The last layer, by the name torchvision gives it.
  public struct Heads: Layer {
    public var head: Linear
    public func callAsFunction(_ x: Tensor) -> Tensor { head(x) }
  }

  enum CodingKeys: String, CodingKey {
    case classToken = "class_token"
    case projection = "conv_proj"
    case encoder, heads
  }

  /// - Parameters:
  ///   - side: pixels of a picture's side, a multiple of the patch's.
  ///   - dropout: probability that a number is dropped after attention and in perceptrons, in training.
  ///   - attentionDropout: probability that a weight of attention is dropped, in training.
  public init(
    _ size: Size = .b16, side: Int = 224, classes: Int = 1000, dropout: Double = 0,
    attentionDropout: Double = 0
  ) {
    if size.patch < 1 || side < size.patch || side % size.patch != 0 {
      Diagnostic.report(
        Diagnostic(
          operation: "VisionTransformer", reason: "a picture's side is a multiple of a patch's",
          facts: ["picture \(side)", "patch   \(size.patch)"]))
    }
    let patches = max(1, side / max(1, size.patch))
    let deviation = 1 / Double(3 * size.patch * size.patch).squareRoot()
    classToken = .zeros([1, 1, size.width])
    projection = Conv2d(
      3, size.width, kernel: size.patch, stride: size.patch,
      initializer: .truncatedNormal(deviation: deviation)
    ).withZeroBias()
    encoder = VisionEncoder(
      size, places: patches * patches + 1, dropout: dropout, attentionDropout: attentionDropout)
    heads = Heads(head: Linear(size.width, classes, initializer: .zeros).withZeroBias())
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let patches = projection(x)
    let (batch, width) = (patches.shape[0], patches.shape[1])
    let places = patches.flattened(from: 2).permuted(0, 2, 1)
    guard places.shape[1] + 1 == encoder.positions.shape[1] else {
      let side = "\(encoder.positions.shape[1] - 1) patches"
      return Diagnostic.report(
        Diagnostic(
          operation: "VisionTransformer", reason: "it takes pictures of \(side)",
          facts: ["input \(x.shape)", "patches \(places.shape[1])"],
          hint: "resize the picture, or make the network with side: \(x.shape[2])"),
        poison: [batch, heads.head.weight.shape[0]], x.dtype)
    }
    let token = classToken.broadcast(to: [batch, 1, width])
    return heads(encoder(.concatenated([token, places], axis: 1))[0..., 0])
  }
}

/// The blocks of a ``VisionTransformer``, [N, places, width] → [N, places, width].
public struct VisionEncoder: Layer {
  /// [1, places, width], added to the places.
  public var positions: Tensor
  public var dropout: Dropout
  public var layers: NumberedLayers<VisionBlock>
  public var norm: LayerNorm

  enum CodingKeys: String, CodingKey {
    case positions = "pos_embedding"
    case dropout, layers
    case norm = "ln"
  }

  init(_ size: VisionTransformer.Size, places: Int, dropout: Double, attentionDropout: Double) {
    // A layer's parameter, so that its random numbers come in turn.
    positions = Embedding(places, size.width, initializer: .normal(deviation: 0.02)).weight
      .expandedDims(0).evaluate()
    self.dropout = Dropout(dropout)
    layers = NumberedLayers(
      "encoder_layer_", from: 0,
      (0..<size.depth).map { _ in
        VisionBlock(size, dropout: dropout, attentionDropout: attentionDropout)
      })
    norm = LayerNorm(size.width, epsilon: 1e-6)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { norm(layers(dropout(x + positions))) }
}

/// x + attention(norm x), then y + perceptron(norm y).
public struct VisionBlock: Layer {
  public typealias Perceptron = Sequential<Linear, GELU, Dropout, Linear, Dropout>

  public var norm1: LayerNorm
  public var attention: MultiHeadAttention
  public var dropout: Dropout
  public var norm2: LayerNorm
  public var perceptron: Perceptron

  enum CodingKeys: String, CodingKey {
    case norm1 = "ln_1"
    case attention = "self_attention"
    case dropout
    case norm2 = "ln_2"
    case perceptron = "mlp"
  }

  init(_ size: VisionTransformer.Size, dropout: Double, attentionDropout: Double) {
    norm1 = LayerNorm(size.width, epsilon: 1e-6)
    attention = MultiHeadAttention(size.width, heads: size.heads, dropout: attentionDropout)
    self.dropout = Dropout(dropout)
    norm2 = LayerNorm(size.width, epsilon: 1e-6)
    // Biases start from N(0, 1e-12) in torchvision.
    perceptron = Sequential {
      Linear(size.width, size.hidden, initializer: .xavierUniform()).withZeroBias()
      GELU()
      Dropout(dropout)
      Linear(size.hidden, size.width, initializer: .xavierUniform()).withZeroBias()
      Dropout(dropout)
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = x + dropout(attention(norm1(x)))
    return y + perceptron(norm2(y))
  }
}
