import Foundation

/// One measured workload.
struct Measurement: Codable {
  let workload: String
  let medianMilliseconds: Double
  let minimumMilliseconds: Double
  let samples: Int
}

/// Runs `body` until it is warm (0.3 s), then for at least a second and five samples.
func measure(_ workload: String, _ body: () -> Void) -> Measurement {
  let clock = ContinuousClock()
  func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
  }
  let warm = clock.now
  repeat { body() } while clock.now - warm < .milliseconds(300)
  var samples: [Double] = []
  let start = clock.now
  repeat {
    samples.append(milliseconds(clock.measure(body)))
  } while clock.now - start < .seconds(1)
    || samples.count < 5
  samples.sort()
  return Measurement(
    workload: workload, medianMilliseconds: samples[samples.count / 2],
    minimumMilliseconds: samples[0],
    samples: samples.count)
}

/// Prints results as a table, or as JSON lines.
func report(_ measurements: [Measurement], json: Bool) throws {
  for measurement in measurements {
    if json {
      print(String(decoding: try JSONEncoder().encode(measurement), as: UTF8.self))
    } else {
      let name = measurement.workload.padding(toLength: 34, withPad: " ", startingAt: 0)
      print(
        name,
        String(
          format: "%10.3f ms   least %10.3f ms   %d samples", measurement.medianMilliseconds,
          measurement.minimumMilliseconds, measurement.samples))
    }
  }
}
