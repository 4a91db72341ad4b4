import Foundation
import TarnCore

/// MNIST, or a set in its form such as Fashion-MNIST: 28×28 grey pictures of ten classes.
///
/// ```swift
/// let mnist = try MNIST(folder: URL(fileURLWithPath: "mnist"))
/// let batches = mnist.train.batched(128, sampler: .shuffled(seed: 0))
/// // features [128, 1, 28, 28] float32 0…1, labels [128] int64
/// ```
///
/// LeCun, Cortes, Burges, *The MNIST Database of Handwritten Digits*; Xiao, Rasul, Vollgraf,
/// *Fashion-MNIST*, 2017.
public struct MNIST: Sendable {
  /// 60,000 examples in the published sets.
  public let train: TensorSource
  /// 10,000 examples in the published sets.
  public let test: TensorSource

  /// The ten classes of Fashion-MNIST.
  public static let fashionClasses = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]

  /// Reads the four IDX files, plain or packed with gzip, from a folder.
  public init(folder: URL) throws {
    train = try Self.read("train", in: folder)
    test = try Self.read("t10k", in: folder)
  }

  /// One of the two parts, `train` or `t10k`.
  private static func read(_ part: String, in folder: URL) throws -> TensorSource {
    let imageFile = try find("\(part)-images", rank: 3, in: folder)
    let labelFile = try find("\(part)-labels", rank: 1, in: folder)
    let images = try IDX.read(contentsOf: imageFile)
    let labels = try IDX.read(contentsOf: labelFile)
    guard images.dtype == .uint8, images.rank == 3, images.shape[1...] == [28, 28] else {
      throw DataError(
        .invalid, file: imageFile.path, at: .byte(4),
        reason: "holds \(images.shape) \(images.dtype), not pictures [n, 28, 28] uint8",
        hint: "check that the file is the one its name says")
    }
    guard labels.dtype == .uint8, labels.rank == 1 else {
      throw DataError(
        .invalid, file: labelFile.path, at: .byte(4),
        reason: "holds \(labels.shape) \(labels.dtype), not labels [n] uint8",
        hint: "check that the file is the one its name says")
    }
    guard images.shape[0] == labels.shape[0] else {
      throw DataError(
        .invalid, file: labelFile.path, at: .byte(4),
        reason: "has \(labels.shape[0]) labels for the \(images.shape[0]) pictures of "
          + imageFile.lastPathComponent,
        hint: "the files must come from the same set")
    }
    let numbers = labels.bytes()
    if let bad = numbers.firstIndex(where: { $0 > 9 }) {
      throw DataError(
        .invalid, file: labelFile.path, reason: "label \(bad) is \(numbers[bad]), not 0 to 9")
    }
    let pictures = Rows(
      bytes: images.bytes(), shape: [images.shape[0], 1, 28, 28], dtype: .uint8, scale: 1 / 255)
    return TensorSource(
      features: pictures, labels: Rows(Tensor(numbers.map { Int64($0) })))
  }

  private static func find(_ stem: String, rank: Int, in folder: URL) throws -> URL {
    let names = ["-", "."].flatMap { dash in
      ["", ".gz"].map { "\(stem)\(dash)idx\(rank)-ubyte\($0)" }
    }
    let files = names.map { folder.appendingPathComponent($0) }
    if let file = files.first(where: { FileManager.default.fileExists(atPath: $0.path) }) {
      return file
    }
    throw DataError(
      .missing, file: folder.path, reason: "has none of \(names.joined(separator: ", "))",
      hint: "MNIST's four files are mirrored by the PyTorch project (ossci-datasets) and on "
        + "Hugging Face (ylecun/mnist); Fashion-MNIST comes with "
        + "`apt-get install dataset-fashion-mnist` in /usr/share/datasets/fashion-mnist")
  }
}
