import CTarnKernels
import Foundation
import TarnCore

/// body(0), …, body(count − 1), worked out by several threads, in order.
///
/// - Parameter threads: at most so many at once; by default as many as the engine uses.
package func parallelMap<Result: Sendable>(
  _ count: Int, threads: Int? = nil, _ body: @Sendable (Int) -> Result
) -> [Result] {
  let lanes = min(count, max(1, threads ?? Int(tarn_threads())))
  guard lanes > 1 else { return (0..<count).map(body) }
  let next = Lock(0)
  let results = Lock([(Int, Result)]())
  DispatchQueue.concurrentPerform(iterations: lanes) { _ in
    var mine: [(Int, Result)] = []
    while true {
      let index = next.withLock { next in
        defer { next += 1 }
        return next
      }
      guard index < count else { break }
      mine.append((index, body(index)))
    }
    let found = mine
    results.withLock { $0 += found }
  }
  return results.withLock { $0 }.sorted { $0.0 < $1.0 }.map(\.1)
}
