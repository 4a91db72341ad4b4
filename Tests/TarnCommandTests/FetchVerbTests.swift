import Foundation
import Tarn
import Testing
import _TarnTestKit

/// `data get` and `weights get` from a server on this machine.
@Suite struct FetchVerbTests {
  private func run(
    _ contents: [UInt8], _ behaviours: [LocalServer.Behaviour] = [.init()], _ arguments: String...
  ) throws -> (outcome: Command.Outcome, ranges: [String], command: Command) {
    let server = try LocalServer(contents, behaviours)
    defer { server.stop() }
    let command = try Command()
    let (process, out, err) = command.process(
      arguments,
      environment: ["TARN_MIRROR": server.url(""), "TARN_CACHE": command.file("cache").path])
    try process.run()
    process.waitUntilExit()
    return (try command.outcome(process, out, err), server.ranges, command)
  }

  @Test func `a wrong file is thrown away and named`() throws {
    let (outcome, _, command) = try run(
      [UInt8](repeating: 7, count: 228_145), [.init()], "data", "get", "names")
    #expect(outcome.code == 65)
    #expect(outcome.err.contains("what came is not what was published: its SHA-256 is"))
    #expect(!command.exists("cache/data/names/names.txt"))
  }

  @Test func `an unknown set is refused`() throws {
    let (outcome, _, _) = try run([], [.init()], "data", "get", "imagenet")
    #expect(outcome.code == 66)
    #expect(outcome.err.contains("imagenet: is no data set that this program knows"))
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["TARN_DATA"] != nil, "needs TARN_DATA"))
  func `a set comes over a connection that breaks`() throws {
    let data = URL(fileURLWithPath: ProcessInfo.processInfo.environment["TARN_DATA"] ?? "")
    let contents = Array(
      try Data(contentsOf: data.appendingPathComponent("text/names/ssa_names_2018_32k.txt")))
    let (outcome, ranges, command) = try run(
      contents, [.init(cutAfter: 100_000), .init()], "data", "get", "names", "--json")
    #expect(outcome.code == 0)
    #expect(ranges == ["", "bytes=100000-"])
    #expect(try command.bytes("cache/data/names/names.txt") == Data(contents))
    let sets = try #require(try outcome.json()["sets"] as? [[String: Any]])
    #expect(sets.first?["is_there"] as? Bool == true)
  }
}
