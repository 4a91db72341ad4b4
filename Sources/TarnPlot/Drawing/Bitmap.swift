import Foundation

/// Coloured pixels, row by row from the top left.
package struct Bitmap: Sendable, Equatable {
  package let width: Int
  package let height: Int
  package var pixels: [RGB]

  package init(width: Int, height: Int, pixels: [RGB]) {
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  package init(width: Int, height: Int, colour: (_ row: Int, _ column: Int) -> RGB) {
    var pixels: [RGB] = []
    pixels.reserveCapacity(width * height)
    for row in 0..<height {
      for column in 0..<width { pixels.append(colour(row, column)) }
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// Neighbours of one colour in a row.
  package struct Run: Equatable {
    package let row: Int
    package let start: Int
    package let count: Int
    package let colour: RGB
  }

  /// The pixels as runs of one colour, or nil where they are more than `limit`.
  package func runs(limit: Int) -> [Run]? {
    var runs: [Run] = []
    for row in 0..<height {
      var start = 0
      while start < width {
        let colour = pixels[row * width + start]
        var end = start + 1
        while end < width && pixels[row * width + end] == colour { end += 1 }
        if runs.count == limit { return nil }
        runs.append(Run(row: row, start: start, count: end - start, colour: colour))
        start = end
      }
    }
    return runs
  }

  /// A Windows bitmap file: 24 bits a pixel, uncompressed, rows from the bottom, padded to four
  /// bytes.
  package var bytes: [UInt8] {
    let header = 54
    let stride = (width * 3 + 3) & ~3
    var bytes: [UInt8] = [0x42, 0x4D]
    bytes.reserveCapacity(header + stride * height)
    func number(_ value: Int, _ count: Int) {
      for byte in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
    number(header + stride * height, 4)
    number(0, 4)
    number(header, 4)
    number(40, 4)
    number(width, 4)
    number(height, 4)
    number(1, 2)
    number(24, 2)
    number(0, 4)
    number(stride * height, 4)
    number(2835, 4)
    number(2835, 4)
    number(0, 8)
    for row in (0..<height).reversed() {
      for pixel in pixels[(row * width)..<((row + 1) * width)] {
        bytes.append(pixel.blue)
        bytes.append(pixel.green)
        bytes.append(pixel.red)
      }
      for _ in (width * 3)..<stride { bytes.append(0) }
    }
    return bytes
  }

  /// The file as a `data:` address, to stand in an SVG document by itself.
  package var dataURI: String { "data:image/bmp;base64," + Data(bytes).base64EncodedString() }
}
