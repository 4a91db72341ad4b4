import TarnCore

/// What shapes a recurrent layer.
public struct RecurrentSettings: Hashable, Sendable, Codable {
  /// Lengths of an input and of a state.
  public var inputs: Int, hidden: Int
  /// Layers one above the other.
  public var layers = 1
  /// Whether there are biases.
  public var hasBias = true
  /// Input and output are [batch, steps, …] rather than [steps, batch, …].
  public var isBatchFirst = false
  /// Probability of dropping an output between layers, in training.
  public var dropout = 0.0
  /// Whether each layer also reads from the end.
  public var isBidirectional = false

  var directions: Int { isBidirectional ? 2 : 1 }

  func checked(_ layer: String) -> RecurrentSettings {
    if inputs > 0, hidden > 0, layers > 0, (0...1).contains(dropout) { return self }
    return Diagnostic.report(
      Diagnostic(
        operation: layer, reason: "lengths are 1 or more, and a probability lies between 0 and 1",
        facts: ["inputs \(inputs), hidden \(hidden), layers \(layers), dropout \(dropout)"]),
      giving: RecurrentSettings(inputs: 1, hidden: 1))
  }
}

/// The weights of one direction of one recurrent layer, gates after one another.
public struct RecurrentDirection: Sendable {
  /// [gates · hidden, inputs]
  public var inputWeight: Tensor
  /// [gates · hidden, hidden]
  public var hiddenWeight: Tensor
  /// [gates · hidden], beside the input's product; nil without biases.
  public var inputBias: Tensor?
  /// [gates · hidden], beside the state's product.
  public var hiddenBias: Tensor?
}

/// All weights of a recurrent layer, named as PyTorch's: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, those that
/// read from the end with `_reverse` behind.
public struct RecurrentWeights: Sendable, Codable {
  public var settings: RecurrentSettings
  /// Layer after layer; of a bidirectional one first forward, then backward.
  public var directions: [RecurrentDirection]

  /// From U(±1/√hidden), as PyTorch.
  init(_ settings: RecurrentSettings, gates: Int, key: RandomKey?) {
    self.settings = settings
    let make = ParameterMaker(key)
    let bound = 1 / Double(settings.hidden).squareRoot()
    let rows = gates * settings.hidden
    directions = (0..<settings.layers * settings.directions).map { number in
      func parameter(_ which: Int, _ shape: [Int]) -> Tensor {
        make(4 * number + which, .uniform(from: -bound, to: bound), shape)
      }
      let isFirst = number < settings.directions
      let inputs = isFirst ? settings.inputs : settings.hidden * settings.directions
      return RecurrentDirection(
        inputWeight: parameter(0, [rows, inputs]),
        hiddenWeight: parameter(1, [rows, settings.hidden]),
        inputBias: settings.hasBias ? parameter(2, [rows]) : nil,
        hiddenBias: settings.hasBias ? parameter(3, [rows]) : nil)
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }

    static let settings = Key(stringValue: "settings")
    /// The keys of one direction's four tensors.
    static func of(_ number: Int, _ settings: RecurrentSettings) -> [Key] {
      let isReversed = number % settings.directions == 1
      let end = "_l\(number / settings.directions)" + (isReversed ? "_reverse" : "")
      return ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map { Key(stringValue: $0 + end) }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (number, direction) in directions.enumerated() {
      let keys = Key.of(number, settings)
      try container.encode(direction.inputWeight, forKey: keys[0])
      try container.encode(direction.hiddenWeight, forKey: keys[1])
      try container.encodeIfPresent(direction.inputBias, forKey: keys[2])
      try container.encodeIfPresent(direction.hiddenBias, forKey: keys[3])
    }
    try container.encode(settings, forKey: .settings)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let settings = try container.decode(RecurrentSettings.self, forKey: .settings)
    self.settings = settings
    directions = try (0..<settings.layers * settings.directions).map { number in
      let keys = Key.of(number, settings)
      return RecurrentDirection(
        inputWeight: try container.decode(Tensor.self, forKey: keys[0]),
        hiddenWeight: try container.decode(Tensor.self, forKey: keys[1]),
        inputBias: try container.decodeIfPresent(Tensor.self, forKey: keys[2]),
        hiddenBias: try container.decodeIfPresent(Tensor.self, forKey: keys[3]))
    }
  }
}
