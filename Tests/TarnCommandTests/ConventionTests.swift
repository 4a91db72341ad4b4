import Foundation
import Testing

/// What holds for every verb: exit codes, worded errors, clean standard output.
@Suite struct ConventionTests {
  @Test func versionAndHelp() throws {
    let command = try Command()
    let version = try command.run("--version")
    #expect(version.code == 0)
    #expect(version.out.split(separator: ".").count == 3)
    let help = try command.run("--help")
    #expect(help.code == 0)
    for verb in [
      "demo", "train", "evaluate", "predict", "summary", "inspect", "convert", "data", "bench",
      "doctor",
    ] {
      #expect(help.out.contains(verb))
    }
    #expect(try command.run("train", "--help").out.contains("--resume"))
  }

  @Test(arguments: [
    ["banana"], ["train"], ["train", "images"],
    ["train", "images", "digits", "--epochs", "0"],
    ["train", "images", "digits", "--epochs", "many"],
    ["train", "images", "digits", "--learning-rate", "-1"],
    ["train", "images", "digits", "--optimizer", "sledge"],
    ["train", "images", "digits", "--schedule", "step:3"],
    ["train", "images", "digits", "--hidden", "12,x"],
    ["train", "images", "digits", "--dropout", "1"],
    ["train", "images", "digits", "--validation-fraction", "0.7"],
    ["train", "table", "rows.csv"], ["train", "--resume", "x", "--epochs", "0"],
    ["predict", "run"], ["doctor", "--threads", "0"], ["doctor", "--seed", "-1"],
    ["inspect", "--json"],
  ])
  func wrongUsage(_ arguments: [String]) throws {
    let command = try Command()
    let (process, out, err) = command.process(arguments)
    try process.run()
    process.waitUntilExit()
    let outcome = try command.outcome(process, out, err)
    #expect(outcome.code == 64)
    #expect(outcome.out.isEmpty)
    #expect(outcome.err.contains("Error:"))
  }

  @Test(arguments: [
    ["inspect", "nowhere.safetensors"], ["evaluate", "nowhere"], ["predict", "nowhere", "x.pgm"],
    ["train", "--resume", "nowhere"], ["summary", "nothing"],
    ["train", "table", "nowhere.csv", "--target", "y"], ["train", "images", "mnist"],
    ["train", "images", "mnist", "--data", "nowhere"],
  ])
  func missingInput(_ arguments: [String]) throws {
    let command = try Command()
    let (process, out, err) = command.process(arguments + ["--json"])
    try process.run()
    process.waitUntilExit()
    let outcome = try command.outcome(process, out, err)
    #expect(outcome.code == 66)
    #expect(outcome.out.isEmpty)
    #expect(outcome.err.hasPrefix("tarn: "))
    #expect(!command.exists("runs"))
  }

  @Test func missingSetSaysWhereToGetIt() throws {
    let outcome = try Command().run("train", "images", "mnist")
    #expect(outcome.err.contains("--data DIR"))
    #expect(outcome.err.contains("train-images-idx3-ubyte.gz"))
    #expect(outcome.err.contains("tarn data get mnist"))
  }

  @Test func badData() throws {
    let command = try Command()
    try command.write("garbage that is no header", to: "bad.safetensors")
    try command.write("a,b\n1,2\n3\n", to: "ragged.csv")
    try command.write("a,b\n1,2\n3,4\n", to: "short.csv")
    let weights = try command.run("inspect", "bad.safetensors")
    #expect(weights.code == 65)
    #expect(weights.err.contains("bad.safetensors, byte 0"))
    let ragged = try command.run("train", "table", "ragged.csv", "--target", "b")
    #expect(ragged.code == 65)
    #expect(ragged.err.contains("ragged.csv, line 3"))
    let column = try command.run("train", "table", "short.csv", "--target", "c")
    #expect(column.code == 65)
    #expect(column.err.contains("has no column 'c'"))
    let short = try command.run("train", "table", "short.csv", "--target", "b")
    #expect(short.code == 65)
    #expect(short.err.contains("at least 5"))
    #expect(!command.exists("runs"))
  }

  @Test func jsonIsAllThatIsPrinted() throws {
    let command = try Command()
    let doctor = try command.run("doctor", "--json").json()
    #expect(doctor["is_well"] as? Bool == true)
    #expect((doctor["checks"] as? [[String: Any]])?.count == 4)
    #expect((doctor["threads"] as? Int) == 1)
    #expect(try command.run("doctor", "--threads", "2", "--json").json()["threads"] as? Int == 2)
    let sets = try #require(try command.run("data", "--json").json()["sets"] as? [[String: Any]])
    let names = Set(sets.compactMap { $0["name"] as? String })
    #expect(names.isSuperset(of: ["digits", "mnist", "fashion", "shakespeare"]))
    #expect(sets.allSatisfy { ($0["licence"] as? String)?.isEmpty == false })
    #expect(try command.run("doctor").code == 0)
    #expect(try command.run("data").out.contains("tarn train images digits"))
  }

  @Test func everyAnswerNamesTheSeed() throws {
    let command = try Command()
    for verb in [["doctor"], ["data"], ["summary", "linear"]] {
      let (process, out, err) = command.process(verb + ["--json", "--seed", "7"])
      try process.run()
      process.waitUntilExit()
      #expect(try command.outcome(process, out, err).json()["seed"] as? Int == 7)
    }
    #expect(try command.run("data", "--json").json()["seed"] as? Int == 1)
  }

  /// The level belongs to the process, so each gets one of its own.
  @Test(arguments: ["portable", "avx2", "avx512"])
  func everySIMDLevelAgreesWithTheReferenceAndLearns(_ level: String) throws {
    let command = try Command()
    let environment = ["TARN_SIMD": level]
    let doctor = try command.run("doctor", "--json", environment: environment).json()
    #expect(doctor["is_well"] as? Bool == true)
    let answer = try command.run(
      "train", "images", "digits", "--model", "lenet", "--epochs", "8", "--json",
      environment: environment
    ).json()
    let accuracy = try #require(answer["test_accuracy"] as? Double)
    #expect(accuracy > 0.85)
    // A level that the processor lacks falls back to one it has; portable is always there.
    if level == "portable" { #expect(answer["simd"] as? String == "portable") }
  }
}
