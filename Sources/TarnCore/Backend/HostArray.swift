/// A tensor's elements as plain Swift numbers, in row-major order: what the reference rules compute with.
///
/// Floating types are held as `Double` rounded to the type; integers and booleans as `Int64`, wrapped to the type.
package struct HostArray: Sendable, Equatable {
  package let shape: [Int]
  package let dtype: DType
  package var values: Values

  package enum Values: Sendable, Equatable {
    case reals([Double])
    case integers([Int64])
  }

  package var count: Int { shape.product }

  package init(shape: [Int], dtype: DType, reals: [Double]) {
    (self.shape, self.dtype) = (shape, dtype)
    values = .reals(reals.map { Self.round($0, to: dtype) })
  }

  package init(shape: [Int], dtype: DType, integers: [Int64]) {
    (self.shape, self.dtype) = (shape, dtype)
    values = .integers(integers.map { Self.wrap($0, to: dtype) })
  }

  /// From numbers of either kind, converted as `cast` does.
  package init(shape: [Int], dtype: DType, scalars: [Scalar]) {
    if dtype.isFloating {
      self.init(shape: shape, dtype: dtype, reals: scalars.map(\.double))
    } else if dtype == .bool {
      self.init(shape: shape, dtype: dtype, integers: scalars.map { $0.double == 0 ? 0 : 1 })
    } else {
      self.init(shape: shape, dtype: dtype, integers: scalars.map(\.int64))
    }
  }

  /// Elements as `Double`, whatever the type.
  package var reals: [Double] {
    switch values {
    case .reals(let reals): reals
    case .integers(let integers): integers.map(Double.init)
    }
  }

  /// Elements as `Int64`; floating ones truncated.
  package var integers: [Int64] {
    switch values {
    case .reals(let reals): reals.map { Scalar.real($0).int64 }
    case .integers(let integers): integers
    }
  }

  /// The elements at these places, under a new shape.
  package func gathering(_ places: [Int], shape: [Int]) -> HostArray {
    switch values {
    case .reals(let reals): HostArray(shape: shape, dtype: dtype, reals: places.map { reals[$0] })
    case .integers(let all): HostArray(shape: shape, dtype: dtype, integers: places.map { all[$0] })
    }
  }

  /// The elements at these places, zero where there is none.
  package func gathering(_ places: [Int?], shape: [Int]) -> HostArray {
    switch values {
    case .reals(let reals):
      HostArray(shape: shape, dtype: dtype, reals: places.map { $0.map { reals[$0] } ?? 0 })
    case .integers(let all):
      HostArray(shape: shape, dtype: dtype, integers: places.map { $0.map { all[$0] } ?? 0 })
    }
  }

  static func round(_ value: Double, to dtype: DType) -> Double {
    switch dtype {
    case .float32: Double(Float(value))
    case .float16: Double(Float16(value))
    case .bfloat16: Double(Float(BFloat16(Float(value))))
    default: value
    }
  }

  static func wrap(_ value: Int64, to dtype: DType) -> Int64 {
    switch dtype {
    case .bool: value == 0 ? 0 : 1
    case .uint8: Int64(UInt8(truncatingIfNeeded: value))
    case .int8: Int64(Int8(truncatingIfNeeded: value))
    case .int32: Int64(Int32(truncatingIfNeeded: value))
    default: value
    }
  }
}

extension HostArray {
  /// From the bytes of a tensor in row-major order, native byte order.
  package init(shape: [Int], dtype: DType, bytes: UnsafeRawBufferPointer) {
    func load<T: BitwiseCopyable>(_: T.Type) -> [T] {
      (0..<shape.product).map {
        bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self)
      }
    }
    (self.shape, self.dtype) = (shape, dtype)
    switch dtype {
    case .bool: values = .integers(load(UInt8.self).map { $0 == 0 ? 0 : 1 })
    case .uint8: values = .integers(load(UInt8.self).map(Int64.init))
    case .int8: values = .integers(load(Int8.self).map(Int64.init))
    case .int32: values = .integers(load(Int32.self).map(Int64.init))
    case .int64: values = .integers(load(Int64.self))
    case .float16: values = .reals(load(Float16.self).map(Double.init))
    case .bfloat16: values = .reals(load(BFloat16.self).map { Double(Float($0)) })
    case .float32: values = .reals(load(Float.self).map(Double.init))
    case .float64: values = .reals(load(Double.self))
    }
  }

  /// Writes the elements as the bytes of a tensor.
  package func write(to bytes: UnsafeMutableRawBufferPointer) {
    func store<T: BitwiseCopyable>(_ elements: [T]) {
      elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
    switch dtype {
    case .bool, .uint8: store(integers.map { UInt8(truncatingIfNeeded: $0) })
    case .int8: store(integers.map { Int8(truncatingIfNeeded: $0) })
    case .int32: store(integers.map { Int32(truncatingIfNeeded: $0) })
    case .int64: store(integers)
    case .float16: store(reals.map { Float16($0) })
    case .bfloat16: store(reals.map { BFloat16(Float($0)) })
    case .float32: store(reals.map { Float($0) })
    case .float64: store(reals)
    }
  }
}
