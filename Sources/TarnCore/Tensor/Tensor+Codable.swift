/// A tensor as plain data: its type, its shape and its values in row-major order.
///
/// Meant for small tensors in text, e.g. with `JSONEncoder`; weights belong into safetensors files. Modules are
/// walked by coders of their own, which take tensors as they are and never come here.
///
/// ```swift
/// let text = try JSONEncoder().encode(Tensor([1, 2, 3] as [Float]))
/// // {"dtype":"float32","shape":[3],"values":[1,2,3]}
/// ```
extension Tensor: Codable {
  private enum CodingKeys: String, CodingKey { case dtype, shape, values }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(dtype.name, forKey: .dtype)
    try container.encode(shape, forKey: .shape)
    switch dtype {
    case .float64: try container.encode(array(of: Double.self), forKey: .values)
    case .float16, .bfloat16, .float32: try container.encode(array(of: Float.self), forKey: .values)
    default: try container.encode(array(of: Int64.self), forKey: .values)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let name = try container.decode(String.self, forKey: .dtype)
    guard let dtype = DType.allCases.first(where: { $0.name == name }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .dtype, in: container, debugDescription: "there is no element type \"\(name)\"")
    }
    let shape = try container.decode([Int].self, forKey: .shape)
    func checked<Value>(_ values: [Value]) throws -> [Value] {
      guard shape.checkedProduct == values.count else {
        throw DecodingError.dataCorruptedError(
          forKey: .values, in: container,
          debugDescription: "\(values.count) values do not fill the shape \(shape)")
      }
      return values
    }
    if dtype.isFloating {
      let values = try checked(container.decode([Double].self, forKey: .values))
      self = Tensor(values, shape: shape).cast(to: dtype)
    } else {
      let values = try checked(container.decode([Int64].self, forKey: .values))
      self = Tensor(values, shape: shape).cast(to: dtype)
    }
  }
}
