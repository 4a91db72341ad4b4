import Foundation
import TarnCore
import TarnData

/// How pictures are read from files.
public struct ImageReading: Sendable, Hashable {
  /// What becomes of pixels that are not opaque.
  public enum Opacity: Sendable, Hashable {
    /// Their colour is taken as if they were, as Pillow's `convert("RGB")` does.
    case dropped
    /// They are laid over a background.
    case over(red: UInt8, green: UInt8, blue: UInt8)
  }

  public enum Channels: Sendable, Hashable {
    /// As in the file: grey or colour.
    case asStored
    case colour
    case grey
  }

  public var channels: Channels
  public var opacity: Opacity
  /// Turns a picture upright whose EXIF data say that the camera was not.
  public var turnsUpright: Bool
  /// Reads JPEG files in which pixels are missing or wrong, with grey for what is missing. Otherwise
  /// that is an error; stray bytes that cost no pixels are not.
  public var allowsDamage: Bool
  /// 1, 2, 4 or 8: JPEG pictures are read at so small a part of their width and height, which is much
  /// faster. Others come in full.
  public var reduction: Int
  /// Where the wanted size is known, as when a ``Preprocessing`` reads, and nothing else is asked for:
  /// JPEG pictures are read at the smallest part of their size that is still twice as large as wanted.
  /// Large photographs come several times as fast, and a little different.
  public var reducesLargePictures: Bool
  /// The most pixels a picture may have.
  public var mostPixels: Int

  public init(
    channels: Channels = .asStored, opacity: Opacity = .dropped, turnsUpright: Bool = true,
    allowsDamage: Bool = false, reduction: Int = 1, reducesLargePictures: Bool = false,
    mostPixels: Int = 178_956_970
  ) {
    (self.channels, self.opacity, self.turnsUpright) = (channels, opacity, turnsUpright)
    (self.allowsDamage, self.mostPixels) = (allowsDamage, mostPixels)
    self.reducesLargePictures = reducesLargePictures
    self.reduction = [1, 2, 4, 8].contains(reduction) ? reduction : 1
    if self.reduction != reduction {
      Diagnostic.report(
        Diagnostic(
          operation: "ImageReading(reduction: \(reduction))",
          reason: "a picture is read at 1/1, 1/2, 1/4 or 1/8 of its size"))
    }
  }

  public static let standard = ImageReading()
}

extension Image {
  /// Reads a JPEG, PNG, BMP, PGM or PPM picture; what it is is told by its contents.
  ///
  /// Samples of 16 bits keep their higher byte, CMYK becomes RGB by c ↦ (255 − c)(255 − k) / 255.
  /// - Throws: `DataError` for a file that is missing, damaged, of another sort or too large.
  public init(contentsOf url: URL, _ reading: ImageReading = .standard) throws {
    try self.init(FileBytes(mapping: url), reading)
  }

  /// Reads a picture from bytes; `name` is what errors call them.
  public init(
    encoded bytes: some Collection<UInt8>, name: String = "picture",
    _ reading: ImageReading = .standard
  ) throws {
    try self.init(FileBytes(bytes, name: name), reading)
  }

  package init(_ file: FileBytes, _ reading: ImageReading = .standard) throws {
    self = try ImagePart(file, reading) { PixelRectangle(width: $0.width, height: $0.height) }.image
  }

  /// The size of the picture in a file as ``init(contentsOf:_:)`` would give it, without decoding it.
  public static func size(
    of url: URL, _ reading: ImageReading = .standard
  ) throws -> (width: Int, height: Int) {
    let file = try FileBytes(mapping: url)
    var size = (width: 0, height: 0)
    _ = try ImagePart(file, reading) {
      size = $0
      return nil
    }
    return size
  }
}

extension ImagePart {
  /// Reads the part of a picture that `choose` wants of one of this size; nil stops with a single
  /// pixel that means nothing. More may come.
  init(
    _ file: FileBytes, _ reading: ImageReading,
    choosing choose: ((width: Int, height: Int)) -> PixelRectangle?
  ) throws {
    switch try ImageFormat(of: file) {
    case .jpeg: self = try JPEG.read(file, reading, choosing: choose)
    case .png: self = try PNG.read(file, reading, choosing: choose)
    case .bmp: self = try BMP.read(file, reading, choosing: choose)
    case .netpbm: self = try PortableMap.read(file, reading, choosing: choose)
    }
    switch reading.channels {
    case .asStored: break
    case .colour: image = image.colour
    case .grey: image = image.grey
    }
  }

  /// What stands for a picture that is not to be decoded.
  static let nothing = ImagePart(Image(unchecked: [0], width: 1, height: 1, channels: 1))
}

/// Refuses pictures that are larger than asked for, or larger than so short a file can hold.
///
/// - Parameter most: the most pixels that the format can pack into the file.
func checkSize(
  _ width: Int, _ height: Int, most: Int, _ file: FileBytes, _ reading: ImageReading
) throws(DataError) {
  guard width > 0, height > 0, let pixels = checkedProduct(width, height),
    max(width, height) <= Image.longestSide
  else {
    throw DataError(
      .invalid, file: file.name, reason: "says that it has \(width)×\(height) pixels",
      hint: "the file is damaged; fetch it again")
  }
  guard pixels <= reading.mostPixels else {
    throw DataError(
      .unsupported, file: file.name,
      reason: "has \(width)×\(height) pixels, more than the \(reading.mostPixels) allowed",
      hint: "scale it down, or allow more with ImageReading(mostPixels:)")
  }
  guard pixels <= most else {
    throw DataError(
      .invalid, file: file.name,
      reason: "says that it has \(width)×\(height) pixels, "
        + "which cannot be packed into \(file.count) bytes",
      hint: "the file is damaged or was cut short; fetch it again")
  }
}

/// How the errors of the C libraries come out.
func imageError(
  _ status: Int32, _ message: [CChar], _ file: FileBytes, format: String
) -> DataError {
  let text = String(
    decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  switch status {
  case 2:
    return DataError(
      .unsupported, file: file.name, reason: "a \(format) file of a sort that is not read: \(text)",
      hint: "save it anew with another program")
  case 3:
    return DataError(
      .unreadable, file: file.name, reason: "there is not enough memory to read it",
      hint: "close other programs, or scale the picture down")
  default:
    return DataError(
      .invalid, file: file.name, reason: "is a damaged \(format) file: \(text)",
      hint: "fetch it again, or leave it out")
  }
}
