import TarnCore
import TarnData
import TarnInterop

/// One use of an operator: what its implementation reads.
struct ONNXCall {
  let node: ONNXNode
  let values: [ONNXValue?]
  let run: ONNXRun
  let device: Device

  var opset: Int { node.opset }
  /// How many outputs somebody wants.
  var outputCount: Int { node.outputs.count }

  func error(_ reason: String) -> ONNXError { ONNXError(reason) }

  // MARK: Inputs

  func value(_ i: Int) -> ONNXValue? { i < values.count ? values[i] : nil }

  func tensor(_ i: Int) throws -> Tensor {
    guard let tensor = value(i)?.tensor(on: device) else {
      throw error("input \(i) is missing or no tensor")
    }
    return tensor
  }

  func optional(_ i: Int) -> Tensor? { value(i)?.tensor(on: device) }

  /// The second of two operands that broadcast. Before operator set 7 an attribute told which axis it began at.
  func second() throws -> Tensor {
    let b = try tensor(1)
    guard opset < 7, node.attributes["axis"] != nil else { return b }
    let rank = try tensor(0).rank
    let start = try axis(int("axis", 0), rank)
    try require(start + b.rank <= rank, "\(b.shape) does not fit from axis \(start) on")
    return b.reshaped(b.shape + [Int](repeating: 1, count: rank - start - b.rank))
  }

  /// All inputs, which are tensors.
  func tensors() throws -> [Tensor] { try values.indices.map(tensor) }

  func element(_ i: Int) -> ONNXElement? { value(i)?.element }

  func sequence(_ i: Int) throws -> [ONNXValue] {
    switch value(i) {
    case .sequence(let values)?: return values
    case .optional(.sequence(let values)?)?: return values
    default: throw error("input \(i) is missing or no sequence")
    }
  }

  /// The whole numbers in an input, which shape the computation; nil: it is left out.
  func hostInts(_ i: Int) throws -> [Int]? {
    guard let value = value(i) else { return nil }
    if case .fixed(let fixed) = value { return fixed.integers }
    guard let tensor = value.tensor(on: device) else { throw error("input \(i) is no tensor") }
    try run.checkReadable(tensor, input: i)
    return tensor.array(of: Int.self)
  }

  /// The numbers in an input, which shape the computation; nil: it is left out.
  func hostReals(_ i: Int) throws -> [Double]? {
    guard let value = value(i) else { return nil }
    if case .fixed(let fixed) = value { return fixed.host.array(of: Double.self) }
    guard let tensor = value.tensor(on: device) else { throw error("input \(i) is no tensor") }
    try run.checkReadable(tensor, input: i)
    return tensor.array(of: Double.self)
  }

  func hostInt(_ i: Int) throws -> Int? {
    guard let numbers = try hostInts(i) else { return nil }
    guard numbers.count == 1 else { throw error("input \(i) should be one number") }
    return numbers[0]
  }

  // MARK: Attributes

  func int(_ name: String, _ otherwise: Int) throws -> Int {
    switch node.attributes[name] {
    case nil: return otherwise
    case .int(let value)?: return value
    default: throw error("the attribute '\(name)' should be a whole number")
    }
  }

  func flag(_ name: String, _ otherwise: Bool) throws -> Bool {
    try int(name, otherwise ? 1 : 0) != 0
  }

  func float(_ name: String, _ otherwise: Double) throws -> Double {
    switch node.attributes[name] {
    case nil: return otherwise
    case .float(let value)?: return value
    default: throw error("the attribute '\(name)' should be a number")
    }
  }

  func string(_ name: String, _ otherwise: String) throws -> String {
    switch node.attributes[name] {
    case nil: return otherwise
    case .string(let value)?: return value
    default: throw error("the attribute '\(name)' should be a text")
    }
  }

  func ints(_ name: String) throws -> [Int]? {
    switch node.attributes[name] {
    case nil: return nil
    case .ints(let values)?: return values
    default: throw error("the attribute '\(name)' should be a list of whole numbers")
    }
  }

  /// A list of small whole numbers: sizes, strides, margins.
  func sizes(_ name: String) throws -> [Int]? {
    guard let values = try ints(name) else { return nil }
    guard values.allSatisfy({ (-(1 << 24)...1 << 24).contains($0) }) else {
      throw error("the attribute '\(name)' is absurd: \(values)")
    }
    return values
  }

  func floats(_ name: String) throws -> [Double]? {
    switch node.attributes[name] {
    case nil: return nil
    case .floats(let values)?: return values
    default: throw error("the attribute '\(name)' should be a list of numbers")
    }
  }

  func strings(_ name: String) throws -> [String]? {
    switch node.attributes[name] {
    case nil: return nil
    case .strings(let values)?: return values
    default: throw error("the attribute '\(name)' should be a list of texts")
    }
  }

  func tensorAttribute(_ name: String) throws -> Tensor? {
    switch node.attributes[name] {
    case nil: return nil
    case .tensor(let value)?: return value
    default: throw error("the attribute '\(name)' should be a tensor")
    }
  }

  func graph(_ name: String) throws -> ONNXGraph {
    guard case .graph(let graph)? = node.attributes[name] else {
      throw error("the attribute '\(name)' should be a graph")
    }
    return graph
  }

  /// An element type named by its number.
  func elementAttribute(_ name: String) throws -> ONNXElement? {
    guard let number = node.attributes[name] else { return nil }
    guard case .int(let value) = number, let raw = Int32(exactly: value),
      let element = ONNXElement(rawValue: raw)
    else { throw error("the attribute '\(name)' names no element type") }
    return element
  }

  /// The type of tensors that carry an element type.
  func carrier(_ element: ONNXElement) throws -> DType {
    guard let carrier = element.carrier else {
      throw error("tensors of type \(element) are not supported")
    }
    return carrier
  }

  // MARK: Checks

  /// An axis of `rank` axes, counted from the front.
  func axis(_ axis: Int, _ rank: Int) throws -> Int {
    let resolved = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(resolved) else {
      throw error("there is no axis \(axis) of \(rank)")
    }
    return resolved
  }

  func axes(_ axes: [Int], _ rank: Int) throws -> [Int] {
    let resolved = try axes.map { try axis($0, rank) }
    guard Set(resolved).count == axes.count else { throw error("an axis is named twice: \(axes)") }
    return resolved
  }

  /// The shape, if a tensor of it may be made.
  @discardableResult func checked(_ shape: [Int]) throws -> [Int] {
    try run.check(shape)
    return shape
  }

  /// Whether a table of so many entries may be made while recording.
  func checkTable(_ lengths: Int...) throws {
    try run.check(lengths)
    try require(
      lengths.reduce(1, *) <= 1 << 24, "it would need a table of \(lengths) entries")
  }

  func require(_ holds: Bool, _ reason: @autoclosure () -> String) throws {
    if !holds { throw error(reason()) }
  }

  /// The number everywhere in a shape, where the model runs.
  func full(_ shape: [Int], _ value: Double, _ dtype: DType) throws -> Tensor {
    .full(try checked(shape), .real(value), dtype: dtype, device: device)
  }

  /// A tensor of numbers made here.
  func constant(_ values: [Double], _ shape: [Int], _ dtype: DType) -> Tensor {
    Device.with(device) {
      Tensor(HostArray(shape: shape, dtype: dtype, scalars: values.map(Scalar.real)))
    }
  }

  func constant(_ values: [Int], _ shape: [Int]) -> Tensor {
    Device.with(device) { Tensor(values, shape: shape) }
  }
}

/// What an operator finds wrong; the node and the file are added on the way out.
struct ONNXError: Error {
  var reason: String
  init(_ reason: String) { self.reason = reason }
}
