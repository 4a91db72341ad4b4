import Foundation
import Testing

@Suite struct BenchTests {
  @Test func listsWorkloads() throws {
    let command = try Command()
    let list = try command.run("bench", "--list", "--only", "matmul-512,cold-start")
    #expect(list.code == 0)
    let names = list.out.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    #expect(names == ["matmul-512", "cold-start"])
  }

  @Test func refusesWhatItDoesNotKnow() throws {
    let command = try Command()
    let (process, out, err) = command.process(["bench", "--only", "matmul-511"])
    try process.run()
    process.waitUntilExit()
    let outcome = try command.outcome(process, out, err)
    #expect(outcome.code == 64)
    #expect(outcome.err.contains("'matmul-512'"))
  }

  @Test func measuresInAProcessOfItsOwnAndPrintsALine() throws {
    let result = try Command().run(
      "bench", "--only", "gemv-1x784x512", "--threads", "1", "--json")
    #expect(result.code == 0)
    let lines = result.out.split(separator: "\n")
    #expect(lines.count == 1)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any])
    #expect(object["workload"] as? String == "gemv-1x784x512")
    #expect(object["threads"] as? Int == 1)
    let median = try #require(object["median_ms"] as? Double)
    let least = try #require(object["min_ms"] as? Double)
    #expect(least > 0 && least <= median)
    #expect(try #require(object["peak_rss_mb"] as? Double) > 0)
  }
}
