import Testing

import TarnPlot

@Suite struct GraphTests {
  @Test func edgesLeadDown() {
    let layout = GraphLayout(
      widths: [40, 40, 40, 40],
      edges: [(0, 1), (1, 2), (0, 2), (2, 3)].map { (from: $0.0, to: $0.1) })
    #expect(Array(layout.layer.prefix(4)) == [0, 1, 2, 3])
    #expect(layout.routes.map(\.count) == [2, 2, 3, 2])
    #expect(layout.crossings() == 0)
  }

  @Test func crossingsAreRemoved() {
    // Two chains whose lower ends are listed the wrong way round.
    let edges = [(0, 3), (1, 2), (3, 5), (2, 4)].map { (from: $0.0, to: $0.1) }
    let layout = GraphLayout(widths: [Double](repeating: 30, count: 6), edges: edges)
    #expect(layout.crossings() == 0)
  }

  @Test func boxesOfALayerDoNotOverlap() {
    var edges: [(from: Int, to: Int)] = []
    for vertex in 1..<60 { edges.append((from: vertex * 7 % vertex, to: vertex)) }
    for vertex in 20..<60 { edges.append((from: vertex - 17, to: vertex)) }
    let widths = (0..<60).map { 30 + Double($0 % 5) * 20 }
    let layout = GraphLayout(widths: widths, edges: edges)
    for layer in layout.layers {
      let boxes = layer.filter { $0 < 60 }
      for (left, right) in zip(boxes, boxes.dropFirst()) {
        #expect(layout.x[right] - layout.x[left] >= (widths[left] + widths[right]) / 2)
      }
    }
    for edge in edges { #expect(layout.layer[edge.from] < layout.layer[edge.to]) }
  }

  @Test func cyclesAndLoopsAreDrawn() {
    let nodes = (0..<3).map { GraphDrawing.Node(id: $0, label: "n\($0)") }
    let ends = [(0, 1), (1, 2), (2, 0), (1, 1), (0, 99)]
    let drawing = GraphDrawing(nodes: nodes, edges: ends.map { .init(from: $0.0, to: $0.1) })
    #expect(isWellFormed(drawing.svg))
  }

  @Test func longChainsAndWideLayersAreDrawn() {
    let nodes = (0..<3000).map { GraphDrawing.Node(id: $0, label: "op", kind: .operation) }
    let chain = (1..<3000).map { GraphDrawing.Edge(from: $0 - 1, to: $0) }
    #expect(isWellFormed(GraphDrawing(nodes: nodes, edges: chain).svg))
    let shortcuts = chain + (0..<200).map { GraphDrawing.Edge(from: 0, to: 2999 - $0) }
    #expect(isWellFormed(GraphDrawing(nodes: nodes, edges: shortcuts).svg))
    #expect(isWellFormed(GraphDrawing(nodes: nodes, edges: []).svg))
  }

  @Test func textIsEscapedAndKindsAreNamed() {
    let drawing = GraphDrawing(
      title: "t",
      nodes: [
        .init(id: 1, label: "a<b", detail: "[2, 3]", kind: .input),
        .init(id: 2, label: "out", kind: .output),
      ], edges: [.init(from: 1, to: 2)])
    #expect(isWellFormed(drawing.svg))
    for text in ["a&lt;b", "[2, 3]", "input", "output"] {
      #expect(drawing.svg.contains(">\(text)<"))
    }
    #expect(GraphDrawing(nodes: [], edges: []).svg.contains(">no data<"))
  }
}
