/// Products with one-hot rows: rows of the other matrix are taken instead, and sums of rows scattered.
///
/// A row of an index out of range is zeros, so it takes a row of zeros put after the others. What multiplies the zeros of a
/// one-hot row is not looked at, even if it is no number.
extension Simplifier {
  /// The indices [m] of a vertex [1, m, k] made by `oneHot`, with those out of range as k.
  private mutating func indices(ofOneHot index: Int) -> Int? {
    var source = vertices[index]
    guard source.shape.count == 3, source.shape[0] == 1, let classes = source.shape.last else {
      return nil
    }
    let count = source.shape[1]
    if case .reshape = source.op { source = vertices[source.inputs[0]] }
    guard case .cast = source.op, source.shape.last == classes else { return nil }
    let equality = vertices[source.inputs[0]]
    guard case .compare(.equal) = equality.op else { return nil }
    let (left, right) = (vertices[equality.inputs[0]], vertices[equality.inputs[1]])
    guard case .broadcast = left.op, case .iota(let axis) = right.op,
      axis == right.shape.count - 1, left.dtype == .int64
    else { return nil }
    let labels = left.inputs[0]
    guard vertices[labels].shape.product == count else { return nil }
    func vertex(_ op: Op, _ inputs: [Int], _ dtype: DType) -> Graph.Vertex {
      Graph.Vertex(op, inputs, shape: [count], dtype: dtype)
    }
    let flat = emit(vertex(.reshape, [labels], .int64))
    let zero = emit(vertex(.full(.integer(0)), [], .int64))
    let end = emit(vertex(.full(.integer(Int64(classes))), [], .int64))
    let low = emit(vertex(.compare(.lessEqual), [zero, flat], .bool))
    let high = emit(vertex(.compare(.less), [flat, end], .bool))
    let inside = emit(vertex(.binary(.and), [low, high], .bool))
    return emit(vertex(.select, [inside, flat, end], .int64))
  }

  /// What a product of one matrix with one-hot rows, or their transpose, is.
  mutating func oneHotProduct(_ vertex: Graph.Vertex) -> Int? {
    guard case .matmul(let transposeA, let transposeB) = vertex.op, vertex.shape[0] == 1 else {
      return nil
    }
    let (a, b) = (vertex.inputs[0], vertex.inputs[1])
    if !transposeA, let rows = indices(ofOneHot: a) {
      return taken(rows, from: b, isTransposed: transposeB, like: vertex)
    }
    if transposeA, let rows = indices(ofOneHot: a) {
      return scattered(b, isTransposed: transposeB, to: rows, vertex.shape[1], like: vertex)
    }
    if !transposeB, let rows = indices(ofOneHot: b) {
      let turned = scattered(a, isTransposed: !transposeA, to: rows, vertex.shape[2], like: vertex)
      return turned.map { matrix($0, isTransposed: true) }
    }
    return nil
  }

  /// Rows of [1, k, n], stored [1, n, k] if transposed.
  private mutating func taken(
    _ rows: Int, from table: Int, isTransposed: Bool, like vertex: Graph.Vertex
  ) -> Int? {
    let turned = matrix(table, isTransposed: isTransposed)
    let plain = vertices[turned].shape
    let source = emit(
      Graph.Vertex(.reshape, [turned], shape: [plain[1], plain[2]], dtype: vertex.dtype))
    let padded = emit(
      Graph.Vertex(
        .pad([Margin(0, 1), Margin()]), [source], shape: [plain[1] + 1, plain[2]],
        dtype: vertex.dtype))
    let taken = emit(
      Graph.Vertex(
        .take(axis: 0), [padded, rows], shape: [vertex.shape[1], plain[2]], dtype: vertex.dtype))
    return emit(Graph.Vertex(.reshape, [taken], shape: vertex.shape, dtype: vertex.dtype))
  }

  /// [1, classes, n]: the sums of those rows of [1, m, n], stored [1, n, m] if transposed, that have one index.
  private mutating func scattered(
    _ updates: Int, isTransposed: Bool, to rows: Int, _ classes: Int, like vertex: Graph.Vertex
  ) -> Int? {
    guard [.float32, .float64].contains(vertex.dtype) else { return nil }
    let plain = matrix(updates, isTransposed: isTransposed)
    let (m, n) = (vertices[plain].shape[1], vertices[plain].shape[2])
    let flat = emit(Graph.Vertex(.reshape, [plain], shape: [m, n], dtype: vertex.dtype))
    let sums = emit(
      Graph.Vertex(
        .scatterAdd(axis: 0), [flat, rows], shape: [classes + 1, n], dtype: vertex.dtype))
    let kept = emit(
      Graph.Vertex(
        .slice([Stride(0, classes), Stride(0, n)]), [sums], shape: [classes, n],
        dtype: vertex.dtype))
    return emit(Graph.Vertex(.reshape, [kept], shape: [1, classes, n], dtype: vertex.dtype))
  }

  /// A matrix [1, m, n] the other way round if it is transposed.
  private mutating func matrix(_ index: Int, isTransposed: Bool) -> Int {
    guard isTransposed else { return index }
    let shape = vertices[index].shape
    return emit(
      Graph.Vertex(
        .permute([0, 2, 1]), [index], shape: [shape[0], shape[2], shape[1]],
        dtype: vertices[index].dtype))
  }
}
