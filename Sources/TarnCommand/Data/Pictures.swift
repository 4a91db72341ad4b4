import Foundation
import Tarn

/// Grey pictures from files, in the form a model takes.
enum Pictures {
  /// Reads a PGM picture, or an IDX file with one or many: [n, 1, height, width], 0…1.
  /// - Parameter shape: what the model takes, [1, height, width].
  static func read(_ file: String, shape: [Int]) throws -> Tensor {
    let url = URL(fileURLWithPath: file)
    let pictures = try isPGM(url) ? Netpbm.readGrey(contentsOf: url) : idx(url)
    let isOne = pictures.rank == 2
    guard pictures.dtype == .uint8, pictures.rank == 3 || isOne else {
      throw DataError(
        .invalid, file: file,
        reason: "holds \(pictures.shape) \(pictures.dtype), not grey pictures",
        hint: "give [height, width] or [n, height, width] of bytes")
    }
    let size = Array(pictures.shape.suffix(2))
    guard shape.count == 3, shape[0] == 1, size == Array(shape.suffix(2)) else {
      let wanted = shape.suffix(2).reversed().map(String.init).joined(separator: "×")
      throw DataError(
        .invalid, file: file,
        reason: "the picture is \(size[1])×\(size[0]) pixels, but the model takes \(wanted)",
        hint: "scale it, e.g. with `magick IN -resize \(wanted)! -colorspace gray OUT.pgm`")
    }
    let count = isOne ? 1 : pictures.shape[0]
    return pictures.reshaped([count] + shape).cast(to: .float32) / 255
  }

  private static func isPGM(_ url: URL) -> Bool {
    guard let file = try? FileHandle(forReadingFrom: url) else { return false }
    defer { try? file.close() }
    let magic = (try? file.read(upToCount: 2)) ?? Data()
    return magic == Data("P5".utf8) || magic == Data("P2".utf8)
  }

  private static func idx(_ url: URL) throws -> Tensor {
    do { return try IDX.read(contentsOf: url) } catch let error as DataError
      where error.kind == .invalid && error.place == .byte(0)
    {
      throw DataError(
        .unsupported, file: url.path, at: .byte(0), reason: "is neither a PGM nor an IDX picture",
        hint: "convert it, e.g. with `magick IN -colorspace gray OUT.pgm`")
    }
  }
}
