import TarnCore
import TarnData

/// What a run was trained on, as its folder keeps it: a run is taken up again with the same data only.
public struct DataDescription: Hashable, Sendable {
  /// What people call it, e.g. `digits`.
  public var name: String
  /// Number of examples.
  public var count: Int
  /// Shape of one example's features.
  public var featureShape: [Int]
  /// What the class numbers mean; empty where there are no classes.
  public var classes: [String]
  /// A number that changes when the data does.
  public var digest: UInt64

  public init(
    name: String, count: Int, featureShape: [Int], classes: [String] = [], digest: UInt64
  ) {
    (self.name, self.count, self.featureShape) = (name, count, featureShape)
    (self.classes, self.digest) = (classes, digest)
  }

  /// The digest, hexadecimal.
  var digestText: String { String(digest, radix: 16) }

  /// Looks at every example once. For data that is slow to read, work out a digest of your own, of file
  /// names, sizes and times say.
  public init(of source: some Source<Example>, name: String, classes: [String] = []) throws {
    var digest = Digest()
    var shape: [Int] = []
    try source.batched(1024).epoch(0).forEach { batch in
      shape = Array(batch.features.shape.dropFirst())
      digest.add(batch.features)
      digest.add(batch.labels)
    }
    self.init(
      name: name, count: source.count, featureShape: shape, classes: classes, digest: digest.value)
  }
}

extension DataDescription: Codable {
  private enum CodingKeys: CodingKey { case name, count, featureShape, classes, digest }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    count = try container.decode(Int.self, forKey: .count)
    featureShape = try container.decode([Int].self, forKey: .featureShape)
    classes = try container.decode([String].self, forKey: .classes)
    guard let digest = UInt64(try container.decode(String.self, forKey: .digest), radix: 16) else {
      throw DecodingError.dataCorruptedError(
        forKey: .digest, in: container, debugDescription: "a digest is a hexadecimal number")
    }
    self.digest = digest
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(count, forKey: .count)
    try container.encode(featureShape, forKey: .featureShape)
    try container.encode(classes, forKey: .classes)
    // As text: not every reader of JSON keeps 64 bits.
    try container.encode(digestText, forKey: .digest)
  }
}
