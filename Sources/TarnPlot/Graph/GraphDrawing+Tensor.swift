import TarnCore

extension GraphDrawing {
  /// The computation behind a tensor, as recorded: leaves at the top, the result at the bottom.
  ///
  /// A tensor that has its value already is a single leaf: draw it before it is evaluated.
  ///
  /// ```swift
  /// try GraphDrawing(of: loss(model(x), y)).write(to: "loss.svg")
  /// ```
  public init(of tensor: Tensor, title: String = "") {
    let picture = tensor.graphPicture()
    let nodes = picture.vertices.enumerated().map { index, vertex in
      let kind: Kind =
        if vertex.isResult { .output } else {
          switch vertex.role {
          case .data: .input
          case .variable: .parameter
          case .number: .constant
          case .operation: .operation
          }
        }
      return Node(id: index, label: vertex.label, detail: vertex.detail, kind: kind)
    }
    let edges = picture.vertices.enumerated().flatMap { index, vertex in
      vertex.inputs.map { Edge(from: $0, to: index) }
    }
    self.init(title: title, nodes: nodes, edges: edges)
  }
}
