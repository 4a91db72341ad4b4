import TarnCore
import TarnInterop

/// What flows between the nodes of an ONNX graph.
enum ONNXValue: Sendable {
  /// A tensor, and its element type where that is not its own (``ONNXElement``).
  case tensor(Tensor, ONNXElement?)
  /// A tensor known while recording: a shape, an axis, a number of the file.
  case fixed(ONNXFixed)
  indirect case sequence([ONNXValue])
  indirect case optional(ONNXValue?)

  static func tensor(_ tensor: Tensor) -> ONNXValue { .tensor(tensor, nil) }

  /// A list of integers known while recording.
  static func fixed(_ integers: [Int]) -> ONNXValue {
    .fixed(ONNXFixed(Device.with(.reference) { Tensor(integers) }))
  }

  /// An integer known while recording.
  static func fixed(_ integer: Int) -> ONNXValue {
    .fixed(ONNXFixed(Device.with(.reference) { Tensor([integer], shape: []) }))
  }

  /// The tensor where the model runs.
  func tensor(on device: Device) -> Tensor? {
    switch self {
    case .tensor(let tensor, _): tensor
    case .fixed(let fixed): fixed.tensor(on: device)
    case .optional(let value?): value.tensor(on: device)
    case .sequence, .optional: nil
    }
  }

  var element: ONNXElement? {
    switch self {
    case .tensor(let tensor, let element): element ?? ONNXElement(tensor.dtype)
    case .fixed(let fixed): fixed.element ?? ONNXElement(fixed.host.dtype)
    case .optional(let value?): value.element
    case .sequence, .optional: nil
    }
  }

  /// The tensor with its element type.
  func typed(_ element: ONNXElement?) -> ONNXValue {
    guard case .tensor(let tensor, _) = self, let element, !element.isNative else { return self }
    return .tensor(tensor, element)
  }
}

/// A tensor whose numbers are known while recording. It lives on the reference device, where nodes that need no more than such
/// tensors are computed at once; the first node that mixes it with others takes it where the model runs.
final class ONNXFixed: Sendable {
  let host: Tensor
  let element: ONNXElement?
  private let moved = Lock<[Device: Tensor]>([:])

  init(_ host: Tensor, _ element: ONNXElement? = nil) {
    (self.host, self.element) = (host, element)
  }

  /// The tensor of the reference device for one that may live elsewhere.
  convenience init(copying tensor: Tensor, _ element: ONNXElement? = nil) {
    self.init(tensor.copied(to: .reference), element)
  }

  func tensor(on device: Device) -> Tensor {
    if device == host.device { return host }
    return moved.withLock { kept in
      if let tensor = kept[device] { return tensor }
      let tensor = host.copied(to: device)
      kept[device] = tensor
      return tensor
    }
  }

  var integers: [Int] { host.array(of: Int.self) }
}

extension Tensor {
  /// The same numbers on another device.
  func copied(to device: Device) -> Tensor {
    if device == self.device { return self }
    return bytes().withUnsafeBytes { .host($0, shape: shape, dtype: dtype, device: device) }
  }
}
