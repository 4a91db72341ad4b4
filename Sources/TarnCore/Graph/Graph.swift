/// A recorded computation as data: what backends make ready and caches keep.
package struct Graph: Sendable {
  package struct Vertex: Hashable, Sendable {
    /// `.constant` is leaf number `slot`; `.full` is number `slot` of the scalars, or its own value if `slot` is -1.
    package var op: Op
    package var inputs: [Int]
    package var shape: [Int]
    package var dtype: DType
    package var slot: Int
    /// Not part of what makes two vertices equal.
    package var layer = LayerLabel()

    package init(_ op: Op, _ inputs: [Int] = [], shape: [Int], dtype: DType, slot: Int = -1) {
      (self.op, self.inputs, self.shape, self.dtype, self.slot) = (op, inputs, shape, dtype, slot)
    }
  }

  /// Inputs stand before their users.
  package var vertices: [Vertex]
  package var outputs: [Int]
  /// Numbers that a run is given.
  package var scalarCount: Int

  package init(vertices: [Vertex], outputs: [Int], scalarCount: Int) {
    (self.vertices, self.outputs, self.scalarCount) = (vertices, outputs, scalarCount)
  }

  /// Vertices that `outputs` depend on.
  package var live: [Bool] {
    var live = [Bool](repeating: false, count: vertices.count)
    for output in outputs { live[output] = true }
    for index in vertices.indices.reversed() where live[index] {
      for input in vertices[index].inputs { live[input] = true }
    }
    return live
  }
}
