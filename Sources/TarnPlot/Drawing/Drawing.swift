import Foundation

/// Something that can be drawn: a chart, a map, a grid of images.
///
/// ```swift
/// try Chart("Loss").line(losses, name: "training").write(to: "loss.svg")
/// ```
public protocol Figure: Sendable {
  /// The finished picture.
  func drawing() -> Drawing
}

extension Figure {
  /// The picture as a complete SVG document.
  public var svg: String { drawing().document }

  /// Writes the picture as an SVG file, replacing one that is there.
  ///
  /// - Throws: ``PlotError`` when the file cannot be written.
  public func write(to path: String) throws {
    try writeText(svg, to: path)
  }
}

/// A finished picture: SVG elements and their size in pixels.
///
/// Its colours for paper, ink and grid lines carry the classes `paper`, `ink`, `soft`, `line` and
/// `grid`,
/// so that a page which shows it inline can restyle them for a dark theme.
public struct Drawing: Figure, Equatable {
  public let width: Double
  public let height: Double
  /// What the picture shows, for readers that cannot see it.
  public let label: String
  /// The elements inside the `svg` element.
  public let body: String

  package init(width: Double, height: Double, label: String, body: String) {
    (self.width, self.height, self.label, self.body) = (width, height, label, body)
  }

  public func drawing() -> Drawing { self }

  /// The `svg` element, ready to be put into an HTML page.
  public var element: String {
    let (w, h) = (pixels(width), pixels(height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(w)" height="\(h)" viewBox="0 0 \(w) \(h)" \
      role="img" font-family="\(TextMeasure.fontFamily)" font-size="12">\
      <title>\(escaped(label))</title>\
      <rect class="paper" width="\(w)" height="\(h)" fill="#ffffff"/>\(body)</svg>
      """
  }

  /// A complete SVG file.
  public var document: String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + element + "\n"
  }
}

/// A picture or page could not be written.
public struct PlotError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file that was to be written.
  public let path: String
  /// Why it could not be.
  public let reason: String

  public var description: String {
    "cannot write \(path): \(reason); choose a folder that exists and that you may write to"
  }
}

package func writeText(_ text: String, to path: String) throws {
  do {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  } catch {
    throw PlotError(path: path, reason: (error as NSError).localizedDescription)
  }
}
