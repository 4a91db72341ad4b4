import Foundation
import Testing

/// What people mistype and what attackers write: worded errors, never a crash, nothing left behind.
@Suite struct HostileTests {
  private func run(_ command: Command, _ arguments: [String]) throws -> Command.Outcome {
    let (process, out, err) = command.process(arguments)
    try process.run()
    process.waitUntilExit()
    return try command.outcome(process, out, err)
  }

  @Test(arguments: [
    ["train", "images", "digits", "--model", "linear", "--hidden", "3"],
    ["train", "images", "digits", "--model", "lenet", "--dropout", "0.5"],
    ["train", "images", "digits", "--model", "lenet", "--activation", "tanh"],
    ["train", "images", "digits", "--momentum", "0.5"],
    ["train", "images", "digits", "--optimizer", "adam", "--momentum", "0.5"],
    ["train", "images", "digits", "--data", "."],
    ["train", "images", "digits", "--schedule", "step:9223372036854775807,0.5"],
    ["summary", "linear", "--hidden", "3"], ["summary", "run", "--classes", "3"],
  ])
  func refusesFlagsThatWouldDoNothing(_ arguments: [String]) throws {
    let command = try Command()
    let outcome = try run(command, arguments)
    #expect(outcome.code == 64)
    #expect(outcome.out.isEmpty)
    #expect(!command.exists("runs"))
  }

  @Test(arguments: [
    ["summary", "mlp", "--hidden", "1000000,1000000"],
    ["summary", "mlp", "--input", "1000000,1000000,1000000,1000000"],
    ["summary", "lenet", "--input", "1,1000000,1000000"],
    ["train", "images", "digits", "--hidden", "1000000,1000000"],
  ])
  func refusesModelsThatFitNoMemory(_ arguments: [String]) throws {
    let command = try Command()
    let outcome = try run(command, arguments + ["--json"])
    #expect(outcome.code == 65)
    #expect(outcome.out.isEmpty)
    #expect(outcome.err.contains("memory"))
    #expect(!command.exists("runs"))
  }

  @Test(arguments: ["inf", "1e400", "-infinity"])
  func refusesInfiniteNumbersInTables(_ number: String) throws {
    let command = try Command()
    let rows = (0..<20).map { "\($0).5,\(19 - $0).25\n" }.joined()
    try command.write("x,y\n\(rows)\(number),1.5\n", to: "rows.csv")
    for target in ["x", "y"] {
      let outcome = try command.run("train", "table", "rows.csv", "--target", target)
      #expect(outcome.code == 65)
      #expect(outcome.err.contains("'x'"))
      #expect(outcome.err.contains("infinite"))
      #expect(!command.exists("runs"))
    }
  }

  @Test func refusesTablesThatLeaveNothingToLearnFrom() throws {
    let command = try Command()
    try command.write("x,c\n1,a\n2,b\n3,a\n4,b\n5,b\n", to: "rows.csv")
    let outcome = try command.run(
      "train", "table", "rows.csv", "--target", "c", "--test-fraction", "0.9")
    #expect(outcome.code == 65)
    #expect(!command.exists("runs"))
  }

  @Test func refusesClassesThatAreNoNames() throws {
    let command = try Command()
    let rows = (0..<20).map { "\($0),\($0 % 2 == 0 ? "a" : "b")\n" }.joined()
    let long = String(repeating: "z", count: 100_000)
    try command.write("x,c\n\(rows)1,\(long)\n", to: "rows.csv")
    let outcome = try command.run("train", "table", "rows.csv", "--target", "c")
    #expect(outcome.code == 65)
    #expect(outcome.err.utf8.count < 2000)
    #expect(!command.exists("runs"))
  }

  @Test func refusesNonsenseInARun() throws {
    let command = try Command()
    let made = try command.run(
      "train", "images", "digits", "--epochs", "1", "--hidden", "4", "--out", "run", "--quiet")
    #expect(made.code == 0)
    func with(_ file: String, _ old: String, _ new: String) throws {
      let text = String(decoding: try command.bytes(file), as: UTF8.self)
      let changed = text.replacingOccurrences(of: old, with: new)
      #expect(changed != text)
      try command.write(changed, to: file)
      for arguments in [["train", "--resume", "run"], ["evaluate", "run"]] {
        let outcome = try run(command, arguments + ["--json"])
        #expect(outcome.code == 65, "\(new): \(outcome.err)")
        #expect(outcome.out.isEmpty)
        #expect(outcome.err.contains("tarn: "))
      }
      try command.write(text, to: file)
    }
    let most = "9223372036854775807"
    try with("run/run.json", "\"batchSize\" : 32", "\"batchSize\" : \(most)")
    try with("run/run.json", "\"batchSize\" : 32", "\"batchSize\" : 0")
    try with("run/run.json", "\"epochs\" : 1", "\"epochs\" : \(most)")
    try with("run/run.json", "\"classes\" : 10", "\"classes\" : \(most)")
    try with(
      "run/run.json", "\"inputShape\" : [\n      1,", "\"inputShape\" : [\n \(most), \(most),")
    try with("run/run.json", "\"dropout\" : 0", "\"dropout\" : 5")
    try with("run/setup.json", "\"validation\" : 0.1", "\"validation\" : 7")
    try with("run/setup.json", "\"labelSmoothing\" : 0", "\"labelSmoothing\" : 9")
    #expect(try command.run("evaluate", "run").code == 0)
  }

  @Test(arguments: ["checkpoint-+0", "checkpoint-../../x", "checkpoint-", "/etc/passwd", ""])
  func refusesAPointerToNoCheckpoint(_ text: String) throws {
    let command = try Command()
    let made = try command.run(
      "train", "images", "digits", "--epochs", "1", "--hidden", "4", "--out", "run", "--quiet")
    #expect(made.code == 0)
    try command.write(text, to: "run/latest")
    let outcome = try command.run("train", "--resume", "run", "--epochs", "2", "--json")
    #expect(outcome.code == 65)
    #expect(outcome.out.isEmpty)
    #expect(outcome.err.contains("latest"))
  }

  @Test func saysThatAFolderIsNoFile() throws {
    let outcome = try Command().run("inspect", ".", "--json")
    #expect(outcome.code == 1)
    #expect(outcome.out.isEmpty)
    #expect(outcome.err.contains("is a folder"))
  }

  #if os(Linux)
    @Test func tellsThatTheResultWasLost() throws {
      let command = try Command()
      let (process, out, err) = command.process(["data", "--json"])
      process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
      try process.run()
      process.waitUntilExit()
      let outcome = try command.outcome(process, out, err)
      #expect(outcome.code == 1)
      #expect(outcome.err.contains("standard output"))
    }
  #endif

  @Test(
    arguments: [
      ("a.h5", [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0], "HDF5"),
      ("a.tflite", [0x1c, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33, 0, 0], "TensorFlow Lite"),
      ("a.gguf", [0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, 0, 0], "GGUF"),
    ] as [(String, [UInt8], String)])
  func namesFormatsItDoesNotRead(_ name: String, _ bytes: [UInt8], _ words: String) throws {
    let command = try Command()
    try Data(bytes).write(to: command.file(name))
    let outcome = try command.run("inspect", name, "--json")
    #expect(outcome.code == 65)
    #expect(outcome.out.isEmpty)
    #expect(outcome.err.contains(words))
  }
}
