import TarnCore
import Testing

import TarnPlot

@Suite struct MapTests {
  @Test func mapsAreWellFormed() {
    let values = (0..<12).map { $0 == 5 ? .nan : Double($0) }
    let names = ["<a>", "b&", "c"]
    let matrix = HeatMap("m", values, rows: 4, columns: 3, columnNames: names, colours: .diverging)
    let plane = HeatMap("p", values, rows: 4, columns: 3, scale: .log, contours: 5)
      .over(x: Axis("x", range: -1...1), y: Axis("y", range: 0...9))
      .trail(x: [-1, 0, .nan, 1], y: [0, 1, 2, 3]).points(x: [0], y: [4])
    for map in [matrix, plane] {
      #expect(isWellFormed(map.svg))
      #expect(!map.svg.contains(">no data<"))
    }
  }

  @Test func greatMapsAreImages() {
    let values = (0..<100 * 100).map { Double($0 % 97) }
    let svg = HeatMap("", values, rows: 100, columns: 100).svg
    #expect(svg.contains("data:image/bmp;base64,"))
    #expect(svg.contains("image-rendering:pixelated"))
  }

  @Test func mapsWithoutDataSaySo() {
    #expect(HeatMap("", [], rows: 0, columns: 0).svg.contains(">no data<"))
    #expect(HeatMap("", [.nan], rows: 1, columns: 1).svg.contains(">no data<"))
    #expect(ConfusionMap([]).svg.contains(">no data<"))
    #expect(ConfusionMap([[0]]).svg.contains(">no data<"))
    #expect(ImageGrid([]).svg.contains(">no data<"))
    #expect(DecisionMap("", [], classes: 0, rows: 0, columns: 0).svg.contains(">no data<"))
  }

  @Test func wrongCountsAreReported() {
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = HeatMap("", [1, 2, 3], rows: 2, columns: 2).svg }
    }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = GridImage([1, 2, 3], width: Int.max, height: 2) }
    }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = GridImage(bytes: [1, 2], width: 1, height: 1, channels: 2) }
    }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = ConfusionMap([[1], [2]]).svg }
    }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = Chart().line(x: [1], y: [1, 2]).svg }
    }
  }

  @Test func confusionShowsCountsAndShare() {
    let svg = ConfusionMap([[48, 2], [5, 45]], classes: ["cat", "dog"]).svg
    #expect(isWellFormed(svg))
    for text in ["48", "2", "5", "45", "cat", "dog", "93.0 % of 100 right"] {
      #expect(svg.contains(">\(text)<"))
    }
  }

  @Test func contoursFollowAPlane() {
    let grid = ContourGrid(values: [0, 1, 2, 0, 1, 2], rows: 2, columns: 3)
    let pieces = grid.segments(at: 1.5)
    #expect(pieces.count == 1)
    #expect(pieces.allSatisfy { $0.0.x == 1.5 && $0.1.x == 1.5 })
    #expect(ContourGrid(values: [0, .nan, 2, 3], rows: 2, columns: 2).segments(at: 1).isEmpty)
    #expect(ContourGrid(values: [1, 0, 0, 1], rows: 2, columns: 2).segments(at: 0.5).count == 2)
  }

  @Test func doubtIsPalerThanCertainty() {
    let map = DecisionMap("", [1, 0, 0.5, 0.5, .nan, .nan], classes: 2, rows: 1, columns: 3)
    let (sure, unsure) = (map.colour(row: 0, column: 0), map.colour(row: 0, column: 1))
    #expect(sure.luminance < unsure.luminance)
    #expect(map.colour(row: 0, column: 2) == RGB(0xC8CCD1))
    let drawn = map.points(x: [0.2, 0.8], y: [0.1, 0.9], labels: [0, 1])
    #expect(isWellFormed(drawn.svg))
    #expect(drawn != map)
  }

  @Test func decisionsBecomeProbabilities() {
    let map = DecisionMap(decisions: [0, 2], classes: 3, rows: 1, columns: 2)
    #expect(map.probabilities == [1, 0, 0, 0, 0, 1])
  }

  @Test func imagesKeepTheirColours() {
    let grey = GridImage([0, 1], width: 2, height: 1)
    #expect(grey.bitmap.pixels == [RGB(0), RGB(0xFFFFFF)])
    let planes = GridImage(planes: [1, 0, 0], width: 1, height: 1)
    #expect(planes.bitmap.pixels == [RGB(0xFF0000)])
    let bytes = GridImage(bytes: [1, 2, 3], width: 1, height: 1, channels: 3)
    #expect(bytes.bitmap.pixels == [RGB(0x010203)])
    let scaled = GridImage([4, 4], width: 1, height: 2, range: nil)
    #expect(scaled.bitmap.pixels == [RGB(0x808080), RGB(0x808080)])
  }

  @Test func verdictsHaveFramesThatDifferByMoreThanColour() {
    let right = ImageGrid([GridImage([0], width: 1, height: 1, title: "<3>", verdict: .right)])
    let wrong = ImageGrid([GridImage([0], width: 1, height: 1, verdict: .wrong)])
    #expect(isWellFormed(right.svg))
    #expect(!right.svg.contains("stroke-dasharray"))
    #expect(wrong.svg.contains("stroke-dasharray"))
  }

  @Test func weightsShareAScale() {
    let grid = ImageGrid.weights([-1, 0, 0, 2], count: 2, width: 2, height: 1)
    #expect(grid.images.count == 2)
    #expect(grid.images[0].bitmap.pixels[1] == RGB(0xF7F7F7))
    #expect(grid.images[1].bitmap.pixels[1] == ColourMap.diverging.colour(1))
  }

  @Test func figuresStandSideBySide() {
    let chart = Chart("a", width: 200, height: 150).line([1, 2])
    let drawing = FigureGrid([chart, chart, chart], columns: 2).drawing()
    #expect(drawing.width == 412 && drawing.height == 312)
    #expect(isWellFormed(drawing.document))
    #expect(isWellFormed(FigureGrid([]).svg))
  }
}
