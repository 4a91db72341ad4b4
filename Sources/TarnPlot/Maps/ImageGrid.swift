import TarnCore

/// One picture of an ``ImageGrid``.
public struct GridImage: Sendable, Equatable {
  /// Whether what is said of a picture is so.
  public enum Verdict: Sendable { case right, wrong }

  package let bitmap: Bitmap
  public var title: String
  public var verdict: Verdict?

  /// A grey picture, or one coloured by `colours`.
  ///
  /// - Parameters:
  ///   - values: `height * width` numbers, row by row. Any other count is reported.
  ///   - range: The values at the ends of the colours; found from the data when nil.
  public init(
    _ values: [Double], width: Int, height: Int, range: ClosedRange<Double>? = 0...1,
    colours: ColourMap = .grey, title: String = "", verdict: Verdict? = nil
  ) {
    let agrees = Self.agree(values.count, width, height, 1)
    let span = range ?? colours.range(of: values) ?? 0...1
    let size = span.upperBound - span.lowerBound
    bitmap = Bitmap(width: agrees ? width : 0, height: agrees ? height : 0) { row, column in
      let value = values[row * width + column]
      return colours.colour(size > 0 ? (value - span.lowerBound) / size : value.isNaN ? .nan : 0.5)
    }
    (self.title, self.verdict) = (title, verdict)
  }

  /// A picture in red, green and blue, shape [3, height, width], as tensors hold them.
  public init(
    planes values: [Double], width: Int, height: Int, range: ClosedRange<Double> = 0...1,
    title: String = "", verdict: Verdict? = nil
  ) {
    let agrees = Self.agree(values.count, width, height, 3)
    let size = range.upperBound - range.lowerBound
    bitmap = Bitmap(width: agrees ? width : 0, height: agrees ? height : 0) { row, column in
      func channel(_ number: Int) -> UInt8 {
        let value = values[(number * height + row) * width + column]
        return RGB.byte(size > 0 ? (value - range.lowerBound) / size : 0.5)
      }
      return RGB(red: channel(0), green: channel(1), blue: channel(2))
    }
    (self.title, self.verdict) = (title, verdict)
  }

  /// A picture of bytes, shape [height, width, channels] with 1 or 3 channels, as files hold them.
  public init(
    bytes: [UInt8], width: Int, height: Int, channels: Int, title: String = "",
    verdict: Verdict? = nil
  ) {
    let agrees =
      Self.agree(bytes.count, width, height, channels) && (channels == 1 || channels == 3)
    if !agrees && channels != 1 && channels != 3 {
      Diagnostic.report(
        Diagnostic(
          operation: "GridImage", reason: "pictures have 1 or 3 channels",
          facts: ["channels: \(channels)"]))
    }
    bitmap = Bitmap(width: agrees ? width : 0, height: agrees ? height : 0) { row, column in
      let first = (row * width + column) * channels
      let last = first + channels - 1
      return RGB(red: bytes[first], green: bytes[(first + last) / 2], blue: bytes[last])
    }
    (self.title, self.verdict) = (title, verdict)
  }

  private static func agree(_ count: Int, _ width: Int, _ height: Int, _ channels: Int) -> Bool {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    let (wanted, overflow2) = area.multipliedReportingOverflow(by: channels)
    if width >= 0 && height >= 0 && !overflow && !overflow2 && wanted == count { return true }
    Diagnostic.report(
      Diagnostic(
        operation: "GridImage", reason: "there must be channels × height × width values",
        facts: [
          "values: \(count)", "channels × height × width: \(channels) × \(height) × \(width)",
        ]))
    return false
  }
}

/// Pictures in rows: samples, predictions, mistakes, filters, saliency maps.
///
/// ```swift
/// ImageGrid(digits.map { GridImage($0.pixels, width: 28, height: 28, title: "\($0.label)") },
/// columns: 8)
/// ```
///
/// Pixels stay sharp squares. A picture with a verdict has a frame: blue where right, vermilion
/// and dashed where wrong.
public struct ImageGrid: Figure, Equatable {
  public var title: String
  public var subtitle: String
  public var images: [GridImage]
  public var columns: Int
  /// The longer side of a picture in pixels of the page.
  public var size: Double

  public init(
    _ images: [GridImage], columns: Int = 8, size: Double = 72, title: String = "",
    subtitle: String = ""
  ) {
    (self.images, self.columns, self.size) = (images, max(columns, 1), min(max(size, 8), 1024))
    (self.title, self.subtitle) = (title, subtitle)
  }

  /// The rows of a weight matrix, or the filters of a convolution, as pictures: blue negative, red
  /// positive, one scale for all.
  ///
  /// - Parameters:
  ///   - weights: `count * height * width` numbers, shape [count, height, width].
  ///   - sharesScale: Whether all filters have one colour scale, or each its own.
  public static func weights(
    _ weights: [Double], count: Int, width: Int, height: Int, columns: Int = 8, size: Double = 72,
    title: String = "", sharesScale: Bool = true
  ) -> ImageGrid {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    let (wanted, overflow2) = area.multipliedReportingOverflow(by: count)
    guard !overflow, !overflow2, min(width, height, count) >= 0, wanted == weights.count else {
      Diagnostic.report(
        Diagnostic(
          operation: "ImageGrid.weights", reason: "there must be count × height × width values",
          facts: [
            "values: \(weights.count)", "count × height × width: \(count) × \(height) × \(width)",
          ]))
      return ImageGrid([], columns: columns, size: size, title: title)
    }
    let range = sharesScale ? ColourMap.diverging.range(of: weights) : nil
    let images = (0..<count).map { index in
      GridImage(
        Array(weights[(index * area)..<((index + 1) * area)]), width: width, height: height,
        range: range, colours: .diverging)
    }
    let subtitle = range.map {
      "white is 0, full colour ±\(NumberText.short($0.upperBound, digits: 3))"
    }
    return ImageGrid(images, columns: columns, size: size, title: title, subtitle: subtitle ?? "")
  }

  public func drawing() -> Drawing {
    let gap = 10.0
    let hasTitles = images.contains { !$0.title.isEmpty }
    let cell = (width: size + gap, height: size + gap + (hasTitles ? 16 : 0))
    let count = min(columns, max(images.count, 1))
    let rows = (images.count + count - 1) / count
    let width = max(Double(count) * cell.width + 24 - gap, 200)
    let heading = Heading(title: title, subtitle: subtitle, width: width)
    let top = heading.height + 8
    let height = top + max(Double(rows) * cell.height, 60) + 8
    var markup = Markup()
    heading.draw(&markup)
    if images.isEmpty {
      markup.label(
        "no data", at: Point(x: width / 2, y: top + 34), anchor: .middle, size: 14, kind: "soft")
    }
    for (index, image) in images.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: count)
      let corner = Point(x: 12 + Double(column) * cell.width, y: top + Double(row) * cell.height)
      draw(&markup, image, at: corner)
    }
    let label = title.isEmpty ? "\(images.count) pictures" : title
    return Drawing(width: width, height: height, label: label, body: markup.text)
  }

  private func draw(_ markup: inout Markup, _ image: GridImage, at corner: Point) {
    let bitmap = image.bitmap
    let longer = Double(max(bitmap.width, bitmap.height, 1))
    let (wide, tall) = (size * Double(bitmap.width) / longer, size * Double(bitmap.height) / longer)
    let box = Box(
      x: corner.x + (size - wide) / 2, y: corner.y + (size - tall) / 2, width: wide, height: tall)
    if !bitmap.pixels.isEmpty { markup.cells(bitmap, in: box) }
    let frame = Box(x: box.x - 1.5, y: box.y - 1.5, width: wide + 3, height: tall + 3)
    let (x, y, w, h) = (pixels(frame.x), pixels(frame.y), pixels(frame.width), pixels(frame.height))
    let place = "x=\"\(x)\" y=\"\(y)\" width=\"\(w)\" height=\"\(h)\" fill=\"none\""
    switch image.verdict {
    case .right: markup.append("<rect \(place) stroke=\"\(Ink.right.hex)\" stroke-width=\"3\"/>")
    case .wrong:
      markup.append(
        "<rect \(place) stroke=\"\(Ink.wrong.hex)\" stroke-width=\"3\" stroke-dasharray=\"7 3\"/>")
    case nil: markup.append("<rect \(place) class=\"grid\" stroke=\"\(Ink.grid.hex)\"/>")
    }
    let place2 = Point(x: corner.x + size / 2, y: corner.y + size + 15)
    markup.label(
      TextMeasure.fitted(image.title, to: size + 8, size: 11), at: place2, anchor: .middle, size: 11
    )
  }
}
