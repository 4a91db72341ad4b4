/// A page that tells of a run, complete in one file: key figures, text, tables and charts.
///
/// ```swift
/// var report = HTMLReport("Digits", subtitle: "multi-layer perceptron, 20 epochs")
/// report.tiles = [.init("accuracy", "98.2 %"), .init("parameters", "4,810")]
/// report.add(.init("Learning", [.prose("Both curves still fall."), .figure(chart)]))
/// try report.write(to: "index.html")
/// ```
///
/// It needs no other file, and follows the reader's choice of a light or dark theme. Every text is shown as it is: none is
/// taken for HTML, ``Item/markup(_:)`` apart.
public struct HTMLReport: Sendable {
  /// A number that matters, shown large at the top.
  public struct Tile: Sendable, Equatable {
    public var name: String
    public var value: String
    public var note: String

    public init(_ name: String, _ value: String, note: String = "") {
      (self.name, self.value, self.note) = (name, value, note)
    }
  }

  /// One thing in a section.
  public enum Item: Sendable {
    /// Paragraphs, with blank lines between.
    case prose(String)
    /// Lines with a dot before each.
    case list([String])
    /// Text in a fixed-width font, line by line.
    case code(String)
    case table(TextTable, caption: String = "")
    case figure(any Figure, caption: String = "")
    /// HTML, put into the page as it is: whoever makes it escapes the texts in it.
    case markup(String)
    /// Figures that stand side by side where there is room.
    case figures([any Figure])
  }

  public struct Section: Sendable {
    public var title: String
    public var items: [Item]

    public init(_ title: String, _ items: [Item] = []) {
      (self.title, self.items) = (title, items)
    }
  }

  public var title: String
  public var subtitle: String
  public var tiles: [Tile] = []
  public var sections: [Section] = []
  /// A line at the end of the page, such as versions and date.
  public var footer: String = ""

  public init(_ title: String, subtitle: String = "") {
    (self.title, self.subtitle) = (title, subtitle)
  }

  /// Adds a section at the end.
  public mutating func add(_ section: Section) { sections.append(section) }

  /// The page.
  public var html: String {
    var page = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <title>\(escaped(title))</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <header><h1>\(escaped(title))</h1>

      """
    if !subtitle.isEmpty { page += "<p class=\"lead\">\(escaped(subtitle))</p>\n" }
    page += "</header>\n"
    if !tiles.isEmpty { page += tileRow }
    if sections.count > 3 { page += contents }
    for (index, section) in sections.enumerated() {
      page += "<section id=\"s\(index + 1)\"><h2>\(escaped(section.title))</h2>\n"
      page += section.items.map(Self.markup).joined() + "</section>\n"
    }
    if !footer.isEmpty { page += "<footer>\(escaped(footer))</footer>\n" }
    return page + "</body>\n</html>\n"
  }

  /// Writes the page, replacing a file that is there.
  ///
  /// - Throws: ``PlotError`` when the file cannot be written.
  public func write(to path: String) throws {
    try writeText(html, to: path)
  }

  private var tileRow: String {
    let tiles = tiles.map { tile in
      let note = tile.note.isEmpty ? "" : "<div class=\"note\">\(escaped(tile.note))</div>"
      return "<div class=\"tile\"><div class=\"name\">\(escaped(tile.name))</div>"
        + "<div class=\"value\">\(escaped(tile.value))</div>\(note)</div>\n"
    }
    return "<div class=\"tiles\">\n" + tiles.joined() + "</div>\n"
  }

  private var contents: String {
    let links = sections.enumerated().map {
      "<a href=\"#s\($0.offset + 1)\">\(escaped($0.element.title))</a>"
    }
    return "<nav>" + links.joined(separator: " ") + "</nav>\n"
  }

  private static func markup(_ item: Item) -> String {
    switch item {
    case .prose(let text):
      return paragraphs(text).map { "<p>\(escaped($0))</p>\n" }.joined()
    case .list(let lines):
      return "<ul>" + lines.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>\n"
    case .markup(let html): return html
    case .code(let text): return "<pre>\(escaped(text))</pre>\n"
    case .table(let table, let caption): return markup(table, caption)
    case .figure(let figure, let caption):
      let text = caption.isEmpty ? "" : "<figcaption>\(escaped(caption))</figcaption>"
      return "<figure>\(figure.drawing().element)\(text)</figure>\n"
    case .figures(let figures):
      let all = figures.map { "<figure>\($0.drawing().element)</figure>" }
      return "<div class=\"figures\">" + all.joined() + "</div>\n"
    }
  }

  private static func paragraphs(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .split { $0.allSatisfy(\.isWhitespace) }
      .map { $0.joined(separator: "\n") }
  }

  private static func markup(_ table: TextTable, _ caption: String) -> String {
    func row(_ cells: [String], _ tag: String) -> String {
      let cells = cells.enumerated().map { index, text in
        let side = table.alignment(index) == .right ? " class=\"number\"" : ""
        return "<\(tag)\(side)>\(escaped(text))</\(tag)>"
      }
      return "<tr>" + cells.joined() + "</tr>\n"
    }
    let title = caption.isEmpty ? "" : "<caption>\(escaped(caption))</caption>"
    return "<div class=\"wide\"><table>\(title)<thead>\(row(table.columns, "th"))</thead><tbody>\n"
      + table.rows.map { row($0, "td") }.joined() + "</tbody></table></div>\n"
  }
}
