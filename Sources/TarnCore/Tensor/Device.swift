/// Where a tensor's numbers live and are worked on.
public struct Device: Hashable, Sendable, CustomStringConvertible {
  /// As it is printed.
  public let name: String
  package let index: Int

  /// The CPU engine, if the program links it.
  public static let cpu = Device(name: "cpu", index: 0)
  /// Plain Swift, slow and obvious: the judge of the others.
  public static let reference = Device(name: "reference", index: 1)

  public var description: String { name }
  public static func == (a: Device, b: Device) -> Bool { a.index == b.index }
  public func hash(into hasher: inout Hasher) { hasher.combine(index) }

  @TaskLocal private static var chosen: Device?

  /// Where new tensors go: the one chosen by ``with(_:_:)``, else the CPU engine if linked, else the reference.
  public static var current: Device { chosen ?? Backends.preferred }

  /// New tensors made in `body` live on `device`.
  public static func with<Result>(_ device: Device, _ body: () throws -> Result) rethrows -> Result
  {
    try $chosen.withValue(device) { try body() }
  }
}
