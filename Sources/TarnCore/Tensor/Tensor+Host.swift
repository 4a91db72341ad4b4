extension Tensor {
  /// The elements in row-major order, converted as ``cast(to:)`` does: `x.array(of: Float.self)`.
  ///
  /// Computes the tensor if it has no value yet. A plain copy when the types agree.
  public func array<T: TensorScalar>(of type: T.Type) -> [T] {
    let source = cast(to: T.dtype)
    let count = source.count
    guard count > 0 else { return [] }
    let storage = source.realised()
    return [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      storage.read(into: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }

  /// The elements as raw bytes, row-major, native byte order.
  public func bytes() -> [UInt8] {
    let count = self.count * dtype.byteCount
    guard count > 0 else { return [] }
    let storage = realised()
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      storage.read(into: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }

  /// The elements as plain Swift numbers.
  package func hostArray() -> HostArray {
    bytes().withUnsafeBytes { HostArray(shape: shape, dtype: dtype, bytes: $0) }
  }

  /// The one element as a `Double`. The tensor must have exactly one.
  public func item() -> Double { item(as: Double.self) }

  /// The one element as a Swift number: `labels.argMax().item(as: Int.self)`.
  public func item<T: TensorScalar>(as type: T.Type) -> T {
    if count == 1 { return array(of: T.self)[0] }
    return rejected(
      "item", "there are \(count) elements, not one",
      hint: "use .array(of: \(T.self).self), or reduce first with .mean() or .sum()", as: [1],
      T.dtype
    ).array(of: T.self)[0]
  }

  /// The same numbers as another type: towards zero from floating to integer, `!= 0` to bool.
  public func cast(to dtype: DType) -> Tensor {
    if dtype == self.dtype { return self }
    if case .full(let value) = node.op { return filled(value, dtype: dtype) }
    return .record(.cast, self, shape, dtype)
  }

  /// Whether |a − b| ≤ absolute + relative · |b| for every element; equal infinities agree, NaN never does.
  public func isClose(
    to other: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8
  ) -> Bool {
    guard shape.broadcast(with: other.shape) != nil else {
      Diagnostic.report(.broadcast("isClose", shape, other.shape))
      return false
    }
    let (a, b) = (cast(to: .float64), other.cast(to: .float64))
    let near = (a - b).abs() .<= b.abs() * relative + absolute
    let close = (near .& a.isFinite() .& b.isFinite()) .| (a .== b)
    return close.all().item(as: Bool.self)
  }
}
