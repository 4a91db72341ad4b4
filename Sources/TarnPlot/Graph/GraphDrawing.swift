/// A directed graph in layers from top to bottom: what a computation is made of.
///
/// ```swift
/// GraphDrawing(
///   nodes: [
///     .init(id: 0, label: "x", detail: "[32, 784]", kind: .input),
///     .init(id: 1, label: "relu", detail: "[32, 784]", kind: .operation),
///   ],
///   edges: [.init(from: 0, to: 1)])
/// ```
public struct GraphDrawing: Figure, Equatable {
  /// What a node is, which gives its colour.
  public enum Kind: String, Sendable, CaseIterable {
    case input, parameter, constant, operation, fused, output
  }

  public struct Node: Sendable, Equatable {
    public let id: Int
    /// The first line.
    public var label: String
    /// The second line, smaller, such as a shape; none when empty.
    public var detail: String
    public var kind: Kind

    public init(id: Int, label: String, detail: String = "", kind: Kind = .operation) {
      (self.id, self.label, self.detail, self.kind) = (id, label, detail, kind)
    }
  }

  public struct Edge: Sendable, Equatable, Hashable {
    public let from: Int
    public let to: Int

    public init(from: Int, to: Int) { (self.from, self.to) = (from, to) }
  }

  public var title: String
  public var nodes: [Node]
  public var edges: [Edge]

  /// Of several nodes with one `id` the first counts; edges from or to what is not there are left
  /// out.
  public init(title: String = "", nodes: [Node], edges: [Edge]) {
    (self.title, self.nodes, self.edges) = (title, nodes, edges)
  }

  private static let labelLimit = 220.0
  private static let layerGap = 34.0

  /// Label and detail as drawn, and the size of the box around them.
  private func face(_ node: Node) -> (label: String, detail: String, width: Double, height: Double)
  {
    let label = TextMeasure.fitted(node.label, to: Self.labelLimit)
    let detail = TextMeasure.fitted(node.detail, to: Self.labelLimit, size: 10)
    let wide = max(TextMeasure.width(label), TextMeasure.width(detail, size: 10))
    return (label, detail, max(wide + 20, 44), detail.isEmpty ? 26 : 38)
  }

  public func drawing() -> Drawing {
    var places: [Int: Int] = [:]
    var unique: [Node] = []
    for node in nodes where places[node.id] == nil {
      places[node.id] = unique.count
      unique.append(node)
    }
    let links = edges.compactMap { edge in
      places[edge.from].flatMap { from in places[edge.to].map { (from: from, to: $0) } }
    }
    let faces = unique.map(face)
    let layout = GraphLayout(widths: faces.map(\.width), edges: links)
    let kinds = Kind.allCases.filter { kind in unique.contains { $0.kind == kind } }
    let entries = kinds.map {
      Legend.Entry(name: $0.rawValue, colour: $0.colours.fill, sign: .area(opacity: 1))
    }
    let width = max(layout.width + 24, 240)
    let heading = Heading(title: title, subtitle: "", width: width)
    let legend = Legend(entries: kinds.count > 1 ? entries : [], width: width - 24)
    let top = heading.height + legend.height + 12

    var tops: [Double] = []
    var heights: [Double] = []
    var y = top
    for layer in layout.layers {
      let tall = layer.compactMap { $0 < faces.count ? faces[$0].height : nil }.max() ?? 26
      tops.append(y)
      heights.append(tall)
      y += tall + Self.layerGap
    }
    let height = unique.isEmpty ? 160 : y - Self.layerGap + 14
    let left = (width - layout.width) / 2
    var markup = Markup()
    heading.draw(&markup)
    legend.draw(&markup, at: Point(x: 12, y: heading.height + 4))
    if unique.isEmpty {
      markup.label(
        "no data", at: Point(x: width / 2, y: 96), anchor: .middle, size: 14, kind: "soft")
    }
    func centre(_ vertex: Int) -> Point {
      let layer = layout.layer[vertex]
      return Point(x: left + layout.x[vertex], y: tops[layer] + heights[layer] / 2)
    }
    func half(_ vertex: Int) -> Double { vertex < faces.count ? faces[vertex].height / 2 : 0 }
    drawEdges(&markup, layout.routes, centre: centre, half: half)
    for (index, node) in unique.enumerated() {
      draw(&markup, node, faces[index], at: centre(index))
    }
    let label = title.isEmpty ? "graph of \(unique.count) nodes" : title
    return Drawing(width: width, height: height, label: label, body: markup.text)
  }

  /// Smooth curves from the lower side of one box to the upper side of the next, with arrow heads.
  private func drawEdges(
    _ markup: inout Markup, _ routes: [[Int]], centre: (Int) -> Point, half: (Int) -> Double
  ) {
    var (lines, heads) = ("", "")
    for route in routes {
      guard let first = route.first, let last = route.last else { continue }
      var points = route.map(centre)
      let isDown = points[points.count - 1].y >= points[0].y
      points[0].y += isDown ? half(first) : -half(first)
      let head = isDown ? 7.0 : -7.0
      points[points.count - 1].y -= isDown ? half(last) : -half(last)
      let tip = points[points.count - 1]
      points[points.count - 1].y -= head
      lines += "M\(pixels(points[0].x)) \(pixels(points[0].y))"
      for (a, b) in zip(points, points.dropFirst()) {
        let middle = pixels((a.y + b.y) / 2)
        lines += "C\(pixels(a.x)) \(middle) \(pixels(b.x)) \(middle) \(pixels(b.x)) \(pixels(b.y))"
      }
      heads += "M\(pixels(tip.x)) \(pixels(tip.y))l-3.5 \(pixels(-head))h7z"
    }
    markup.path(lines, style: Ink.lineStyle + " stroke-width=\"1.2\"")
    markup.path(heads, style: "class=\"head\" fill=\"\(Ink.line.hex)\"")
  }

  private func draw(
    _ markup: inout Markup, _ node: Node,
    _ face: (label: String, detail: String, width: Double, height: Double), at centre: Point
  ) {
    let colours = node.kind.colours
    let box = Box(
      x: centre.x - face.width / 2, y: centre.y - face.height / 2, width: face.width,
      height: face.height)
    let corner = node.kind == .operation || node.kind == .fused ? 5 : 13
    markup.rectangle(
      box, fill: colours.fill, more: " rx=\"\(corner)\" stroke=\"\(colours.edge.hex)\"")
    let ink = colours.fill.readableInk
    let first = face.detail.isEmpty ? centre.y + 4 : centre.y - 2
    markup.label(face.label, at: Point(x: centre.x, y: first), anchor: .middle, fill: ink)
    markup.label(
      face.detail, at: Point(x: centre.x, y: centre.y + 12), anchor: .middle, size: 10, fill: ink)
  }
}

extension GraphDrawing.Kind {
  fileprivate var colours: (fill: RGB, edge: RGB) {
    let base: RGB =
      switch self {
      case .input: Palette.colours[5]
      case .parameter: Palette.colours[2]
      case .constant: Palette.colours[9]
      case .operation: Palette.colours[0]
      case .fused: Palette.colours[4]
      case .output: Palette.colours[1]
      }
    return (base.mixed(with: Ink.paper, self == .operation ? 0.85 : 0.65), base)
  }
}
