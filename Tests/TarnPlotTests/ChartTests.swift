import Foundation
import Testing

import TarnPlot

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Whether a text is well-formed XML.
func isWellFormed(_ text: String) -> Bool { XMLParser(data: Data(text.utf8)).parse() }

@Suite struct ChartTests {
  private let nasty = "a<b> & \"c\" 'd' \u{0} 日本"

  @Test func everyKindOfSeriesIsWellFormed() {
    let x = [1.0, 2, 3, 4]
    let chart = Chart(nasty, subtitle: nasty, x: Axis(nasty), y: Axis(nasty, scale: .log))
      .band(x: x, low: [1, 2, 3, 4], high: [2, 3, 4, 5], name: nasty)
      .line(x: x, y: [1, .nan, 3, 4], name: nasty, marker: .diamond, dashed: true)
      .scatter(x: x, y: x, name: nasty, marker: .cross)
      .histogram(x, name: nasty)
      .rule(x: 2, name: nasty).rule(y: 2, name: nasty)
    #expect(isWellFormed(chart.svg))
    #expect(chart.svg.contains("a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; \u{FFFD} 日本"))
    let bars = Chart(nasty).bars([nasty, nasty], [1, -2], name: nasty)
    #expect(isWellFormed(bars.svg))
  }

  @Test(arguments: [
    Chart("empty"), Chart().line([]), Chart().line([.nan, .infinity]), Chart().histogram([]),
    Chart(y: Axis(scale: .log)).line([-1, 0]), Chart().bars([], []),
  ])
  func withoutDataItSaysSo(chart: Chart) {
    #expect(chart.svg.contains(">no data<"))
    #expect(isWellFormed(chart.svg))
  }

  @Test(
    arguments: [
      [3.5], [0], [1e308, -1e308], [Double.leastNonzeroMagnitude, Double.leastNormalMagnitude],
      [1e9, 1_000_000_000.000001], [Double.nan, 1, .nan],
    ] as [[Double]])
  func extremeDataAreDrawn(values: [Double]) {
    for scale in [Axis.Scale.linear, .log] {
      let svg = Chart(y: Axis(scale: scale)).line(values, marker: .circle).svg
      #expect(isWellFormed(svg))
      #expect(!svg.contains("nan") && !svg.contains("inf"))
    }
    #expect(!Chart().line(values).svg.contains("no data"))
  }

  @Test func aLonePointIsSeen() {
    #expect(Chart().line([3.5]).svg.contains("h0\""))
  }

  @Test func hiddenValuesAreCounted() {
    #expect(Chart().line([1, .nan, 2]).svg.contains("1 value is not finite"))
    let log = Chart(y: Axis(scale: .log)).line([1, -1, 0, 2])
    #expect(log.svg.contains("2 values are not finite and positive"))
    #expect(!Chart().line([1, 2]).svg.contains("not shown"))
  }

  @Test func aMillionPointsBecomeFew() {
    var values = (0..<1_000_000).map { sin(Double($0) * 0.7) }
    values[654_321] = 50
    let svg = Chart(width: 640).line(values).svg
    #expect(svg.utf8.count < 120_000)
    #expect(isWellFormed(svg))
  }

  @Test func thinningKeepsTheExtremes() {
    var points = (0..<100_000).map { Point(x: Double($0) / 1000, y: 0) }
    points[54_321].y = 9
    points[12_345].y = -9
    let kept = Thinning.line(points)
    #expect(kept.count < 500)
    #expect(kept.contains { $0.y == 9 } && kept.contains { $0.y == -9 })
    #expect(kept.first == points.first && kept.last == points.last)
    #expect(zip(kept, kept.dropFirst()).allSatisfy { $0.x <= $1.x })
  }

  @Test func cloudsAreThinnedToTheirLimit() {
    let points = (0..<200_000).map { (index: Int) -> Point in
      let (x, y) = (index * 7919 % 1000, index * 104_729 % 997)
      return Point(x: Double(x), y: Double(y))
    }
    let kept = Thinning.cloud(points, limit: 5000)
    #expect(kept.count <= 5000 && kept.count > 500)
  }

  @Test func barsStandOnZero() throws {
    let svg = Chart().bars(["a", "b"], [90, 95]).svg
    #expect(svg.contains(">0<"))
  }

  @Test func unnamedBandSharesTheColourOfItsLine() {
    let x = [1.0, 2]
    let chart = Chart().band(x: x, low: x, high: x).line(x: x, y: x).line(x: x, y: x)
    #expect(chart.series.map(\.colour) == [0, 0, 1].map(Palette.colour))
  }

  @Test func histogramCountsEveryFiniteValue() {
    let histogram = Histogram([0, 0.1, 0.5, 1, .nan, .infinity], bins: 2)
    #expect(histogram.edges == [0, 0.5, 1])
    #expect(histogram.counts == [2, 2])
    #expect(Histogram([3, 3, 3]).counts.reduce(0, +) == 3)
    #expect(Histogram([]).counts.isEmpty)
    #expect(Histogram([-1e308, 1e308], bins: 4).counts.reduce(0, +) == 2)
  }

  @Test func itIsWrittenToAFile() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("chart.svg").path
    let chart = Chart("written").line([1, 2, 3])
    try chart.write(to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == chart.svg)
    #expect(throws: PlotError.self) { try chart.write(to: folder.path + "/none/chart.svg") }
  }
}
