import Foundation
import TarnData

/// A folder of pictures with a folder for each class, cut into parts: by its own `train`, `val` and
/// `test` folders where it has them, and otherwise at random.
///
/// ```swift
/// let photos = try ImageFolder(URL(fileURLWithPath: "pets"), validation: 0.2, seed: 0)
/// print(photos.classes, photos.train.count, photos.failures.count)
/// ```
public struct ImageFolder: Sendable {
  public let train: LabelledImages
  /// Nil where none is kept for it.
  public let validation: LabelledImages?
  /// Nil where there is no folder of it, and no share was asked for.
  public let test: LabelledImages?
  /// Files that were left out, and why.
  public let failures: [FileFailure]
  /// What the class numbers mean.
  public var classes: [String] { train.classes }

  private static let trainNames = ["train", "training"]
  private static let validationNames = ["val", "valid", "validation", "dev"]
  private static let testNames = ["test", "testing"]

  /// Reads a folder.
  /// - Parameters:
  ///   - validation: the share of the pictures to learn from that is kept to validate with, where the
  ///     folder has none for it; of every class the same.
  ///   - test: the share that is kept to test on, where the folder has none for it.
  ///   - seed: of the random split.
  /// - Throws: `DataError` where there are no pictures.
  public init(
    _ folder: URL, validation: Double = 0.2, test: Double = 0, seed: UInt64 = 0,
    preprocessing: Preprocessing = .imageNet, options: LabelledImages.Options = .init()
  ) throws {
    let folders = try PictureFiles.folders(in: folder)
    func named(_ names: [String]) -> URL? {
      folders.first { names.contains($0.lastPathComponent.lowercased()) }
    }
    func read(_ folder: URL, _ classes: [String]?) throws -> LabelledImages {
      try LabelledImages(
        classFolders: folder, classes: classes, preprocessing: preprocessing, options: options)
    }
    let trainFolder = named(Self.trainNames)
    let learning = try read(trainFolder ?? folder, nil)
    let ownValidation = try trainFolder.flatMap { _ in named(Self.validationNames) }
      .map { try read($0, learning.classes) }
    let ownTest = try trainFolder.flatMap { _ in named(Self.testNames) }
      .map { try read($0, learning.classes) }
    let validationShare = ownValidation == nil ? min(max(validation, 0), 1) : 0
    let testShare = ownTest == nil ? min(max(test, 0), 1 - validationShare) : 0
    let parts =
      validationShare + testShare > 0
      ? learning.split([1 - validationShare - testShare, validationShare, testShare], seed: seed)
      : [learning]
    func part(_ place: Int) -> LabelledImages? {
      parts.count > place && parts[place].count > 0 ? parts[place] : nil
    }
    train = parts[0]
    self.validation = ownValidation ?? part(1)
    self.test = ownTest ?? part(2)
    failures =
      learning.failures + (ownValidation?.failures ?? []) + (ownTest?.failures ?? [])
  }
}
