import TarnData

/// The formats pictures are read and written in, told by what a file begins with, never by its name.
public enum ImageFormat: String, Sendable, Hashable, Codable, CaseIterable {
  case jpeg, png, bmp, netpbm

  /// The format for a file name's extension, where a picture is to be written.
  public init?(fileExtension: String) {
    switch fileExtension.lowercased() {
    case "jpg", "jpeg", "jpe", "jfif": self = .jpeg
    case "png": self = .png
    case "bmp", "dib": self = .bmp
    case "ppm", "pgm", "pnm": self = .netpbm
    default: return nil
    }
  }

  /// The format of a file.
  init(of file: FileBytes) throws(DataError) {
    if file.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if file.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else if file.starts(with: Array("BM".utf8)) && file.count > 14 {
      self = .bmp
    } else if (1...6).contains(where: { file.starts(with: Array("P\($0)".utf8)) }) {
      self = .netpbm
    } else {
      throw Self.problem(file)
    }
  }

  private static let convert = "convert it, e.g. with `magick IN OUT.png`"

  private static func problem(_ file: FileBytes) -> DataError {
    guard file.count > 0 else {
      return DataError(
        .invalid, file: file.name, reason: "the file is empty",
        hint: "it was perhaps not written to the end; fetch it again")
    }
    if let name = otherFormat(file) {
      return DataError(
        .unsupported, file: file.name, at: .byte(0), reason: "is a \(name) file, which is not read",
        hint: convert)
    }
    let isText = file.withBytes { bytes in
      bytes.prefix(256).allSatisfy { ($0 >= 32 && $0 < 127) || (9...13).contains($0) }
    }
    return DataError(
      .invalid, file: file.name, at: .byte(0),
      reason: isText ? "is a text, not a picture" : "is no JPEG, PNG, BMP, PGM or PPM picture",
      hint: isText
        ? "see whether it was fetched rightly; it may be a message of the server" : convert)
  }

  /// The name of a known format that is not read.
  private static func otherFormat(_ file: FileBytes) -> String? {
    func has(_ text: String, at place: Int = 0) -> Bool {
      let wanted = Array(text.utf8)
      return file.withBytes { bytes in
        bytes.count >= place + wanted.count
          && bytes[place..<(place + wanted.count)].elementsEqual(wanted)
      }
    }
    if has("GIF8") { return "GIF" }
    if has("RIFF") && has("WEBP", at: 8) { return "WebP" }
    if has("II*\0") || has("MM\0*") { return "TIFF" }
    if has("ftypavif", at: 4) { return "AVIF" }
    if has("ftyphei", at: 4) || has("ftypmif1", at: 4) { return "HEIC" }
    if has("%PDF") { return "PDF" }
    if has("<svg") || has("<?xml") { return "SVG or XML" }
    if has("\0\0\u{1}\0") { return "ICO" }
    if has("jP  ", at: 4) { return "JPEG 2000" }
    if has("PK\u{3}\u{4}") { return "ZIP" }
    return nil
  }
}
