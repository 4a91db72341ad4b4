import Foundation
import Testing

/// `--profile` on the verbs.
@Suite struct ProfileTests {
  private let arguments = ["train", "images", "digits", "--epochs", "1", "--hidden", "8"]

  @Test func aTableAndATrace() throws {
    let command = try Command()
    let outcome = try command.run(arguments + ["--profile", "trace.json"])
    #expect(outcome.code == 0, "\(outcome.err)")
    #expect(outcome.err.contains("GFLOP/s") && outcome.err.contains("kernel"))
    #expect(outcome.err.contains("Linear("), "layers have names")
    #expect(outcome.err.contains("tensors held up to"))
    let trace = try JSONSerialization.jsonObject(with: command.bytes("trace.json"))
    let events = try #require((trace as? [String: Any])?["traceEvents"] as? [[String: Any]])
    #expect(events.count > 4)
    #expect(events.allSatisfy { $0["ph"] as? String == "X" && $0["dur"] is Double })
  }

  @Test func inJSON() throws {
    let command = try Command()
    let outcome = try command.run(arguments + ["--json", "--profile"])
    #expect(outcome.code == 0, "\(outcome.err)")
    let answer = try outcome.json()
    let profile = try #require(answer["profile"] as? [String: Any])
    let kernels = try #require(profile["kernels"] as? [[String: Any]])
    #expect(!kernels.isEmpty)
    #expect(kernels.allSatisfy { $0["seconds"] is Double && $0["count"] is Int })
    #expect(
      try #require(profile["layers"] as? [[String: Any]]).contains {
        ($0["name"] as? String)?.contains("Linear") == true
      })
    #expect(try #require(answer["peak_tensor_mb"] as? Double) > 0)
    #expect(try #require(answer["peak_rss_mb"] as? Double) > 1)
  }

  @Test func withoutItNothingIsSaid() throws {
    let outcome = try Command().run("doctor", "--json")
    #expect(try outcome.json()["profile"] == nil)
    #expect(try outcome.json()["one_dnn"] is String)
  }

  @Test func aTraceThatCannotBeWritten() throws {
    let outcome = try Command().run("doctor", "--profile", "no/such/folder/trace.json")
    #expect(outcome.code != 0)
    #expect(outcome.err.contains("trace"))
  }
}
