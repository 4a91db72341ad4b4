import Foundation
import TarnPlot

/// A page, complete in one file, that shows what a model's cells do over a text: the text coloured by a cell, to be chosen; what
/// the model expected next, below each character; how surprising each character was; and the cells that keep track of something.
///
/// ```swift
/// let reading = TextReading(model, symbols)
/// let page = ReadingPage(reading, vocabulary, search: CellSearch(reading, vocabulary), title: "tinyshakespeare")
/// try page.report().write(to: "cells.html")
/// ```
public struct ReadingPage {
  public var title: String
  public var subtitle = ""
  public var footer = ""
  /// Symbols shown; of longer readings the first.
  public var shown = 3000
  private let reading: TextReading
  private let vocabulary: Vocabulary
  private let search: CellSearch

  public init(
    _ reading: TextReading, _ vocabulary: Vocabulary, search: CellSearch, title: String
  ) {
    (self.reading, self.vocabulary, self.search, self.title) = (reading, vocabulary, search, title)
  }

  /// The page.
  public func report() -> HTMLReport {
    var page = HTMLReport(title, subtitle: subtitle)
    page.tiles = tiles
    page.footer = footer
    page.add(.init("What this shows", [.prose(introduction), .markup(Self.markStyle)]))
    if reading.cellCount > 0 {
      page.add(.init("Cells that keep track of something", found))
      page.add(.init("The text by cell", [.prose(cellWords), .markup(viewer)]))
    }
    page.add(.init("What was expected next", [.prose(guessWords), .markup(guessView)]))
    page.add(.init("How surprising each character was", [.prose(lossWords), .markup(lossView)]))
    if let chart = lossChart { page.add(.init("Loss along the text", [.figure(chart)])) }
    return page
  }

  private var count: Int { min(shown, reading.symbols.count) }

  private var tiles: [HTMLReport.Tile] {
    let loss = reading.meanLoss
    var tiles: [HTMLReport.Tile] = [
      .init("loss", NumberText.short(loss), note: "nats a \(vocabulary.unit.name(1))"),
      .init("bits", NumberText.short(loss / log(2)), note: "a \(vocabulary.unit.name(1))"),
      .init("read", "\(reading.symbols.count)", note: vocabulary.unit.name()),
    ]
    if reading.cellCount > 0 {
      tiles.append(
        .init("cells", "\(reading.cellCount)", note: "\(reading.layers) layers of \(reading.size)"))
      tiles.append(
        .init(
          "keep track of something", NumberText.short(100 * search.interpretable, digits: 3) + " %",
          note: "of the cells, |r| ≥ \(CellSearch.threshold)"))
    }
    return tiles
  }

  private var introduction: String {
    "A model read a text \(vocabulary.unit.name(1)) by \(vocabulary.unit.name(1)). After each it has an opinion of what comes "
      + "next, and its cells are in some state; below is both."
  }

  private var cellWords: String {
    "Green where the cell is excited, blue where it is inhibited. Choose a layer and a cell; the list has those that go with "
      + "something about the text, the strongest first."
  }

  private var guessWords: String {
    "Below each character the five likeliest to come after it, the redder the likelier."
  }

  private var lossWords: String { "The redder, the less expected it was after what stands before." }

  // MARK: Cells found

  private var found: [HTMLReport.Item] {
    var table = TextTable(["feature", "layer", "cell", "correlation"])
    for match in search.byFeature {
      table.add([
        match.feature, "\(match.layer + 1)", "\(match.cell + 1)",
        NumberText.short(match.correlation, digits: 3),
      ])
    }
    let intro = HTMLReport.Item.prose(
      "Pearson's correlation of each cell with features of the text, over all \(reading.symbols.count) "
        + "\(vocabulary.unit.name()) read; for each feature the best cell.")
    var items: [HTMLReport.Item] = [intro, .table(table)]
    for match in search.byFeature.prefix(4) {
      let cell = match.layer * reading.size + match.cell
      items.append(
        .markup(
          "<figure><div class=\"reading\">\(coloured(cell, count: 700))</div><figcaption>"
            + "\(escaped(match.feature)): layer \(match.layer + 1), cell \(match.cell + 1)"
            + "</figcaption></figure>\n"))
    }
    return items
  }

  private func coloured(_ cell: Int, count: Int) -> String {
    var html = ""
    for (place, value) in reading.activity(of: cell).prefix(count).enumerated() {
      html += span(place, Self.colour(Double(value)))
    }
    return html
  }

  /// One character on a background; line breaks are shown and made.
  private func span(_ place: Int, _ colour: String) -> String {
    "<span style=\"background:\(colour)\">\(escaped(shownText(place)))</span>"
      + (text(place) == "\n" ? "<br/>" : "")
  }

  private func text(_ place: Int) -> String { vocabulary.text(of: reading.symbols[place]) }

  private func shownText(_ place: Int) -> String { Self.visible(text(place)) }

  static func visible(_ text: String) -> String {
    switch text {
    case "\n": "↵"
    case "\t": "→"
    case "\r": "␍"
    default: text
    }
  }

  /// Green for 1, blue for −1, nothing for 0.
  private static func colour(_ value: Double) -> String {
    let strength = fixed(min(1, value.magnitude))
    return value >= 0 ? "rgba(30,160,60,\(strength))" : "rgba(40,100,230,\(strength))"
  }

  /// With two digits, as CSS takes it.
  private static func fixed(_ value: Double) -> String { String(format: "%.2f", value) }

  // MARK: Guesses and losses

  private var guessView: String {
    var html = "<div class=\"guesses\">"
    for place in 0..<min(count, 1500) {
      let guesses = reading.guesses[place].map { guess in
        let share = Self.fixed(guess.probability)
        let text = Self.visible(vocabulary.text(of: guess.symbol))
        return "<i style=\"background:rgba(220,40,40,\(share))\" title=\"\(share)\">"
          + "\(escaped(text))</i>"
      }
      html += "<span class=\"letter\"><b>\(escaped(shownText(place)))</b>\(guesses.joined())</span>"
      if text(place) == "\n" { html += "<span class=\"break\"></span>" }
    }
    return html + "</div>\n"
  }

  private var lossView: String {
    var html = "<div class=\"reading\">"
    for place in 0..<count {
      let loss = reading.losses.indices.contains(place) ? reading.losses[place] : 0
      html += span(place, "rgba(220,40,40,\(Self.fixed(min(1, loss / 6))))")
    }
    return html + "</div>\n"
  }

  /// The mean loss of stretches of the text.
  private var lossChart: Chart? {
    let losses = Array(reading.losses.dropFirst())
    let width = max(20, losses.count / 200)
    guard losses.count >= 2 * width else { return nil }
    let starts = Array(stride(from: 0, to: losses.count - width + 1, by: width))
    return Chart("Loss along the text", x: Axis(vocabulary.unit.name(1)), y: Axis("nats"))
      .line(
        x: starts.map { Double($0 + width / 2) },
        y: starts.map { losses[$0..<$0 + width].reduce(0, +) / Double(width) },
        name: "mean of \(width)")
  }
}

// MARK: The viewer

extension ReadingPage {
  private static let markStyle = """
    <style>
    .reading{font:14px/1.7 ui-monospace,Menlo,Consolas,monospace;border:1px solid var(--edge);
    border-radius:8px;padding:.8rem 1rem;overflow-wrap:anywhere;white-space:pre-wrap}
    .guesses{display:flex;flex-wrap:wrap;gap:2px;font:13px/1.25 ui-monospace,Menlo,Consolas,monospace}
    .letter{display:inline-flex;flex-direction:column;text-align:center;min-width:1.1em}
    .letter b{border-bottom:1px solid var(--edge)}
    .letter i{font-style:normal;white-space:pre}
    .break{flex-basis:100%;height:.5rem}
    .chooser{display:flex;flex-wrap:wrap;gap:.8rem;margin:.8rem 0}
    </style>
    """

  /// Any cell over the text. The numbers stand in the page as signed bytes, cell by cell.
  private var viewer: String {
    let symbols = (0..<count).map { text($0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * reading.cellCount)
    for cell in 0..<reading.cellCount {
      for place in 0..<count {
        let value = reading.cells[place * reading.cellCount + cell]
        bytes.append(UInt8(bitPattern: Int8(max(-127, min(127, (value * 127).rounded())))))
      }
    }
    let options = best.map { match in
      let number = match.layer * reading.size + match.cell
      let r = NumberText.short(match.correlation, digits: 2)
      return "<option value=\"\(number)\">\(escaped(match.feature)) (layer \(match.layer + 1), "
        + "cell \(match.cell + 1), r = \(r))</option>"
    }
    return """
      <div class="chooser">
      <label>found <select id="found">\(options.joined())</select></label>
      <label>layer <input id="layer" type="number" min="1" max="\(reading.layers)" value="1"/></label>
      <label>cell <input id="cell" type="number" min="1" max="\(reading.size)" value="1"/></label>
      </div>
      <div class="reading" id="reading"></div>
      <script type="application/json" id="symbols">\(Self.json(symbols))</script>
      <script type="application/octet-stream" id="cells">\(Data(bytes).base64EncodedString())</script>
      <script>\(Self.script(size: reading.size, count: count))</script>

      """
  }

  /// Cells to offer: those of the features, then others that keep track of something.
  private var best: [CellSearch.Match] {
    let more = search.byCell.filter { $0.correlation.magnitude >= CellSearch.threshold }
      .sorted { $0.correlation.magnitude > $1.correlation.magnitude }
    var seen = Set<[Int]>()
    return (search.byFeature + more).filter { seen.insert([$0.layer, $0.cell]).inserted }
  }

  /// JSON that may stand inside a script element: no `<` can end it.
  private static func json(_ texts: [String]) -> String {
    let data = (try? JSONEncoder().encode(texts)) ?? Data("[]".utf8)
    return String(decoding: data, as: UTF8.self).replacing("<", with: "\\u003c")
  }

  private static func script(size: Int, count: Int) -> String {
    """
    (function(){
    const symbols=JSON.parse(document.getElementById("symbols").textContent);
    const packed=atob(document.getElementById("cells").textContent);
    const box=document.getElementById("reading");
    const layer=document.getElementById("layer"),cell=document.getElementById("cell");
    const found=document.getElementById("found");
    const names={"\\n":"↵","\\t":"→","\\r":"␍"};
    const spans=symbols.map(function(s){
      const e=document.createElement("span");e.textContent=names[s]||s;box.appendChild(e);
      if(s==="\\n")box.appendChild(document.createElement("br"));
      return e;});
    function show(number){
      for(let t=0;t<\(count);t++){
        let v=packed.charCodeAt(number*\(count)+t);if(v>127)v-=256;
        const a=Math.abs(v)/127;
        spans[t].style.background=v>=0?"rgba(30,160,60,"+a+")":"rgba(40,100,230,"+a+")";
        spans[t].title=(v/127).toFixed(2);}}
    function fromFields(){show((layer.value-1)*\(size)+(cell.value-1));}
    function fromList(){
      const n=Number(found.value||0);
      layer.value=Math.floor(n/\(size))+1;cell.value=n%\(size)+1;show(n);}
    layer.oninput=fromFields;cell.oninput=fromFields;found.onchange=fromList;fromList();
    })();
    """
  }
}
