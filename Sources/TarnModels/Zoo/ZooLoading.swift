import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN
import TarnVision

extension Zoo {
  /// A network with weights from a file, and what belongs to them.
  public struct Loaded: Sendable {
    public var model: any Layer
    /// What was filled, and what was not.
    public var report: LoadReport
    /// Which published weights they are; nil if that cannot be told, or the head is new.
    public var published: PublishedWeights?
    /// How many numbers the network gives a picture.
    public var classes: Int
    /// Shape of one picture, [C, H, W].
    public var inputShape: [Int]
    /// What is done to a picture before: with the published weights, or the family's rule.
    public var preprocessing: Preprocessing
    /// The names of the classes; nil where they are not known.
    public var labels: ClassLabels?
  }

  /// A network with weights, fitted strictly: each tensor of the network must be there in its shape, and nothing may be left over.
  ///
  /// It finds its way by what is there:
  /// - prefixes that wrappers add (`module.`) are taken off, and old spellings of names are known;
  /// - auxiliary classifiers (GoogLeNet, Inception v3) are made if the weights have them;
  /// - MobileNet v1 with normalisation folded into its weights becomes a ``FoldedMobileNetV1``;
  /// - a vision transformer takes pictures as large as its places say;
  /// - `num_batches_tracked` may be missing;
  /// - the network has as many classes as the weights, unless `classes` says otherwise.
  ///
  /// ```swift
  /// let weights = try Weights(contentsOf: URL(fileURLWithPath: "resnet18-f37072fd.pth"))
  /// let loaded = try Zoo.load(Zoo.entry("resnet18"), weights: weights, classes: 37)   // a new last layer
  /// ```
  ///
  /// - Parameters:
  ///   - classes: another number than the weights' gives the last layer a random start, of the enclosing `Initialization`
  ///     scope; the report lists it as kept.
  ///   - sha256: of the file they are from, to tell which published weights they are; its name tells too.
  /// - Throws: `LoadError` with all that does not fit.
  public static func load(
    _ entry: Entry, weights: Weights, classes: Int? = nil, sha256: String? = nil
  ) throws -> Loaded {
    let stored = entry.named(weights)
    let head = entry.heads.lazy.compactMap { stored["\($0).weight"]?.shape.first }.first
    var options = Options(classes: classes ?? head ?? entry.classes)
    options.isFolded = stored["Conv2d_0.weight"] != nil
    if entry.heads.count > 1 {
      options.hasAuxiliaries = entry.heads.dropFirst().contains { stored["\($0).weight"] != nil }
    }
    let side = entry.side(of: stored)
    options.side = side
    let keepsHead = options.classes == (head ?? options.classes)
    let isWhole = keepsHead && (head != nil || classes == nil)
    let made = options
    let model =
      isWhole ? Initialization.skipped { entry.make(made) } : entry.make(made)
    let (filled, report) = try fill(model, stored, allowing: isWhole ? [] : entry.heads)

    let candidates = entry.weights.filter { head == nil || $0.classes == head }
    let published =
      candidates.first { $0.matches(file: weights.source, sha256: sha256) }
      ?? (candidates.count == 1 && candidates[0].classes == head ? candidates[0] : nil)
    let rule = published ?? candidates.first
    let shape = [entry.inputShape[0]] + (side.map { [$0, $0] } ?? entry.inputShape.suffix(2))
    return Loaded(
      model: filled, report: report, published: isWhole ? published : nil,
      classes: options.classes, inputShape: Array(shape),
      preprocessing: rule?.preprocessing
        ?? (head == entry.classes ? .standard(entry.inputShape) : entry.preprocessing),
      labels: isWhole ? rule?.labels : nil)
  }

  /// The same with the weights of a file of any known format. Where its name does not tell which of several published weights they
  /// are, its digest does.
  public static func load(
    _ entry: Entry, contentsOf url: URL, classes: Int? = nil
  ) throws -> Loaded {
    let weights = try Weights(contentsOf: url)
    let isNamed = entry.weights.contains { $0.matches(file: url.lastPathComponent) }
    let digest = entry.weights.count > 1 && !isNamed ? try sha256(of: url) : nil
    return try load(entry, weights: weights, classes: classes, sha256: digest)
  }

  private static func sha256(of url: URL) throws -> String {
    var digest = SHA256()
    let file = try FileBytes(mapping: url)
    file.withBytes { digest.add($0) }
    return digest.text
  }

  private static func fill(
    _ model: some Layer, _ weights: Weights, allowing: [String]
  ) throws -> (any Layer, LoadReport) {
    let (model, report) = try model.loading(weights, allowing: allowing)
    return (model, report)
  }
}

extension Zoo.Entry {
  /// The weights under the network's names.
  fileprivate func named(_ weights: Weights) -> Weights {
    // Names that begin as a wrapper's do, as MobileNet v1's `model.`, are the network's own.
    let wanted = Initialization.skipped { names(of: model()) }
    let plain = weights.strippingWrappers(unless: wanted)
    guard let renaming else { return plain }
    return plain.renamed(renaming)
  }

  private func names(of model: some Layer) -> [String] { model.namedTensors.map(\.name) }

  /// Pixels of a picture's side by the places of a vision transformer; nil for others.
  fileprivate func side(of weights: Weights) -> Int? {
    guard let places = weights["encoder.pos_embedding"]?.shape, places.count == 3,
      let patch = weights["conv_proj.weight"]?.shape.last
    else { return nil }
    let rows = Int(Double(max(0, places[1] - 1)).squareRoot().rounded())
    return rows > 0 && rows * rows + 1 == places[1] ? rows * patch : nil
  }
}
