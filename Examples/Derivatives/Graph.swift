import Lesson
import Tarn

/// The operations that were recorded to compute a tensor, as a picture.
func drawing(of tensor: Tensor, title: String) -> GraphDrawing {
  let vertices = tensor.graphPicture().vertices
  let nodes = vertices.enumerated().map { id, vertex in
    GraphDrawing.Node(
      id: id, label: vertex.label, detail: vertex.detail,
      kind: vertex.isResult ? .output : vertex.isLeaf ? .input : .operation)
  }
  let edges = vertices.enumerated().flatMap { id, vertex in
    vertex.inputs.map { GraphDrawing.Edge(from: $0, to: id) }
  }
  return GraphDrawing(title: title, nodes: nodes, edges: edges)
}
