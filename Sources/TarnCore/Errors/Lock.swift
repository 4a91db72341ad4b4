import Synchronization

/// A value behind a mutex, held by reference so that it can be stored in a class that must be `Sendable`.
package final class Lock<Value: Sendable>: Sendable {
  @usableFromInline let mutex: Mutex<Value>
  // Inlined where it is used: generic code behind a call costs more than most of what is done under a lock.
  @inlinable package init(_ value: Value) { mutex = Mutex(value) }
  @inlinable package func withLock<Result: Sendable>(
    _ body: (inout sending Value) throws -> Result
  ) rethrows -> Result {
    try mutex.withLock { try body(&$0) }
  }
}
