import TarnCore

/// A tensor's rows, held on the host so that any of them can be gathered into a new tensor by
/// copying memory.
///
/// As a source, its samples are the rows, [...], and its batches tensors of rows, [n, ...].
public struct Rows: BatchSource {
  public typealias Sample = Tensor
  public typealias Batch = Tensor

  /// Shape of the whole, [count, ...].
  public let shape: [Int]
  /// Type of the elements as stored.
  public let storedDType: DType
  /// For rows of bytes: what a gathered byte is multiplied by to give a `float32`.
  public let scale: Float?
  private let bytes: [UInt8]

  /// Takes over the tensor's values.
  /// - Parameters:
  ///   - tensor: [count, ...].
  ///   - scale: for a `uint8` tensor, gives rows of `float32` with `byte * scale`: the set is kept
  ///     at a quarter of the size and widened only as it is gathered.
  public init(_ tensor: Tensor, scale: Float? = nil) {
    var shape = tensor.shape
    if shape.isEmpty {
      Diagnostic.report(
        Diagnostic(
          operation: "Rows", reason: "a scalar has no rows", hint: "give it an axis: reshaped(1)"))
      shape = [1]
    }
    self.init(bytes: tensor.bytes(), shape: shape, dtype: tensor.dtype, scale: scale)
  }

  /// From bytes in row-major order, as many as the shape and type ask for.
  package init(bytes: [UInt8], shape: [Int], dtype: DType, scale: Float? = nil) {
    (self.shape, storedDType, self.bytes) = (shape, dtype, bytes)
    if scale != nil && dtype != .uint8 {
      Diagnostic.report(
        Diagnostic(
          operation: "Rows(scale:)", reason: "only rows of uint8 are scaled as they are gathered",
          facts: ["rows \(shape) \(dtype)"], hint: "leave the scale out, and multiply the batch"))
    }
    self.scale = dtype == .uint8 ? scale : nil
  }

  public var count: Int { shape[0] }
  /// Shape of one row, [...].
  public var rowShape: [Int] { Array(shape.dropFirst()) }
  /// Type of the elements of gathered rows.
  public var dtype: DType { scale == nil ? storedDType : .float32 }
  /// All rows as one tensor, [count, ...].
  public var tensor: Tensor { gather(nil, shape: shape) }

  public func sample(at index: Int) throws -> Tensor {
    try checkIndex(index, count)
    return gather([index], shape: rowShape)
  }

  public func batch(at indices: [Int], epoch: Int = 0) throws -> Tensor {
    for index in indices { try checkIndex(index, count) }
    return gather(indices, shape: [indices.count] + rowShape)
  }

  /// The rows as numbers, [count] of them; nil where a row is more than one number.
  package var integers: [Int]? {
    rowShape.allSatisfy { $0 == 1 } && !storedDType.isFloating ? tensor.array(of: Int.self) : nil
  }

  private func gather(_ indices: [Int]?, shape: [Int]) -> Tensor {
    let elements = rowShape.reduce(1, *)
    guard let scale else {
      return copying(indices, rowSize: elements * storedDType.byteCount, shape: shape)
    }
    let table = (0..<256).map { Float($0) * scale }
    let values = [Float](unsafeUninitializedCapacity: shape.reduce(1, *)) { output, filled in
      forEachRow(indices, rowSize: elements) { row, place in
        for i in 0..<elements { output[place + i] = table[Int(row[i])] }
      }
      filled = output.count
    }
    return values.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: .float32) }
  }

  private func copying(_ indices: [Int]?, rowSize: Int, shape: [Int]) -> Tensor {
    guard indices != nil else {
      return bytes.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: storedDType) }
    }
    let room = (indices?.count ?? count) * rowSize
    let gathered = [UInt8](unsafeUninitializedCapacity: room) { output, filled in
      let output = UnsafeMutableRawBufferPointer(output)
      forEachRow(indices, rowSize: rowSize) { row, place in
        UnsafeMutableRawBufferPointer(rebasing: output[place..<(place + rowSize)])
          .copyMemory(from: UnsafeRawBufferPointer(row))
      }
      filled = room
    }
    return gathered.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: storedDType) }
  }

  /// Lends each row's bytes and the place where it goes.
  private func forEachRow(
    _ indices: [Int]?, rowSize: Int, _ body: (UnsafeBufferPointer<UInt8>, Int) -> Void
  ) {
    bytes.withUnsafeBufferPointer { all in
      for (place, index) in (indices ?? Array(0..<count)).enumerated() {
        let row = all[(index * rowSize)..<((index + 1) * rowSize)]
        body(UnsafeBufferPointer(rebasing: row), place * rowSize)
      }
    }
  }
}
