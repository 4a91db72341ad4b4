import TarnCore
import TarnNN

/// Layers one after another whose names are a word and a number, as `denselayer1`, `denselayer2`, ….
public struct NumberedLayers<L: Layer>: Layer {
  /// The layers in the order they run.
  public var layers: [L]
  /// How they are named.
  public var numbering: Numbering

  /// A word, and the number of the first layer.
  public struct Numbering: Hashable, Sendable, Codable {
    public var word: String
    public var first: Int
    var count: Int
  }

  public init(_ word: String, from first: Int, _ layers: [L]) {
    self.layers = layers
    numbering = Numbering(word: word, first: first, count: layers.count)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ stringValue: String) { self.stringValue = stringValue }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
    static var numbering: Key { Key("numbering") }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (place, layer) in layers.enumerated() {
      try container.encode(layer, forKey: Key("\(numbering.word)\(numbering.first + place)"))
    }
    try container.encode(
      Numbering(word: numbering.word, first: numbering.first, count: layers.count),
      forKey: .numbering)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let numbering = try container.decode(Numbering.self, forKey: .numbering)
    self.numbering = numbering
    layers = try (0..<max(0, numbering.count)).map { place in
      try container.decode(L.self, forKey: Key("\(numbering.word)\(numbering.first + place)"))
    }
  }
}
