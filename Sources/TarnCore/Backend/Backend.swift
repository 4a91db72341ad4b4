/// The numbers of one tensor on some device, contiguous in row-major order.
package protocol Storage: AnyObject, Sendable {
  var byteCount: Int { get }
  /// Copies everything to the host.
  func read(into bytes: UnsafeMutableRawBufferPointer)
}

/// What a device must offer. Nothing else crosses this seam.
package protocol Backend: AnyObject, Sendable {
  var name: String { get }
  /// Copies host bytes to the device.
  func upload(_ bytes: UnsafeRawBufferPointer) -> any Storage
  /// Readies a recorded computation for running many times.
  func compile(_ graph: Graph) -> any Executable
  /// Whether it has its own implementation of a call for arguments of these shapes and types. Their operations and
  /// inputs do not matter.
  func claims(_ call: Call, _ arguments: [Graph.Vertex]) -> Bool
}

extension Backend {
  package func claims(_ call: Call, _ arguments: [Graph.Vertex]) -> Bool { false }
}

/// A computation made ready by a backend.
package protocol Executable: AnyObject, Sendable {
  /// Runs it. `inputs` are the storages of the graph's leaves by slot, `scalars` its numbers;
  /// gives the outputs in the graph's order.
  /// Called by one thread at a time.
  func run(_ inputs: [any Storage], scalars: [Scalar]) throws -> [any Storage]
}

/// The backends this program has.
package enum Backends {
  private static let registered = Lock<[(any Backend)?]>([nil, ReferenceBackend()])

  /// Makes `backend` the one for `device`.
  package static func register(_ backend: any Backend, for device: Device) {
    registered.withLock { $0[device.index] = backend }
  }

  package static var preferred: Device { registered.withLock { $0[0] != nil } ? .cpu : .reference }

  package static func of(_ device: Device) -> any Backend {
    guard let backend = registered.withLock({ $0[device.index] }) else {
      fatalError("device \(device): no backend for it is linked into this program")
    }
    return backend
  }
}
