import Foundation
import TarnData

/// CIFAR-10 in its binary form: 50,000 colour pictures of 32×32 pixels to learn from, 10,000 to test on,
/// in ten classes.
///
/// ```swift
/// let cifar = try CIFAR10(folder: URL(fileURLWithPath: "cifar-10-batches-bin"))
/// let train = cifar.train.augmented(
///   Augmentation([RandomCrop(32, padding: 4), RandomHorizontalFlip()]), seed: 0)
/// ```
/// Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
public struct CIFAR10: Sendable {
  public let train: LabelledImages
  /// Nil where `test_batch.bin` is not there.
  public let test: LabelledImages?

  public static let classes = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// Bytes scaled to 0…1, less the mean of each channel, over its deviation, both over the pictures to
  /// learn from.
  public static let preprocessing = Preprocessing(
    resize: .exactly(height: 32, width: 32), crop: nil, interpolation: .bicubic,
    mean: [0.4914, 0.4822, 0.4465], deviation: [0.2470, 0.2435, 0.2616])

  /// A label, and 32×32 numbers of red, green and blue.
  private static let recordLength = 1 + 3 * 32 * 32

  /// Reads `data_batch_1.bin` to `data_batch_5.bin`, those of them that are there, and
  /// `test_batch.bin`.
  public init(folder: URL, preprocessing: Preprocessing = CIFAR10.preprocessing) throws {
    let inner = folder.appendingPathComponent("cifar-10-batches-bin")
    let places = [folder, inner]
    func files(_ names: [String]) -> [URL] {
      names.compactMap { name in
        places.map { $0.appendingPathComponent(name) }
          .first { FileManager.default.fileExists(atPath: $0.path) }
      }
    }
    let training = files((1...5).map { "data_batch_\($0).bin" })
    guard !training.isEmpty else {
      throw DataError(
        .missing, file: folder.path, reason: "has none of data_batch_1.bin to data_batch_5.bin",
        hint: "fetch the binary version, cifar-10-binary.tar.gz, from "
          + "https://www.cs.toronto.edu/~kriz/cifar.html and unpack it there")
    }
    train = try Self.read(training, preprocessing)
    let tests = files(["test_batch.bin"])
    test = tests.isEmpty ? nil : try Self.read(tests, preprocessing)
  }

  private static func read(
    _ files: [URL], _ preprocessing: Preprocessing
  ) throws -> LabelledImages {
    var places: [(file: FileBytes, place: Int)] = []
    var labels: [Int] = []
    for url in files {
      let file = try FileBytes(mapping: url)
      guard file.count > 0, file.count % recordLength == 0 else {
        throw DataError(
          .invalid, file: file.name,
          reason: "has \(file.count) bytes, which is not a whole number of \(recordLength)",
          hint: "give the binary version; the file is another, or was cut short")
      }
      for record in 0..<(file.count / recordLength) {
        let start = record * recordLength
        let label = file.withBytes { Int($0[start]) }
        guard label < classes.count else {
          throw DataError(
            .invalid, file: file.name, at: .byte(start),
            reason: "picture \(record) has the label \(label), not 0 to 9",
            hint: "give the binary version of CIFAR-10, not of CIFAR-100")
        }
        places.append((file, start + 1))
        labels.append(label)
      }
    }
    return LabelledImages(
      .planes(places, shape: [3, 32, 32]), labels: labels, classes: classes,
      preprocessing: preprocessing)
  }
}
