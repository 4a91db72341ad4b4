import Testing

import TarnPlot

@Suite struct MarkupTests {
  @Test func textIsEscaped() {
    #expect(escaped("a<b>&\"c'\u{1}\u{FFFF}") == "a&lt;b&gt;&amp;&quot;c&#39;\u{FFFD}\u{FFFD}")
    #expect(escaped("日本 ∑\n") == "日本 ∑\n")
  }

  @Test(arguments: [
    (0.0, "0"), (-0.001, "0"), (1.5, "1.5"), (1.05, "1.05"), (-12.375, "-12.38"),
    (1e300, "1000000"),
    (.nan, "0"), (7.999, "8"),
  ])
  func coordinatesAreShort(value: Double, text: String) {
    #expect(pixels(value) == text)
  }

  @Test func textIsCutToItsRoom() {
    let text = String(repeating: "wide ", count: 40)
    let cut = TextMeasure.fitted(text, to: 100)
    #expect(cut.hasSuffix("…"))
    #expect(TextMeasure.width(cut) <= 100)
    #expect(TextMeasure.fitted("short", to: 100) == "short")
    let inside = TextMeasure.fittedInside(text + "end", to: 100)
    #expect(inside.contains("…") && inside.hasPrefix("wide") && inside.hasSuffix("end"))
    #expect(TextMeasure.width(inside) <= 100)
    #expect(TextMeasure.columns("日本e\u{301}") == 5)
    #expect(TextMeasure.fitted("日本語", columns: 4) == "日…")
  }
}

@Suite struct ColourTests {
  @Test func hexAndMixing() {
    #expect(RGB(0x0072B2).hex == "#0072b2")
    #expect(RGB(0x000000).mixed(with: RGB(0xFFFFFF), 0.5).hex == "#808080")
    #expect(RGB(grey: 2) == RGB(0xFFFFFF))
    #expect(RGB(grey: .nan) == RGB(0x000000))
  }

  @Test func mapsRunFromEndToEnd() {
    #expect(ColourMap.viridis.colour(0) == RGB(0x440154))
    #expect(ColourMap.viridis.colour(1) == RGB(0xFDE725))
    #expect(ColourMap.viridis.colour(7) == RGB(0xFDE725))
    #expect(ColourMap.diverging.colour(0.5) == RGB(0xF7F7F7))
    #expect(ColourMap.viridis.colour(.nan) == ColourMap.viridis.missing)
    #expect(ColourMap.diverging.range(of: [-1, 3, .nan]) == -3...3)
  }

  @Test func viridisGetsLighterAllTheWay() {
    let levels = stride(from: 0.0, through: 1, by: 0.05).map {
      ColourMap.viridis.colour($0).luminance
    }
    #expect(zip(levels, levels.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func inkIsReadableOnEveryMap() {
    for map in [ColourMap.viridis, .diverging, .blues, .grey] {
      for step in 0...100 {
        let paper = map.colour(Double(step) / 100)
        let (a, b) = (paper.luminance + 0.05, paper.readableInk.luminance + 0.05)
        #expect(max(a, b) / min(a, b) > 3.9)
      }
    }
  }
}

@Suite struct BitmapTests {
  @Test func fileHasHeaderAndPaddedRowsFromTheBottom() {
    let bitmap = Bitmap(
      width: 1, height: 2, pixels: [RGB(0xFF0000), RGB(0x0000FF)])
    let bytes = bitmap.bytes
    #expect(bytes.count == 54 + 8)
    #expect(bytes.prefix(2) == [0x42, 0x4D])
    #expect(
      bytes[2] == 62 && bytes[10] == 54 && bytes[18] == 1 && bytes[22] == 2 && bytes[28] == 24)
    #expect(Array(bytes.suffix(8)) == [0xFF, 0, 0, 0, 0, 0, 0xFF, 0])
    #expect(bitmap.dataURI.hasPrefix("data:image/bmp;base64,Qk0+"))
  }

  @Test func runsJoinEqualNeighbours() throws {
    let (a, b) = (RGB(0), RGB(0xFFFFFF))
    let bitmap = Bitmap(width: 3, height: 2, pixels: [a, a, b, b, b, b])
    let runs = try #require(bitmap.runs(limit: 3))
    #expect(runs.map(\.count) == [2, 1, 3])
    #expect(bitmap.runs(limit: 2) == nil)
  }
}
