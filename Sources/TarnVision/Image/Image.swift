import TarnCore
import TarnData

/// A picture of bytes: grey, or red, green and blue, [height, width, channels].
///
/// ```swift
/// let photo = try Image(contentsOf: URL(fileURLWithPath: "cat.jpg"))
/// try photo.resized(width: 100, height: 80).write(to: URL(fileURLWithPath: "small.png"))
/// ```
public struct Image: Sendable, Hashable {
  public let width: Int
  public let height: Int
  /// 1 grey; 3 red, green and blue.
  public let channels: Int
  /// Rows from the top, pixels from the left, channels beside one another.
  public let bytes: [UInt8]

  /// From `height * width * channels` bytes, with 1 or 3 channels.
  public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    let wanted = [width, height, channels].checkedProduct
    if width > 0 && height > 0 && (channels == 1 || channels == 3) && wanted == bytes.count {
      self.init(unchecked: bytes, width: width, height: height, channels: channels)
      return
    }
    Diagnostic.report(
      Diagnostic(
        operation: "Image",
        reason: "a picture has height · width · channels bytes, with 1 or 3 channels",
        facts: [
          "height · width · channels: \(height) · \(width) · \(channels)", "bytes \(bytes.count)",
        ]))
    self.init(unchecked: [0], width: 1, height: 1, channels: 1)
  }

  /// A picture of one colour, which has a number for each channel.
  public init(width: Int, height: Int, filledWith colour: [UInt8]) {
    guard Self.isPossible(width, height), colour.count == 1 || colour.count == 3 else {
      self.init(width: width, height: height, channels: colour.count, bytes: [])
      return
    }
    self = .filling(width: width, height: height, channels: colour.count) { room in
      for i in 0..<(width * height) {
        for (c, value) in colour.enumerated() { room[i * colour.count + c] = value }
      }
    }
  }

  /// Whether there can be a picture of this size: with a pixel at least, and 2³⁰ at most.
  static func isPossible(_ width: Int, _ height: Int) -> Bool {
    guard width > 0, height > 0, max(width, height) <= longestSide,
      let pixels = checkedProduct(width, height)
    else { return false }
    return pixels <= 1 << 30
  }

  /// The most pixels a side may have.
  public static let longestSide = 1 << 24

  init(unchecked bytes: [UInt8], width: Int, height: Int, channels: Int) {
    (self.width, self.height, self.channels, self.bytes) = (width, height, channels, bytes)
  }

  public var isGrey: Bool { channels == 1 }

  /// The pixel in column `x` of row `y`: a number for each channel.
  public subscript(x: Int, y: Int) -> [UInt8] {
    guard x >= 0, x < width, y >= 0, y < height else {
      return Diagnostic.report(
        Diagnostic(
          operation: "Image[\(x), \(y)]", reason: "there is no such pixel",
          facts: ["picture \(width)×\(height)"]), giving: [UInt8](repeating: 0, count: channels))
    }
    let place = (y * width + x) * channels
    return Array(bytes[place..<(place + channels)])
  }
}

extension Image: CustomStringConvertible {
  public var description: String {
    "Image(\(width)×\(height) \(isGrey ? "grey" : "colour"))"
  }
}

extension Image {
  /// Makes a picture by filling its bytes in place.
  static func filling(
    width: Int, height: Int, channels: Int, _ body: (UnsafeMutablePointer<UInt8>) throws -> Void
  ) rethrows -> Image {
    let count = width * height * channels
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { room, filled in
      if let base = room.baseAddress { try body(base) }
      filled = count
    }
    return Image(unchecked: bytes, width: width, height: height, channels: channels)
  }
}
