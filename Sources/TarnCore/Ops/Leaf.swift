extension Rule {
  private static let alone: Batch = { _, x, _, size, _, _ in Batching.repeated(x[0], size) }

  /// Leaves with a value have no inputs to differentiate or to batch.
  static let leaf = Rule.constant(batch: alone, reference: { _, x, _, _ in x[0] })

  static let full = Rule.constant(
    batch: alone,
    reference: { op, _, shape, dtype in
      guard case .full(let value) = op else {
        return HostArray(shape: shape, dtype: dtype, scalars: [])
      }
      return HostArray(
        shape: shape, dtype: dtype, scalars: Array(repeating: value, count: shape.product))
    })

  static let iota = Rule.constant(
    batch: alone,
    reference: { op, _, shape, dtype in
      guard case .iota(let axis) = op else {
        return HostArray(shape: shape, dtype: dtype, scalars: [])
      }
      var scalars: [Scalar] = []
      shape.forEachIndex { scalars.append(.integer(Int64($0[axis]))) }
      return HostArray(shape: shape, dtype: dtype, scalars: scalars)
    })
}
