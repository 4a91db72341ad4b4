import TarnCore
import Testing

import TarnPlot

@Suite struct TerminalTests {
  @Test func sparklines() {
    #expect(sparkline([1, 4, 9, 16, 25]) == "▁▂▃▆█")
    #expect(sparkline([1, .nan, 2]) == "▁ █")
    #expect(sparkline([5, 5]) == "▄▄")
    #expect(sparkline([]) == "")
    #expect(sparkline([.nan]) == " ")
    #expect(sparkline([-1e308, 1e308]) == "▁█")
    #expect(sparkline((0..<1000).map(Double.init), width: 8) == "▁▂▃▄▅▆▇█")
  }

  @Test func chartsFillTheirSize() {
    let chart = TerminalChart("loss", width: 50, height: 6, xLabel: "step").line([5, 3, 2, 1.5, 1])
    let rows = chart.render()
    #expect(rows.count == 1 + 6 + 2)
    #expect(rows.dropFirst().allSatisfy { TextMeasure.columns($0) == 50 })
    #expect(rows[0] == "loss")
    #expect(rows.last?.contains("step") == true)
  }

  @Test func dotsAreWhereTheLineIs() throws {
    let rows = TerminalChart(width: 24, height: 3).line([0, 1]).render()
    let corner = try #require(rows[0].last)
    #expect("⠁⠈⠉⠊⠑⠒".contains(corner))
    #expect(rows.count == 5)
  }

  @Test func severalLinesHaveSignsOrColours() {
    let plain = TerminalChart(width: 40, height: 5).line([1, 2], name: "a").line([2, 1], name: "b")
    #expect(plain.description.contains("● a   × b"))
    #expect(!plain.description.contains("\u{1B}"))
    let coloured = TerminalChart(width: 40, height: 5, usesColour: true).line([1, 2], name: "a")
    #expect(coloured.description.contains("\u{1B}[34m"))
  }

  @Test(arguments: [[], [.nan], [1.0], [.infinity, 2], [1e308, -1e308]] as [[Double]])
  func oddDataAreShownOrSaidToBeNone(values: [Double]) {
    let text = TerminalChart(width: 30, height: 4).line(values).description
    #expect(text.contains("no data") == !values.contains(where: \.isFinite))
  }

  @Test func imagesAreBlocks() {
    let image = TerminalImage([0, 1, 0.5, 0.25], width: 2, height: 2, caption: "7")
    #expect(image.lines == ["  ██", "▒▒░░", "7   "])
    let compact = TerminalImage([0, 1, 1, 1], width: 2, height: 2, isCompact: true)
    #expect(compact.lines == ["▄█"])
    #expect(TerminalImage.row([image, compact], gap: 1) == "  ██ ▄█\n▒▒░░   \n7      ")
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = TerminalImage([1], width: 2, height: 2) }
    }
  }

  @Test func tablesAreAligned() {
    let table = TextTable(
      ["layer", "parameters"], [["conv 日本", "1,792"], ["fc", "650"], ["x"]])
    let expected = """
      layer      parameters
      ─────────  ──────────
      conv 日本       1,792
      fc                650
      x
      """
    #expect(table.description == expected)
    #expect(table.alignment(0) == .left && table.alignment(1) == .right)
    let cut = TextTable(["a"], [["a very long text"]], columnLimit: 6)
    #expect(cut.description.hasSuffix("a ver…"))
  }
}

@Suite struct ReportTests {
  @Test func pageIsWellFormedAndEscaped() {
    var report = HTMLReport("<script>alert(1)</script>", subtitle: "a & b")
    report.tiles = [.init("accuracy", "98 %", note: "<test>")]
    for index in 0..<4 {
      report.add(
        .init(
          "Section <\(index)>",
          [
            .prose("One <p>.\n\nTwo & more."), .list(["<li>"]), .code("a < b"),
            .table(TextTable(["<n>", "v"], [["<x>", "1"]]), caption: "<c>"),
            .figure(Chart("<f>").line([1, 2]), caption: "<g>"),
            .figures([Chart().line([1]), ImageGrid([])]),
          ]))
    }
    let html = report.html
    let body = html.drop { $0 != "\n" }
    #expect(isWellFormed(String(body)))
    #expect(!html.contains("<script>") && html.contains("&lt;script&gt;"))
    #expect(html.contains("<p>One &lt;p&gt;.</p>\n<p>Two &amp; more.</p>"))
    #expect(html.contains("href=\"#s4\""))
    #expect(html.contains("prefers-color-scheme:dark"))
    #expect(!html.contains(" src="))
  }
}
