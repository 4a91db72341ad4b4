import CTarnImages
import TarnCore
import TarnData

/// How pixels are made from those around their place.
public typealias Interpolation = Preprocessing.Interpolation

extension Preprocessing.Interpolation {
  var filter: Int32 {
    switch self {
    case .nearest: Int32(TARN_FILTER_NEAREST.rawValue)
    case .bilinear: Int32(TARN_FILTER_BILINEAR.rawValue)
    case .bicubic: Int32(TARN_FILTER_BICUBIC.rawValue)
    }
  }
}

/// Part of a picture: columns x ..< x + width of the rows y ..< y + height.
struct PixelRectangle: Hashable {
  var x = 0
  var y = 0
  var width: Int
  var height: Int
}

/// Part of a picture's pixels, and where it lies.
struct ImagePart {
  var image: Image
  /// Where the part lies.
  let x: Int
  let y: Int
  /// Size of the whole picture.
  let wholeWidth: Int
  let wholeHeight: Int

  init(_ image: Image, x: Int = 0, y: Int = 0, of whole: (width: Int, height: Int)? = nil) {
    (self.image, self.x, self.y) = (image, x, y)
    (wholeWidth, wholeHeight) = whole ?? (image.width, image.height)
  }

  /// The pixels of a picture that `area` of it scaled to `size` is made of.
  static func needed(
    for area: PixelRectangle, scaledTo size: (width: Int, height: Int),
    of whole: (width: Int, height: Int), _ interpolation: Interpolation
  ) -> PixelRectangle {
    func reach(_ from: Int, _ to: Int, _ begin: Int, _ count: Int) -> (Int, Int) {
      var (first, last): (Int32, Int32) = (0, 0)
      tarn_resize_reach(
        Int32(from), Int32(to), Int32(begin), Int32(begin + count), interpolation.filter, &first,
        &last)
      return (Int(first), Int(last - first))
    }
    let (x, width) = reach(whole.width, size.width, area.x, area.width)
    let (y, height) = reach(whole.height, size.height, area.y, area.height)
    return PixelRectangle(x: x, y: y, width: width, height: height)
  }

  /// `area` of the whole picture scaled to `size`. The part must hold what ``needed(for:scaledTo:of:_:)``
  /// says.
  func resized(
    to size: (width: Int, height: Int), taking area: PixelRectangle, _ interpolation: Interpolation
  ) throws -> Image {
    var status: Int32 = 0
    let result = image.bytes.withUnsafeBufferPointer { pixels in
      Image.filling(width: area.width, height: area.height, channels: image.channels) { room in
        var source = tarn_resize_source(
          pixels: pixels.baseAddress, stride: Int64(image.width * image.channels), x: Int32(x),
          y: Int32(y), width: Int32(image.width), height: Int32(image.height),
          whole_width: Int32(wholeWidth), whole_height: Int32(wholeHeight),
          channels: Int32(image.channels))
        var target = tarn_resize_target(
          pixels: room, x: Int32(area.x), y: Int32(area.y), width: Int32(area.width),
          height: Int32(area.height), whole_width: Int32(size.width),
          whole_height: Int32(size.height))
        status = tarn_resize(&source, &target, interpolation.filter)
      }
    }
    guard status == 0 else {
      throw DataError(
        .unreadable, file: "picture",
        reason: "there is not enough memory to scale it to \(size.width)×\(size.height)")
    }
    return result
  }
}

extension Image {
  /// The picture scaled, with antialiasing where it gets smaller: the filter is widened by the
  /// reduction, as Pillow's `Image.resize` does, and gives the same bytes.
  public func resized(
    width: Int, height: Int, interpolation: Interpolation = .bilinear
  ) -> Image {
    guard Image.isPossible(width, height) else {
      return impossible("resized(width: \(width), height: \(height))")
    }
    let area = PixelRectangle(width: width, height: height)
    do {
      return try ImagePart(self).resized(to: (width, height), taking: area, interpolation)
    } catch {
      return Diagnostic.report(
        Diagnostic(operation: "resized", reason: "\(error)"), giving: self)
    }
  }

  /// The picture scaled so that its shorter side has this length; the longer one follows.
  public func resized(
    shortSide: Int, interpolation: Interpolation = .bilinear,
    rounding: Preprocessing.Rounding = .torchvision
  ) -> Image {
    let size = Preprocessing.Resize.shortSide(shortSide).size(of: (width, height), rounding)
    return resized(width: size.width, height: size.height, interpolation: interpolation)
  }

  /// Reports a size that no picture can have, and gives this one.
  private func impossible(_ operation: String) -> Image {
    Diagnostic.report(
      Diagnostic(
        operation: operation,
        reason: "a picture has 1 to 2³⁰ pixels, and \(Image.longestSide) a side at most"),
      giving: self)
  }

  /// The rectangle whose upper left pixel is (x, y). What lies outside the picture gets the colour
  /// `fill`, black by default.
  public func cropped(x: Int, y: Int, width: Int, height: Int, fill: [UInt8]? = nil) -> Image {
    guard Image.isPossible(width, height) else {
      return impossible("cropped(width: \(width), height: \(height))")
    }
    let count = width * height
    let (left, right) = (max(x, 0), min(x + width, self.width))
    let (top, bottom) = (max(y, 0), min(y + height, self.height))
    let isInside = right - left == width && bottom - top == height
    var result =
      isInside
      ? [] : Image(width: width, height: height, filledWith: fill ?? black).bytes
    if isInside { result.reserveCapacity(count * channels) }
    guard left < right, top < bottom else {
      return Image(unchecked: result, width: width, height: height, channels: channels)
    }
    for row in top..<bottom {
      let from = (row * self.width + left) * channels
      let line = bytes[from..<(from + (right - left) * channels)]
      if isInside {
        result += line
      } else {
        let to = ((row - y) * width + left - x) * channels
        result.replaceSubrange(to..<(to + line.count), with: line)
      }
    }
    return Image(unchecked: result, width: width, height: height, channels: channels)
  }

  /// The middle of the picture, with black around it where it is smaller.
  public func centreCropped(
    width: Int, height: Int, rounding: Preprocessing.Rounding = .torchvision
  ) -> Image {
    let place = Preprocessing.centre(
      width: width, height: height, of: (self.width, self.height), rounding)
    return cropped(x: place.x, y: place.y, width: width, height: height)
  }

  /// How pixels around a picture are made.
  public enum Padding: Sendable, Hashable {
    /// One colour, with a number for each channel.
    case constant([UInt8])
    /// The nearest pixel of the picture.
    case edge
    /// The picture mirrored, the pixels at its rim not repeated.
    case reflect
  }

  /// The picture with more pixels on each side.
  public func padded(
    left: Int = 0, top: Int = 0, right: Int = 0, bottom: Int = 0, _ padding: Padding? = nil
  ) -> Image {
    guard min(left, top, right, bottom) >= 0 else {
      return Diagnostic.report(
        Diagnostic(
          operation: "padded", reason: "there cannot be fewer than 0 pixels more",
          facts: ["left \(left), top \(top), right \(right), bottom \(bottom)"],
          hint: "use cropped(x:y:width:height:)"), giving: self)
    }
    let most = Image.longestSide
    guard max(left, top, right, bottom) <= most,
      Image.isPossible(width + left + right, height + top + bottom)
    else {
      return impossible("padded(left: \(left), top: \(top), right: \(right), bottom: \(bottom))")
    }
    let (newWidth, newHeight) = (width + left + right, height + top + bottom)
    switch padding ?? .constant(black) {
    case .constant(let colour):
      return cropped(x: -left, y: -top, width: newWidth, height: newHeight, fill: colour)
    case .edge:
      return gathered(
        columns: (0..<newWidth).map { min(max($0 - left, 0), width - 1) },
        rows: (0..<newHeight).map { min(max($0 - top, 0), height - 1) })
    case .reflect:
      return gathered(
        columns: (0..<newWidth).map { Self.mirrored($0 - left, width) },
        rows: (0..<newHeight).map { Self.mirrored($0 - top, height) })
    }
  }

  private static func mirrored(_ place: Int, _ count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let turn = ((place % period) + period) % period
    return turn < count ? turn : period - turn
  }

  private func gathered(columns: [Int], rows: [Int]) -> Image {
    var result: [UInt8] = []
    result.reserveCapacity(columns.count * rows.count * channels)
    for row in rows {
      for column in columns {
        let place = (row * width + column) * channels
        for c in 0..<channels { result.append(bytes[place + c]) }
      }
    }
    return Image(
      unchecked: result, width: columns.count, height: rows.count, channels: channels)
  }

  /// Black in as many channels as the picture has.
  var black: [UInt8] { [UInt8](repeating: 0, count: channels) }

  /// Left and right exchanged.
  public var flippedHorizontally: Image { oriented(2) }
  /// Top and bottom exchanged.
  public var flippedVertically: Image { oriented(4) }

  /// Turned by a number of right angles, counterclockwise.
  public func turned(quarters: Int) -> Image {
    switch ((quarters % 4) + 4) % 4 {
    case 1: oriented(8)
    case 2: oriented(3)
    case 3: oriented(6)
    default: self
    }
  }

  /// Upright, where EXIF's number 1 to 8 says how it lies.
  func oriented(_ orientation: Int) -> Image {
    guard (2...8).contains(orientation) else { return self }
    let isTurned = orientation >= 5
    return Image.filling(
      width: isTurned ? height : width, height: isTurned ? width : height, channels: channels
    ) { room in
      tarn_image_orient(
        bytes, Int32(width), Int32(height), Int32(channels), Int32(orientation), room)
    }
  }
}
