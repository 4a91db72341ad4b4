/// A Swift number that can stand beside a tensor, as the 2 in `x * 2`.
public protocol ScalarConvertible: Sendable {
  var scalar: Scalar { get }
}

extension Int: ScalarConvertible { public var scalar: Scalar { .integer(Int64(self)) } }
extension Int32: ScalarConvertible { public var scalar: Scalar { .integer(Int64(self)) } }
extension Int64: ScalarConvertible { public var scalar: Scalar { .integer(self) } }
extension Float: ScalarConvertible { public var scalar: Scalar { .real(Double(self)) } }
extension Double: ScalarConvertible { public var scalar: Scalar { .real(self) } }
extension Scalar: ScalarConvertible { public var scalar: Scalar { self } }

extension Tensor {
  /// A scalar, shape `[]`: `Tensor(3.5)`, `Tensor(3)`; `float32` unless told otherwise.
  public init(_ value: some ScalarConvertible, dtype: DType = .float32) {
    self = .full([], value, dtype: dtype)
  }

  /// A vector, shape `[count]`, of the type of the elements: `Tensor([1, 2, 3] as [Float])`.
  public init<T: TensorScalar>(_ values: [T]) {
    self = values.withUnsafeBytes { .host($0, shape: [values.count], dtype: T.dtype) }
  }

  /// A matrix, shape `[rows, columns]`. Rows must have one length.
  public init<T: TensorScalar>(_ rows: [[T]]) {
    let columns = rows.first?.count ?? 0
    guard rows.allSatisfy({ $0.count == columns }) else {
      self = Self.ragged(rows.map(\.count), poison: [rows.count, columns], T.dtype)
      return
    }
    self.init(Array(rows.joined()), shape: [rows.count, columns])
  }

  /// A tensor of three axes, from nested arrays of equal lengths.
  public init<T: TensorScalar>(_ planes: [[[T]]]) {
    let rows = planes.first?.count ?? 0
    let columns = planes.first?.first?.count ?? 0
    let shape = [planes.count, rows, columns]
    guard planes.allSatisfy({ $0.count == rows }) else {
      self = Self.ragged(planes.map(\.count), poison: shape, T.dtype)
      return
    }
    let lines = planes.joined()
    guard lines.allSatisfy({ $0.count == columns }) else {
      self = Self.ragged(lines.map(\.count), poison: shape, T.dtype)
      return
    }
    self.init(Array(lines.joined()), shape: shape)
  }

  /// The values in row-major order under `shape`: `Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])`.
  public init<T: TensorScalar>(_ values: [T], shape: [Int]) {
    guard shape.checkedProduct == values.count else {
      self = Diagnostic.report(
        Diagnostic(
          operation: "Tensor", reason: "\(values.count) values do not fill the shape",
          facts: ["shape \(shape)"], hint: Hint.reshape(values.count, to: shape)),
        poison: shape, T.dtype)
      return
    }
    self = values.withUnsafeBytes { .host($0, shape: shape, dtype: T.dtype) }
  }

  /// A copy of raw elements in row-major order and native byte order. A `bool` is any byte but 0.
  public init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) {
    let wanted = shape.checkedProduct.map { $0.multipliedReportingOverflow(by: dtype.byteCount) }
    guard let wanted, !wanted.overflow, wanted.partialValue == bytes.count else {
      self = Diagnostic.report(
        Diagnostic(
          operation: "Tensor(bytes:)", reason: "\(bytes.count) bytes do not fill the shape",
          facts: ["shape \(shape) of \(dtype), \(dtype.byteCount) bytes each"]),
        poison: shape, dtype)
      return
    }
    guard dtype == .bool else {
      self = .host(bytes, shape: shape, dtype: dtype)
      return
    }
    self.init(bytes.map { $0 != 0 }, shape: shape)
  }

  /// Host numbers on the current device.
  package init(_ array: HostArray) {
    let count = array.count * array.dtype.byteCount
    self = withUnsafeTemporaryAllocation(byteCount: Swift.max(count, 1), alignment: 16) { buffer in
      let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      array.write(to: bytes)
      return .host(UnsafeRawBufferPointer(bytes), shape: array.shape, dtype: array.dtype)
    }
  }

  /// Bytes known to be right, uploaded to `device`.
  package static func host(
    _ bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, device: Device = .current
  ) -> Tensor {
    let storage = Backends.of(device).upload(bytes)
    return Tensor(Node(storage: storage, shape: shape, dtype: dtype, device: device))
  }

  private static func ragged(_ lengths: [Int], poison: [Int], _ dtype: DType) -> Tensor {
    Diagnostic.report(
      Diagnostic(
        operation: "Tensor", reason: "nested arrays of different lengths",
        facts: ["lengths \(lengths)"]),
      poison: poison, dtype)
  }
}

extension Tensor {
  /// The same number everywhere: `Tensor.full([2, 3], 0.5)`.
  public static func full(
    _ shape: [Int], _ value: some ScalarConvertible, dtype: DType = .float32
  ) -> Tensor {
    full(shape, value.scalar, dtype: dtype, device: .current)
  }

  /// The same number everywhere, on a given device.
  package static func full(_ shape: [Int], _ value: Scalar, dtype: DType, device: Device) -> Tensor
  {
    guard shape.checkedProduct != nil else { return badShape(shape, dtype) }
    return Tensor(
      Node(
        .full(value.canonical(dtype)), nil, nil, shape: shape, dtype: dtype, device: device,
        trace: nil))
  }

  private static func badShape(_ shape: [Int], _ dtype: DType) -> Tensor {
    Diagnostic.report(
      Diagnostic(
        operation: "Tensor", reason: "no tensor has this shape", facts: ["shape \(shape)"],
        hint: "lengths are 0 or more, and their product fits 64 bits"),
      poison: [], dtype)
  }

  /// Zeros: `Tensor.zeros([2, 3])`.
  public static func zeros(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    full(shape, Scalar.integer(0), dtype: dtype)
  }

  /// Ones: `Tensor.ones([2, 3])`.
  public static func ones(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    full(shape, Scalar.integer(1), dtype: dtype)
  }

  /// Zeros of the shape, type and device of `other`.
  public static func zeros(like other: Tensor) -> Tensor { other.filled(.integer(0)) }

  /// Ones of the shape, type and device of `other`.
  public static func ones(like other: Tensor) -> Tensor { other.filled(.integer(1)) }

  /// `value` in this tensor's shape, on its device.
  package func filled(_ value: Scalar, dtype: DType? = nil) -> Tensor {
    let dtype = dtype ?? self.dtype
    return Tensor(
      Node(
        .full(value.canonical(dtype)), nil, nil, shape: shape, dtype: dtype, device: device,
        trace: nil))
  }

  /// The index along `axis`, in any shape.
  package static func iota(
    _ shape: [Int], axis: Int, dtype: DType = .int64, device: Device = .current
  ) -> Tensor {
    Tensor(
      Node(.iota(axis: axis), nil, nil, shape: shape, dtype: dtype, device: device, trace: nil))
  }
}

extension Tensor {
  /// 0, 1, … n − 1.
  public static func arange(_ n: Int, dtype: DType = .int64) -> Tensor {
    arange(from: 0, to: n, dtype: dtype)
  }

  /// `from`, `from + by`, … up to, not including, `to`: `Tensor.arange(from: 2, to: 8, by: 3)` is 2, 5.
  public static func arange(from: Int, to: Int, by step: Int = 1, dtype: DType = .int64) -> Tensor {
    let span =
      step > 0 ? to.subtractingReportingOverflow(from) : from.subtractingReportingOverflow(to)
    guard step != 0, step != .min, !span.overflow, dtype != .bool else {
      return badRange("\(from) to \(to) by \(step)", dtype)
    }
    let count = span.partialValue > 0 ? (span.partialValue - 1) / Swift.abs(step) + 1 : 0
    let index = iota([count], axis: 0, dtype: dtype.isFloating ? .float64 : dtype)
    return (index * step + from).cast(to: dtype)
  }

  /// `from`, `from + by`, … up to, not including, `to`; worked out in double precision.
  public static func arange(
    from: Double, to: Double, by step: Double = 1, dtype: DType = .float32
  ) -> Tensor {
    let count = ((to - from) / step).rounded(.up)
    guard count.isFinite, count < 0x1p48, dtype != .bool else {
      return badRange("\(from) to \(to) by \(step)", dtype)
    }
    let index = iota([Swift.max(0, Int(count))], axis: 0, dtype: .float64)
    return (index * step + from).cast(to: dtype)
  }

  private static func badRange(_ range: String, _ dtype: DType) -> Tensor {
    Diagnostic.report(
      Diagnostic(
        operation: "arange", reason: "no such range of \(dtype)", facts: [range],
        hint: "the step must not be 0, and the type must be a number's"),
      poison: [0], dtype)
  }

  /// `count` numbers at equal distances, both ends included: `linspace(from: 0, to: 1, count: 5)`.
  public static func linspace(
    from: Double, to: Double, count: Int, dtype: DType = .float32
  ) -> Tensor {
    guard count >= 0 else {
      return Diagnostic.report(
        Diagnostic(operation: "linspace", reason: "cannot give \(count) numbers"), poison: [0],
        dtype)
    }
    let values = (0..<count).map { i -> Double in
      if i == 0 { return from }
      if i == count - 1 { return to }
      return from + (to - from) * Double(i) / Double(count - 1)
    }
    return Tensor(HostArray(shape: [count], dtype: dtype, scalars: values.map(Scalar.real)))
  }

  /// Ones where row = column, zeros elsewhere, [n, m] or [n, n].
  public static func eye(_ n: Int, _ m: Int? = nil, dtype: DType = .float32) -> Tensor {
    let shape = [n, m ?? n]
    guard shape.checkedProduct != nil else { return badShape(shape, dtype) }
    return (iota(shape, axis: 0) .== iota(shape, axis: 1)).cast(to: dtype)
  }

  /// Class numbers [...] to rows of zeros with a one at the class, [..., classes].
  ///
  /// A number that is no class (negative or too large) gives a row of zeros.
  public func oneHot(_ classes: Int, dtype: DType = .float32) -> Tensor {
    guard self.dtype.isInteger, classes >= 0 else {
      return rejected(
        "oneHot", classes < 0 ? "cannot have \(classes) classes" : "labels must be integers",
        ["labels \(shape) of \(self.dtype)"], hint: Hint.labels(self.dtype),
        as: shape + [Swift.max(classes, 0)], dtype)
    }
    let index = Tensor.iota(shape + [classes], axis: rank, device: device)
    return (expandedDims(-1).cast(to: .int64) .== index).cast(to: dtype)
  }
}
