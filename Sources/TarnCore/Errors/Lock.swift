import Synchronization

/// A value behind a mutex, held by reference so that it can be stored in a class that must be `Sendable`.
package final class Lock<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>
  package init(_ value: Value) { mutex = Mutex(value) }
  package func withLock<Result: Sendable>(_ body: (inout sending Value) throws -> Result) rethrows
    -> Result
  {
    try mutex.withLock { try body(&$0) }
  }
}
