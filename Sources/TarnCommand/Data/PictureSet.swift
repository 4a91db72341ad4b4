import ArgumentParser
import Foundation
import Tarn

/// Pictures of a person's own, or CIFAR-10: kept with a run, so that it goes on with the same samples and reads new
/// pictures as those it learned from.
struct PictureSet: Codable, Hashable {
  /// How files and classes are told.
  enum Origin: Codable, Hashable {
    /// A folder with a folder for each class.
    case folder
    /// A CSV file with columns of these names.
    case table(file: String, label: String)
    case cifar10
  }

  var path: String
  var origin: Origin
  /// In the order of their numbers.
  var classes: [String]
  var preprocessing: Preprocessing
  var augmentation: AugmentationKind
  var mixing: MixingKind
  /// Share of the pictures that is kept to test on, where the folder has none for it.
  var testFraction: Double
  /// The file of weights the model began with.
  var weights: String?
  /// Whether only the new last layer is trained.
  var trainsHeadOnly = false

  /// What the pictures are called.
  var name: String {
    origin == .cifar10
      ? "cifar10" : URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }

  /// Height and width of what the model sees.
  var size: [Int] { preprocessing.outputSize ?? [32, 32] }

  /// Reads the pictures and cuts them in three.
  func samples(split: Split) throws -> (samples: Samples, failures: [FileFailure]) {
    let parts = try parts(split)
    let test = parts.test ?? parts.train.keeping([])
    let learned = parts.train.augmented(augmentation.augmentation(size), seed: split.seed)
    let train: any Source<Example> =
      mixing.mixing.map { learned.mixed(by: $0, classes: learned.classes.count, seed: split.seed) }
      ?? learned
    let samples = Samples(
      name: name, train: train, validation: parts.validation, test: test, shape: [3] + size,
      classes: parts.train.classes, digest: learned.digest)
    return (samples, parts.train.failures)
  }

  private typealias Parts = (
    train: LabelledImages, validation: LabelledImages?, test: LabelledImages?
  )

  private func parts(_ split: Split) throws -> Parts {
    switch origin {
    case .folder:
      let folder = try ImageFolder(
        URL(fileURLWithPath: path), validation: split.validation, test: testFraction,
        seed: split.seed, preprocessing: preprocessing)
      return (folder.train, folder.validation, folder.test)
    case .table:
      let all = try all(path)
      let shares = [1 - split.validation - testFraction, split.validation, testFraction]
      let cut = all.split(shares, seed: split.seed)
      return (cut[0], cut[1].count > 0 ? cut[1] : nil, cut[2].count > 0 ? cut[2] : nil)
    case .cifar10:
      let set = try CIFAR10(folder: URL(fileURLWithPath: path), preprocessing: preprocessing)
      let cut = set.train.split([1 - split.validation, split.validation], seed: split.seed)
      return (cut[0], cut[1].count > 0 ? cut[1] : nil, set.test)
    }
  }

  /// All pictures of a place, with this set's classes.
  func all(_ place: String) throws -> LabelledImages {
    let url = URL(fileURLWithPath: place)
    let known = classes.isEmpty ? nil : classes
    if case .cifar10 = origin {
      let set = try CIFAR10(folder: url, preprocessing: preprocessing)
      return set.test ?? set.train
    }
    guard url.pathExtension.lowercased() == "csv" else {
      return try LabelledImages(classFolders: url, classes: known, preprocessing: preprocessing)
    }
    var columns = (file: "file", label: "label")
    if case .table(let file, let label) = origin { columns = (file, label) }
    return try LabelledImages(
      table: url, fileColumn: columns.file, labelColumn: columns.label, classes: known,
      preprocessing: preprocessing)
  }
}

/// How pictures to learn from are changed at random.
enum AugmentationKind: String, Codable, CaseIterable, ExpressibleByArgument {
  case none, light, standard, strong

  func augmentation(_ size: [Int]) -> Augmentation? {
    switch self {
    case .none: nil
    case .light:
      Augmentation([
        RandomResizedCrop(size, scale: 0.6...1), RandomHorizontalFlip(),
      ])
    case .standard: .standard(size)
    case .strong:
      Augmentation(
        [
          RandomResizedCrop(size), RandomHorizontalFlip(),
          ColourJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1), RandAugment(),
        ], erasing: RandomErasing(probability: 0.25))
    }
  }
}

/// How pictures of a batch are mixed with each other.
enum MixingKind: String, Codable, CaseIterable, ExpressibleByArgument {
  case none, mixup, cutmix, both

  var mixing: (any BatchMixing)? {
    switch self {
    case .none: nil
    case .mixup: Mixup(alpha: 0.2)
    case .cutmix: CutMix()
    case .both: RandomMixing()
    }
  }
}
