import Foundation
import TarnCore
import TarnData
import TarnModels
import TarnNN

/// Which model a run trains: what `run.json` keeps so that the run can be taken up again with nothing else said.
///
/// ```swift
/// let card = ModelCard(kind: "mlp", inputShape: [1, 8, 8], classes: 10, hidden: [64])
/// let model = try card.model(seed: 0)
/// ```
public struct ModelCard: Codable, Hashable, Sendable {
  /// One of ``kinds``, or a network of the `Zoo`.
  public var kind: String
  /// Shape of one example's features.
  public var inputShape: [Int]
  /// Number of outputs.
  public var classes: Int
  /// Widths of the hidden layers, for the kinds that have a choice.
  public var hidden: [Int]
  public var activation: Activation
  /// The share of a hidden layer's outputs that is dropped in training.
  public var dropout: Double
  /// Of a network of the zoo: whether it has classifiers on the way; nil for its own way.
  public var hasAuxiliaries: Bool?
  /// Of a network of the zoo: what it computes otherwise, for the weights that it began with; nil for nothing.
  public var variant: NetworkVariant?

  public init(
    kind: String, inputShape: [Int], classes: Int, hidden: [Int] = [128],
    activation: Activation = .relu, dropout: Double = 0
  ) {
    (self.kind, self.inputShape, self.classes) = (kind, inputShape, classes)
    (self.hidden, self.activation, self.dropout) = (hidden, activation, dropout)
  }

  private static let types: [any StandardModel.Type] = [
    LinearClassifier.self, MLP.self, LeNet.self,
  ]

  /// The kinds that are built to measure, beside the networks of the zoo.
  public static var kinds: [String] { types.map { $0.kind } }

  /// The model with random weights that depend on the seed only; without a seed with zeros, for weights of a file.
  ///
  /// - Throws: `DataError` for a kind that is not known, or an input the kind cannot take.
  public func model(seed: UInt64?) throws -> any Layer {
    guard let type = Self.types.first(where: { $0.kind == kind }) else {
      return try published(seed: seed)
    }
    guard classes > 0, !inputShape.isEmpty, inputShape.allSatisfy({ $0 > 0 }),
      hidden.allSatisfy({ $0 > 0 })
    else {
      throw DataError(
        .invalid, file: "model", reason: "sizes must be at least 1",
        hint: "input \(inputShape), hidden \(hidden), classes \(classes)")
    }
    guard dropout >= 0 && dropout < 1 else {
      throw DataError(
        .invalid, file: "model", reason: "the dropout is \(dropout)",
        hint: "give a number from 0 up to, not including, 1")
    }
    guard fitsMemory else {
      throw DataError(
        .unsupported, file: "model", reason: "its weights would not fit this machine's memory",
        hint: "choose smaller sizes: input \(inputShape), hidden \(hidden), classes \(classes)")
    }
    if let problem = type.problem(self) {
      throw DataError(.unsupported, file: "model", reason: problem, hint: "choose another kind")
    }
    return Self.initialized(seed) { type.init(self) }
  }

  private static func initialized<Result>(_ seed: UInt64?, _ make: () -> Result) -> Result {
    if let seed { Initialization.seeded(seed, make) } else { Initialization.skipped(make) }
  }

  /// A network of the zoo with this card's number of classes.
  private func published(seed: UInt64?) throws -> any Layer {
    let entry = try Zoo.entry(kind)
    let channels = entry.inputShape[0]
    guard classes > 0, inputShape.count == 3, inputShape[0] == channels else {
      throw DataError(
        .unsupported, file: "model",
        reason: "\(entry.name) takes pictures [\(channels), H, W], not \(inputShape)",
        hint: "choose another kind: \(Self.kinds.joined(separator: ", "))")
    }
    let model = Self.initialized(seed) {
      entry.model(
        classes: classes, hasAuxiliaries: hasAuxiliaries, side: inputShape[1],
        variant: variant ?? .own)
    }
    // Recording computes shapes only; it tells pictures that are too small.
    do { try Diagnostic.catching { _ = model(.zeros([1] + inputShape)) } } catch {
      throw DataError(
        .unsupported, file: "model", reason: "\(entry.name) cannot take pictures \(inputShape)",
        hint: "give larger ones, such as \(entry.inputShape)\n\(error)")
    }
    return model
  }

  /// Whether the layers' matrices, of 4 bytes an element, take less than all memory. Models of a fixed width inside
  /// have none wider than 128 there.
  private var fitsMemory: Bool {
    guard let inputs = inputShape.checkedProduct else { return false }
    let widths =
      [inputs] + (kind == MLP.kind ? hidden : kind == LeNet.kind ? [128] : []) + [classes]
    var bytes = 0
    for (width, next) in zip(widths, widths.dropFirst()) {
      guard let matrix = [width, next, 4].checkedProduct else { return false }
      let (sum, overflow) = bytes.addingReportingOverflow(matrix)
      if overflow { return false }
      bytes = sum
    }
    return UInt64(bytes) < ProcessInfo.processInfo.physicalMemory
  }
}

/// A model that is built to a ``ModelCard``'s measure.
public protocol StandardModel: Layer {
  /// Its name on cards.
  static var kind: String { get }
  /// Why there can be no such model; nil if there can.
  static func problem(_ card: ModelCard) -> String?
  init(_ card: ModelCard)
}

extension StandardModel {
  public static func problem(_ card: ModelCard) -> String? { nil }
}
