/// Text made safe for XML and HTML, in elements and in quoted attributes.
///
/// Characters that XML 1.0 forbids are replaced by `U+FFFD`.
package func escaped(_ text: String) -> String {
  var result = ""
  result.reserveCapacity(text.utf8.count)
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
    case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// A coordinate with at most two decimals. Far-off places are pulled in, where they are as
/// invisible.
package func pixels(_ value: Double) -> String {
  guard value.isFinite else { return "0" }
  let hundredths = Int((min(max(value, -1e6), 1e6) * 100).rounded())
  let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
  var text = hundredths < 0 ? "-" : ""
  text += String(whole)
  if rest == 0 { return text }
  text += rest < 10 ? ".0" : "."
  text += String(rest % 10 == 0 ? rest / 10 : rest)
  return text
}

/// A place in a picture, in pixels from the top left corner.
package struct Point: Equatable, Sendable {
  package var x: Double
  package var y: Double

  package init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
}

/// A rectangle in a picture, in pixels.
package struct Box: Equatable, Sendable {
  package var x: Double
  package var y: Double
  package var width: Double
  package var height: Double
  package var right: Double { x + width }
  package var bottom: Double { y + height }
}

/// Where a text is anchored.
package enum Anchor: String {
  case start, middle, end
}

/// Builds SVG elements. Every text that comes from outside goes through ``escaped(_:)`` here.
package struct Markup {
  private(set) var text = ""

  package mutating func rectangle(_ box: Box, fill: RGB, more: String = "") {
    text += "<rect\(place(box)) fill=\"\(fill.hex)\"\(more)/>"
  }

  package mutating func line(_ a: Point, _ b: Point, style: String) {
    text += "<line x1=\"\(pixels(a.x))\" y1=\"\(pixels(a.y))\""
    text += " x2=\"\(pixels(b.x))\" y2=\"\(pixels(b.y))\" \(style)/>"
  }

  package mutating func path(_ data: String, style: String) {
    if !data.isEmpty { text += "<path d=\"\(data)\" \(style)/>" }
  }

  /// A text in the page's ink, or in `fill` where it stands on a colour of its own.
  package mutating func label(
    _ string: String, at point: Point, anchor: Anchor = .start, size: Double = 12,
    bold: Bool = false,
    kind: String = "ink", fill: RGB? = nil, turned degrees: Double? = nil
  ) {
    if string.isEmpty { return }
    text += "<text x=\"\(pixels(point.x))\" y=\"\(pixels(point.y))\""
    if anchor != .start { text += " text-anchor=\"\(anchor.rawValue)\"" }
    if size != 12 { text += " font-size=\"\(pixels(size))\"" }
    if bold { text += " font-weight=\"bold\"" }
    if let fill {
      text += " fill=\"\(fill.hex)\""
    } else {
      text += " class=\"\(kind)\" fill=\"\((kind == "soft" ? Ink.soft : Ink.text).hex)\""
    }
    if let degrees {
      text += " transform=\"rotate(\(pixels(degrees)) \(pixels(point.x)) \(pixels(point.y)))\""
    }
    text += ">\(escaped(string))</text>"
  }

  /// A bitmap as rectangles where that takes few, joined along rows; else as an image.
  package mutating func cells(_ bitmap: Bitmap, in box: Box, limit: Int = 100) {
    let runs = bitmap.runs(limit: limit)
    guard let runs else { return image(bitmap, in: box) }
    let (wide, tall) = (box.width / Double(bitmap.width), box.height / Double(bitmap.height))
    for run in runs {
      let cells = Box(
        x: box.x + Double(run.start) * wide, y: box.y + Double(run.row) * tall,
        width: Double(run.count) * wide, height: tall)
      rectangle(cells, fill: run.colour, more: " shape-rendering=\"crispEdges\"")
    }
  }

  /// A bitmap whose pixels stay sharp squares when enlarged.
  package mutating func image(_ bitmap: Bitmap, in box: Box) {
    text += "<image\(place(box)) preserveAspectRatio=\"none\" image-rendering=\"pixelated\" "
    text +=
      "style=\"image-rendering:crisp-edges;image-rendering:pixelated\" href=\"\(bitmap.dataURI)\"/>"
  }

  /// Elements that are cut off at the edges of `box`; the coordinates inside are those outside.
  package mutating func clipped(to box: Box, _ draw: (inout Markup) -> Void) {
    let view = "\(pixels(box.x)) \(pixels(box.y)) \(pixels(box.width)) \(pixels(box.height))"
    text += "<svg\(place(box)) viewBox=\"\(view)\" overflow=\"hidden\">"
    draw(&self)
    text += "</svg>"
  }

  /// Another picture, at a place of this one.
  package mutating func insert(_ drawing: Drawing, at point: Point) {
    text += "<g transform=\"translate(\(pixels(point.x)) \(pixels(point.y)))\">\(drawing.body)</g>"
  }

  package mutating func append(_ elements: String) { text += elements }

  private func place(_ box: Box) -> String {
    " x=\"\(pixels(box.x))\" y=\"\(pixels(box.y))\" width=\"\(pixels(box.width))\""
      + " height=\"\(pixels(box.height))\""
  }
}

/// The colours of everything that is not data, and the styles made of them.
package enum Ink {
  package static let text = RGB(0x1F2328)
  package static let soft = RGB(0x59636E)
  package static let line = RGB(0x8C959F)
  package static let grid = RGB(0xE4E7EB)
  package static let paper = RGB(0xFFFFFF)
  package static let right = RGB(0x0072B2)
  package static let wrong = RGB(0xD55E00)

  package static let lineStyle = "class=\"line\" stroke=\"\(line.hex)\" fill=\"none\""
  package static let gridStyle = "class=\"grid\" stroke=\"\(grid.hex)\" fill=\"none\""
}
