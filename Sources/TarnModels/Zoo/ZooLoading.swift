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
    /// Whose names the tensors have, as `Keras`; nil for the network's own.
    public var origin: String?
    /// What the network computes otherwise than with weights under its own names.
    public var variant: NetworkVariant
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
  /// - names and layouts of Keras Applications, timm, Caffe, MXNet and Hugging Face's transformers are known, and what the network
  ///   computes otherwise with such weights (``NetworkVariant``);
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
  ///     scope; the report lists it as kept. Weights without a last layer need it.
  ///   - hasAuxiliaries: whether there are classifiers on the way; as the weights have it by default. What the weights lack starts anew.
  ///   - sha256: of the file they are from, to tell which published weights they are; its name tells too.
  /// - Throws: `LoadError` with all that does not fit.
  public static func load(
    _ entry: Entry, weights: Weights, classes: Int? = nil, hasAuxiliaries: Bool? = nil,
    sha256: String? = nil
  ) throws -> Loaded {
    try load(
      entry, weights, Clues(file: weights.source), classes, hasAuxiliaries, sha256: sha256)
  }

  /// The same with the weights of a file of any known format. Where its name does not tell which of several published weights they
  /// are, its digest does; where a folder of timm or of Hugging Face's has a `config.json` beside it, that says what is done to pictures.
  public static func load(
    _ entry: Entry, contentsOf url: URL, classes: Int? = nil, hasAuxiliaries: Bool? = nil
  ) throws -> Loaded {
    let weights = try Weights(torchOf: url)
    let isNamed = entry.weights.contains { $0.matches(file: url.lastPathComponent) }
    let digest = entry.weights.count > 1 && !isNamed ? try sha256(of: url) : nil
    return try load(entry, weights, Clues(of: url), classes, hasAuxiliaries, sha256: digest)
  }

  private static func load(
    _ entry: Entry, _ weights: Weights, _ clues: Clues, _ classes: Int?, _ hasAuxiliaries: Bool?,
    sha256: String?
  ) throws -> Loaded {
    let (stored, dialect) = try entry.understood(weights, clues)
    let head = entry.heads.lazy.compactMap { stored["\($0).weight"]?.shape.first }.first
    if head == nil, classes == nil, let dialect {
      throw DataError(
        .unsupported, file: weights.source,
        reason: "has \(dialect.origin)'s names of \(entry.name), but no last layer",
        hint: "train one: tarn train images FOLDER --model \(entry.name) --weights FILE")
    }
    var options = Options(classes: classes ?? head ?? entry.classes)
    options.variant = dialect?.variant ?? .own
    options.variant.isFolded = stored["Conv2d_0.weight"] != nil
    let onTheWay = entry.heads.dropFirst()
    if !onTheWay.isEmpty {
      options.hasAuxiliaries =
        hasAuxiliaries ?? onTheWay.contains { stored["\($0).weight"] != nil }
    }
    let side = entry.side(of: stored)
    options.side = side
    let keepsHead = options.classes == (head ?? options.classes)
    let isWhole = keepsHead && (head != nil || classes == nil)
    let model =
      isWhole
      ? Initialization.skipped { [options] in entry.made(options) } : entry.made(options)
    var allowed = isWhole ? [] : entry.heads + (head == nil ? dialect?.top ?? [] : [])
    if hasAuxiliaries != nil {
      allowed += onTheWay.compactMap { $0.split(separator: ".").first.map(String.init) }
    }
    let (filled, report) = try fill(model, stored, allowing: allowed)

    let candidates = entry.weights.filter { head == nil || $0.classes == head }
    let published =
      candidates.first { $0.matches(file: weights.source, sha256: sha256) }
      ?? (dialect == nil && candidates.count == 1 && candidates[0].classes == head
        ? candidates[0] : nil)
    let rule = published ?? (dialect == nil ? candidates.first : nil)
    let shape = [entry.inputShape[0]] + (side.map { [$0, $0] } ?? entry.inputShape.suffix(2))
    return Loaded(
      model: filled, report: report, published: isWhole ? published : nil, origin: dialect?.origin,
      variant: options.variant, classes: options.classes, inputShape: Array(shape),
      preprocessing: published?.preprocessing ?? clues.preprocessing ?? rule?.preprocessing
        ?? dialect?.preprocessing
        ?? (head == entry.classes ? .standard(entry.inputShape) : entry.preprocessing),
      labels: isWhole ? rule?.labels ?? dialect.flatMap { _ in .usual(head) } : nil)
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

extension ClassLabels {
  /// Those of so many classes, as networks are mostly trained for; nil for other numbers.
  fileprivate static func usual(_ classes: Int?) -> ClassLabels? {
    classes == 1000 ? .imageNet : classes == 1001 ? .imageNetWithBackground : nil
  }
}

extension Weights {
  /// Of a file of any known format, named and laid out as PyTorch's where the format has ways of its own.
  fileprivate init(torchOf url: URL) throws {
    let file = try FileBytes(mapping: url)
    switch try Weights.format(of: file) {
    case .hdf5, .keras:
      let keras = try KerasFile(file)
      self = try keras.torchWeights()
      if keras.style == .numbered, keras.layerNames.isEmpty {
        metadata[Weights.namelessKey] = "missing"
      }
    case .mxnet: self = try Weights(file, at: url).renamedFromMXNet()
    default: self = try Weights(file, at: url)
    }
  }
}

extension Zoo.Entry {
  /// The weights under the network's names, and whose names they had if not the network's own.
  fileprivate func understood(
    _ weights: Weights, _ clues: Clues
  ) throws -> (weights: Weights, dialect: Dialect?) {
    func understood(_ model: some Layer) throws -> (weights: Weights, dialect: Dialect?) {
      // Names that begin as a wrapper's do, as MobileNet v1's `model.`, are the network's own.
      let wanted = Set(model.namedTensors.map(\.name))
      let plain = weights.strippingWrappers(unless: wanted)
      let own = renaming.map { rename in plain.renamed { rename($0) } } ?? plain
      var clues = clues
      clues.side = inputShape[1]
      guard let foreign = model as? any Translated,
        let found = foreign.translation(
          of: plain, clues, better: own.names.count { wanted.contains($0) })
      else { return (own, nil) }
      if let refusal = found.dialect.refusal {
        throw DataError(.unsupported, file: weights.source, reason: "cannot be used: \(refusal)")
      }
      return (found.weights, found.dialect)
    }
    let model = Initialization.skipped { self.model() }
    return try understood(model)
  }

  /// Pixels of a picture's side by the places of a vision transformer; nil for others.
  fileprivate func side(of weights: Weights) -> Int? {
    guard let places = weights["encoder.pos_embedding"]?.shape, places.count == 3,
      let patch = weights["conv_proj.weight"]?.shape.last
    else { return nil }
    let rows = Int(Double(max(0, places[1] - 1)).squareRoot().rounded())
    return rows > 0 && rows * rows + 1 == places[1] ? rows * patch : nil
  }
}

extension Translated {
  /// The weights in the dialect that knows most of their names, if it knows more than `own`.
  fileprivate func translation(
    of weights: Weights, _ clues: Clues, better own: Int
  ) -> (weights: Weights, dialect: Dialect)? {
    let plain = weights.withoutNumberOfNetwork().countedFromZero()
    var clues = clues
    clues.statistics = plain.inputStatistics
    var best: (dialect: Dialect, count: Int)?
    let known =
      plain.isNameless
      ? dialects(clues).filter { $0.origin == "Keras" }.map { $0.numbered(self) } : dialects(clues)
    for dialect in known {
      let count = dialect.familiar(plain.names)
      if count > (best?.count ?? own) { best = (dialect, count) }
    }
    return best.map { ($0.dialect.translated(plain, for: self), $0.dialect) }
  }
}
