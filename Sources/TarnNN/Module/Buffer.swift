import TarnCore

/// A tensor that belongs to a module and is saved with it but not trained, as a running mean.
///
/// ```swift
/// @Buffer public var runningMean: Tensor
/// ```
///
/// It never changes in place. During training a layer reports what it should become with
/// ``update(_:)``; ``withUpdates(_:_:)`` gathers the reports and ``Module/applying(_:)`` makes the new model.
@propertyWrapper
public struct Buffer: Sendable, Codable {
  /// The value.
  public var wrappedValue: Tensor

  /// A buffer that starts as `wrappedValue`.
  public init(wrappedValue: Tensor) { self.wrappedValue = wrappedValue }
  /// A buffer that starts as `value`.
  public init(_ value: Tensor) { wrappedValue = value }

  /// The wrapper itself, to report updates to: `$runningMean.update { … }`.
  public var projectedValue: Buffer { self }

  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
  public init(from decoder: any Decoder) throws { wrappedValue = try Tensor(from: decoder) }

  /// Reports that this should become `new(its latest value)`. Outside ``withUpdates(_:_:)`` it does nothing.
  public func update(_ new: (Tensor) -> Tensor) {
    UpdateCollector.current?.update(wrappedValue, new)
  }
}
