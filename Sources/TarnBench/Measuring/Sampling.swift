/// How calls are timed.
package struct Sampling: Sendable {
  /// Before anything counts: at least so long and two calls.
  package var warmUp = Duration.milliseconds(700)
  /// At least so long, and ``least`` samples.
  package var duration = Duration.seconds(3)
  package var least = 5
  package var most = 4000
  /// Shorter calls are timed in groups that take so long.
  package var shortest = Duration.microseconds(500)

  package init() {}

  /// Seconds a call, sample by sample.
  package func seconds(_ call: () -> Void) -> [Double] {
    let clock = ContinuousClock()
    var last = Duration.zero
    var calls = 0
    let warm = clock.now
    while calls < 2 || (clock.now - warm < warmUp && calls < 2000) {
      last = clock.measure(call)
      calls += 1
    }
    let group = max(1, Int(shortest / max(last, .nanoseconds(100))))
    var samples: [Double] = []
    let start = clock.now
    while samples.count < least || (clock.now - start < duration && samples.count < most) {
      let time = clock.measure { for _ in 0..<group { call() } }
      samples.append(time / .seconds(1) / Double(group))
    }
    return samples
  }
}
