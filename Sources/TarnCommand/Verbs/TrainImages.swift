import ArgumentParser
import Foundation
import Tarn

/// `tarn train images`.
struct TrainImages: Verb {
  static let configuration = CommandConfiguration(
    commandName: "images", abstract: "Trains on pictures.",
    discussion: """
      A folder has a folder of pictures for each class, or train, val and test folders with those in them; a CSV file \
      names pictures and classes. Files that are no pictures are listed and left out.
      """)

  @Argument(
    help: ArgumentHelp(
      "digits (part of this program), mnist, fashion, cifar10, a folder, or a CSV file.",
      valueName: "source"))
  var source: String

  @Option(help: "Where the set's files are.")
  var data: String?

  @Option(
    help: "The network: linear, mlp, lenet or one of the zoo. (default: mlp; of photos resnet18)")
  var model: String?

  @OptionGroup var architecture: ModelFlags
  @OptionGroup var pictures: PictureFlags
  @OptionGroup var training: TrainingFlags
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let kind = ModelKind(rawValue: model ?? "mlp") {
      try architecture.check(for: kind)
    } else if architecture.isGiven {
      throw ValidationError("--hidden, --activation and --dropout are for the model mlp.")
    }
    guard let set = ImageSet(rawValue: source) else {
      if data != nil && source != "cifar10" {
        throw ValidationError(
          "--data is for mnist, fashion and cifar10; a folder is its own place.")
      }
      return
    }
    if set == .digits && data != nil {
      throw ValidationError("--data is for mnist and fashion; digits are part of this program.")
    }
    if pictures.isGiven {
      throw ValidationError(
        "--size, --augment, --mix, --weights and the like are for photos, not for \(source).")
    }
  }

  func answer(_ console: Console) throws -> TrainingAnswer {
    guard let set = ImageSet(rawValue: source) else { return try photos(console) }
    let split = training.split(seed: common.seed)
    let samples = try set.load(folder: data, split: split)
    let card = architecture.card(
      model ?? "mlp", input: samples.shape, outputs: samples.classes.count, hidden: set.hidden)
    let folder = try set == .digits ? nil : ImageSet.find(set, data).path
    let setup = RunSetup(
      source: .images(set, folder: folder), split: split,
      labelSmoothing: training.labelSmoothing ?? 0)
    return try TrainingJob.begin(
      setup, card, training.options(set.defaults(card.kind), common: common), samples,
      name: set.rawValue, out: training.out, console: console
    ).perform()
  }

  private func photos(_ console: Console) throws -> TrainingAnswer {
    let kind = model ?? "resnet18"
    let split = training.split(seed: common.seed)
    let start = try pictures.start(kind)
    var set = try pictures.set(source, data: data, model: kind, start)
    let (samples, failures) = try set.samples(split: split)
    set.classes = samples.classes
    console.list(failures)
    guard samples.classes.count > 1 else {
      throw DataError(
        .invalid, file: set.path, reason: "has pictures of one class only: \(samples.classes[0])",
        hint: "give two classes or more to tell apart")
    }
    var card = architecture.card(
      kind, input: samples.shape, outputs: samples.classes.count, hidden: [256, 128])
    if let variant = start?.loaded.variant, variant != .own { card.variant = variant }
    card.hasAuxiliaries = try pictures.hasAuxiliaries(card, start, console)
    let setup = RunSetup(
      source: .pictures(set), split: split, labelSmoothing: training.labelSmoothing ?? 0)
    var options = training.options(PictureSet.defaults, common: common)
    if set.trainsHeadOnly { options.training = .matching(try PictureSet.heads(of: card)) }
    return try TrainingJob.begin(
      setup, card, options, samples, name: set.name, out: training.out, console: console
    ).perform()
  }
}

/// The options that say how photos are read and changed.
struct PictureFlags: ParsableArguments {
  @Option(help: "Pixels a side of what the network sees. (default: what the network is made for)")
  var size: Int?

  @Option(help: "How pictures are changed at random. (default: standard)")
  var augment: AugmentationKind?

  @Option(help: "How pictures of a step are mixed with each other. (default: none)")
  var mix: MixingKind?

  @Option(
    help: "Share of the pictures to test on, where there are no test pictures. (default: 0.1)")
  var testFraction: Double?

  @Option(help: "The CSV file's column of class names. (default: label)")
  var labelColumn: String?

  @Option(help: "The CSV file's column of file names. (default: file)")
  var fileColumn: String?

  @Option(
    help: ArgumentHelp(
      "Begin with the weights of a file, with a new last layer; `published` for the cache's.",
      valueName: "file"))
  var weights: String?

  @Flag(help: "Train the new last layer only.")
  var headOnly = false

  @Flag(
    inversion: .prefixedNo,
    help: "Train googlenet and inception-v3 with their classifiers on the way. (default: they do)")
  var auxiliary: Bool?

  var isGiven: Bool {
    size != nil || augment != nil || mix != nil || testFraction != nil || labelColumn != nil
      || fileColumn != nil || weights != nil || headOnly || auxiliary != nil
  }

  func validate() throws {
    if let size, !(8...4096).contains(size) {
      throw ValidationError("--size \(size): give a number from 8 to 4096.")
    }
    if let testFraction, !(testFraction >= 0 && testFraction <= 0.5) {
      throw ValidationError("--test-fraction \(testFraction): give a number from 0 to 0.5.")
    }
    if headOnly && weights == nil {
      throw ValidationError("--head-only is for --weights: nothing else has been trained yet.")
    }
  }

  /// The weights that training begins with.
  struct Start {
    let path: String
    let loaded: Zoo.Loaded
  }

  /// nil without weights.
  func start(_ model: String) throws -> Start? {
    guard let weights else { return nil }
    guard ModelKind(rawValue: model) == nil else {
      throw DataError(
        .unsupported, file: model, reason: "there are no published weights for it",
        hint: "choose a network of the zoo; `tarn weights list` shows them")
    }
    let entry = try Zoo.entry(model)
    let url =
      weights == "published" ? try Network.cached(entry) : URL(fileURLWithPath: weights)
    // Another number of classes than any has: the last layer is made anew, and may be missing.
    let loaded = try Zoo.load(entry, contentsOf: url, classes: 1)
    return Start(path: url.standardizedFileURL.path, loaded: loaded)
  }

  /// Whether the network gets classifiers on the way; nil where it has none to get.
  ///
  /// They are left out where only the last layer is trained, and where pictures are too small for them.
  func hasAuxiliaries(_ card: ModelCard, _ start: Start?, _ console: Console) throws -> Bool? {
    var card = card
    card.hasAuxiliaries = true
    guard let model = try card.model(seed: nil) as? any AuxiliaryClassifying else {
      if auxiliary == nil { return nil }
      throw DataError(
        .unsupported, file: card.kind, reason: "has no classifiers on the way",
        hint: "leave --auxiliary out; googlenet and inception-v3 have some")
    }
    if model.auxiliariesTake(card.inputShape) {
      let given = (start?.loaded.model as? any AuxiliaryClassifying)?.hasAuxiliaries
      return auxiliary ?? (!headOnly && given ?? true)
    }
    if auxiliary == true {
      throw DataError(
        .unsupported, file: card.kind,
        reason: "its classifiers on the way cannot take pictures \(card.inputShape)",
        hint: "give --size 299, or --no-auxiliary")
    }
    if auxiliary == nil {
      console.note("\(card.kind): pictures are too small for classifiers on the way; it has none")
    }
    return false
  }

  func set(
    _ source: String, data: String?, model: String, _ start: Start?
  ) throws -> PictureSet {
    let entry = ModelKind(rawValue: model) == nil ? try Zoo.entry(model) : nil
    let origin: PictureSet.Origin
    var path = source
    if source == "cifar10" {
      origin = .cifar10
      path = data ?? DataSet.cifar10.found?.path ?? DataSet.cifar10.place.path
    } else if source.lowercased().hasSuffix(".csv") {
      origin = .table(file: fileColumn ?? "file", label: labelColumn ?? "label")
    } else {
      origin = .folder
    }
    guard FileManager.default.fileExists(atPath: path) else {
      throw DataError(
        .missing, file: source, reason: "is neither a known set nor a folder nor a CSV file",
        hint: source == "cifar10"
          ? "tarn data get cifar10" : "known are digits, mnist, fashion and cifar10")
    }
    return PictureSet(
      path: URL(fileURLWithPath: path).standardizedFileURL.path, origin: origin, classes: [],
      preprocessing: rule(entry, start, origin),
      augmentation: augment ?? (origin == .cifar10 ? .light : .standard), mixing: mix ?? .none,
      testFraction: testFraction ?? 0.1, weights: start?.path, trainsHeadOnly: headOnly)
  }

  /// The weights' own rule, or the network's, cut to the size asked for.
  private func rule(
    _ entry: Zoo.Entry?, _ start: Start?, _ origin: PictureSet.Origin
  ) -> Preprocessing {
    var rule = origin == .cifar10 ? CIFAR10.preprocessing : entry?.preprocessing ?? .imageNet
    if let start { rule = start.loaded.preprocessing }
    let usual = origin == .cifar10 ? 32 : entry == nil ? 64 : nil
    if let side = size ?? usual, rule.outputSize != [side, side] {
      rule.resize = .shortSide(side * 8 / 7)
      rule.crop = [side, side]
    }
    return rule
  }
}

extension PictureSet {
  static var defaults: TrainingOptions {
    var options = TrainingOptions()
    (options.batchSize, options.learningRate, options.epochs) = (32, 1e-3, 10)
    return options
  }

  /// Patterns of the last layer's parameters: those that depend on the number of classes.
  static func heads(of card: ModelCard) throws -> [String] {
    func shapes(_ classes: Int) throws -> [String: [Int]] {
      var other = card
      other.classes = classes
      return try named(other.model(seed: nil))
    }
    func named(_ model: some Layer) -> [String: [Int]] {
      Dictionary(model.namedTensors.map { ($0.name, $0.tensor.shape) }) { first, _ in first }
    }
    let (one, other) = (try shapes(card.classes), try shapes(card.classes + 1))
    return one.filter { other[$0.key] != $0.value }.keys.sorted()
  }
}

extension Console {
  /// Names the files that were left out, the first of them at least.
  func list(_ failures: [FileFailure]) {
    for failure in failures.prefix(10) { warn("left out: \(failure)") }
    if failures.count > 10 { warn("left out: \(failures.count - 10) more files") }
  }
}

extension ImageSet {
  /// An mlp's hidden layers.
  var hidden: [Int] { self == .digits ? [128] : [256, 128] }

  /// What does well on the set with a kind of model.
  func defaults(_ kind: String) -> TrainingOptions {
    var options = TrainingOptions()
    options.batchSize = self == .digits ? 32 : 64
    options.learningRate = self == .digits ? 5e-3 : kind == "lenet" ? 2e-3 : 1e-3
    switch (self, kind) {
    case (.digits, _): options.epochs = 30
    case (_, "linear"): options.epochs = 10
    case (_, "lenet"): options.epochs = 3
    default: options.epochs = 5
    }
    return options
  }
}
