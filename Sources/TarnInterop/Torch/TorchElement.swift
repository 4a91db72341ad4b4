import TarnCore
import TarnData

/// The element types of PyTorch. Those without a tensor type here are known by name, so that a refusal can say it.
enum TorchElement: String, Sendable, CaseIterable {
  case float32, float64, float16, bfloat16
  case uint8, int8, int16, int32, int64, bool
  case uint16, uint32, uint64
  case complex32, complex64, complex128
  case qint8, quint8, qint32, quint4x2, quint2x4
  case float8_e4m3fn, float8_e5m2, float8_e4m3fnuz, float8_e5m2fnuz, float8_e8m0fnu

  private static let synonyms: [String: TorchElement] = [
    "float": .float32, "double": .float64, "half": .float16, "short": .int16, "int": .int32,
    "long": .int64, "cfloat": .complex64, "cdouble": .complex128, "chalf": .complex32,
  ]

  private static let storages: [String: TorchElement] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "ByteStorage": .uint8, "CharStorage": .int8,
    "ShortStorage": .int16, "IntStorage": .int32, "LongStorage": .int64, "BoolStorage": .bool,
    "ComplexFloatStorage": .complex64, "ComplexDoubleStorage": .complex128,
    "QInt8Storage": .qint8, "QUInt8Storage": .quint8, "QInt32Storage": .qint32,
    "QUInt4x2Storage": .quint4x2, "QUInt2x4Storage": .quint2x4,
  ]

  /// From its name in the module `torch`, such as `float32` or `long`.
  init?(name: String) {
    guard let element = TorchElement(rawValue: name) ?? Self.synonyms[name] else { return nil }
    self = element
  }

  /// From the name of a storage class, such as `FloatStorage`.
  init?(storageClass: String) {
    guard let element = Self.storages[storageClass] else { return nil }
    self = element
  }

  /// The storage class that tensors of this type are written with.
  static func storageClass(of dtype: DType) -> String {
    switch dtype {
    case .float32: "FloatStorage"
    case .float64: "DoubleStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .uint8: "ByteStorage"
    case .int8: "CharStorage"
    case .int32: "IntStorage"
    case .int64: "LongStorage"
    case .bool: "BoolStorage"
    }
  }

  /// Bytes of an element.
  var size: Int {
    switch self {
    case .uint8, .int8, .bool, .qint8, .quint8, .quint4x2, .quint2x4: 1
    case .float8_e4m3fn, .float8_e5m2, .float8_e4m3fnuz, .float8_e5m2fnuz, .float8_e8m0fnu: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32, .qint32, .complex32: 4
    case .float64, .int64, .uint64, .complex64: 8
    case .complex128: 16
    }
  }

  /// How it is read, or nil where a tensor cannot hold it.
  func stored(isBigEndian: Bool) -> NPYElement? {
    let stored: NPYElement.Stored
    switch self {
    case .int16: stored = .int16
    case .uint16: stored = .uint16
    case .uint32: stored = .uint32
    default:
      guard let dtype = DType.allCases.first(where: { $0.name == rawValue }) else { return nil }
      stored = .same(dtype)
    }
    return NPYElement(stored, isBigEndian: isBigEndian)
  }

  /// What to do about a type that is not read.
  var refusalHint: String {
    switch self {
    case .complex32, .complex64, .complex128: "save torch.view_as_real(x)"
    case .uint64: "save x.to(torch.int64)"
    case .qint8, .quint8, .qint32, .quint4x2, .quint2x4: "save x.dequantize()"
    default: "save x.to(torch.bfloat16)"
    }
  }
}
