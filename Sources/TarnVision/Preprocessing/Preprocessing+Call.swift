import Foundation
import TarnCore
import TarnData

extension Preprocessing {
  /// What a network takes for this picture: [3, H, W], `float32`. Grey pictures get three equal
  /// channels.
  ///
  /// ```swift
  /// let input = try Preprocessing.imageNet(Image(contentsOf: photo)).expandedDims(0)
  /// ```
  public func callAsFunction(_ image: Image) throws -> Tensor {
    Normalization(self).tensor(try cropped(image))
  }

  /// What a network takes for the picture in a file: [3, H, W], `float32`.
  ///
  /// Only the pixels that the result is made of are decoded and scaled, so this is faster than reading
  /// the picture first; the numbers are the same.
  public func callAsFunction(
    contentsOf url: URL, _ reading: ImageReading = .standard
  ) throws -> Tensor {
    Normalization(self).tensor(try cropped(FileBytes(mapping: url), reading))
  }

  /// Reads, scales and crops.
  func cropped(_ file: FileBytes, _ reading: ImageReading) throws -> Image {
    try cropped(ImagePart(file, reduced(reading, for: file)) { plan($0).needed })
  }

  /// The reading with the reduction that leaves pictures twice as large as wanted, if it asks for that.
  func reduced(_ reading: ImageReading, for file: FileBytes) throws -> ImageReading {
    guard reading.reducesLargePictures, reading.reduction == 1, resize != .none else {
      return reading
    }
    var reduced = reading
    _ = try ImagePart(file, reading) { whole in
      let scaled = resize.size(of: whole, rounding)
      let factor = min(whole.width / scaled.width, whole.height / scaled.height)
      reduced.reduction = [8, 4, 2].first { factor >= 2 * $0 } ?? 1
      return nil
    }
    return reduced
  }

  /// What came of many files.
  public struct Files: Sendable {
    /// [n, 3, H, W], `float32`, of the files that could be read.
    public let features: Tensor
    /// Those files' places among the ones given.
    public let indices: [Int]
    /// The files that could not be read.
    public let failures: [FileFailure]
  }

  /// What a network takes for the pictures in many files, read by several threads. Files that cannot be
  /// read are listed, and left out.
  ///
  /// - Parameter threads: those that read; by default as many as the engine uses.
  /// - Throws: `Diagnostic` where the rule gives pictures different sizes.
  public func batch(
    contentsOf files: [URL], _ reading: ImageReading = .standard, threads: Int? = nil
  ) throws -> Files {
    guard let size = outputSize else {
      throw Diagnostic(
        operation: "Preprocessing.batch", reason: "pictures of a batch must get one size",
        hint: "give the rule a crop, or resize: .exactly(height:width:)")
    }
    let normalization = Normalization(self)
    return try preprocessedBatch(files.count, size: size, threads: threads) { index, planes in
      do {
        normalization.write(try cropped(FileBytes(mapping: files[index]), reading), to: planes)
        return nil
      } catch { return FileFailure(file: files[index], index: index, error) }
    }
  }
}

/// Many pictures put side by side by several threads.
///
/// - Parameters:
///   - size: height and width of all.
///   - write: puts picture i, [3, H, W], in its place, or says why it cannot.
func preprocessedBatch(
  _ count: Int, size: [Int], threads: Int?,
  write: @Sendable (Int, UnsafeMutablePointer<Float>) throws -> FileFailure?
) throws -> Preprocessing.Files {
  let elements = 3 * size[0] * size[1]
  guard let all = checkedProduct(elements, count), all <= 1 << 40 else {
    throw Diagnostic(
      operation: "batch", reason: "\(count) pictures of \(size[0])×\(size[1]) are too many at once")
  }
  var outcomes: [Result<FileFailure?, any Error>] = []
  let values = [Float](unsafeUninitializedCapacity: all) { room, filled in
    nonisolated(unsafe) let base = room.baseAddress
    outcomes = parallelMap(count, threads: threads) { index in
      guard let place = base.map({ $0 + index * elements }) else { return .success(nil) }
      let outcome = Result { try write(index, place) }
      if case .success(nil) = outcome { return outcome }
      place.initialize(repeating: 0, count: elements)
      return outcome
    }
    filled = all
  }
  let failures = try outcomes.map { try $0.get() }
  let indices = failures.indices.filter { failures[$0] == nil }
  // Rows that were not filled are left out.
  let kept =
    indices.count == count
    ? values : indices.flatMap { values[($0 * elements)..<(($0 + 1) * elements)] }
  return Preprocessing.Files(
    features: Tensor(kept, shape: [indices.count, 3] + size), indices: indices,
    failures: failures.compactMap { $0 })
}

/// A file that could not be read.
public struct FileFailure: Error, Sendable, Hashable, CustomStringConvertible {
  public let file: URL
  /// Its place among the files that were asked for.
  public let index: Int
  /// What is wrong, in one clause.
  public let reason: String

  init(file: URL, index: Int, _ error: any Error) {
    (self.file, self.index) = (file, index)
    reason = (error as? DataError)?.reason ?? "\(error)"
  }

  public var description: String { "\(file.path): \(reason)" }
}
