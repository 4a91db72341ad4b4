import TarnBench
import Testing

@Suite struct SamplingTests {
  @Test func warmsUpAndTakesTheLeastNumberOfSamples() {
    var sampling = Sampling()
    (sampling.warmUp, sampling.duration, sampling.shortest) = (.zero, .zero, .zero)
    var calls = 0
    let samples = sampling.seconds { calls += 1 }
    #expect(samples.count == 5)
    #expect(calls == 2 + 5)
    #expect(samples.allSatisfy { $0 >= 0 })
  }

  @Test func stopsAtTheLargestNumberOfSamples() {
    var sampling = Sampling()
    (sampling.warmUp, sampling.shortest, sampling.most) = (.zero, .zero, 40)
    #expect(sampling.seconds {}.count == 40)
  }

  @Test func groupsShortCalls() {
    var sampling = Sampling()
    (sampling.warmUp, sampling.duration) = (.zero, .zero)
    sampling.shortest = .milliseconds(1)
    var calls = 0
    #expect(sampling.seconds { calls += 1 }.count == 5)
    #expect(calls > 5 * 2)
  }
}
