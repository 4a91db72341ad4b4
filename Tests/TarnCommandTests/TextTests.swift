import Foundation
import Testing

/// `train text`, `sample`, `evaluate` and `explain text`.
@Suite struct TextTests {
  private static let refrain = String(
    repeating: "the quick brown fox jumps over the lazy dog.\n", count: 80)
  private static let training = [
    "train", "text", "poem.txt", "--size", "24", "--batch", "8", "--seq-length", "20",
    "--learning-rate", "1e-2", "--eval-every", "10", "--sample-length", "40",
  ]

  private func command() throws -> Command {
    let command = try Command()
    try command.write(Self.refrain, to: "poem.txt")
    return command
  }

  @Test func trainsSamplesEvaluatesExplains() throws {
    let command = try command()
    let trained = try command.run(Self.training + ["--epochs", "6", "--out", "run", "--json"])
    #expect(trained.code == 0, "\(trained.err)")
    let answer = try trained.json()
    for key in [
      "val_loss", "train_loss", "iterations", "seconds", "ms_per_iteration", "parameters",
      "vocabulary", "best_val_loss", "peak_rss_mb", "report", "stop_reason",
    ] {
      #expect(answer[key] != nil, "\(key)")
    }
    #expect(answer["seed"] as? Int == 123)
    #expect(answer["iterations"] as? Int == 6 * (answer["train_batches"] as? Int ?? 0))
    let loss = try #require(answer["val_loss"] as? Double)
    #expect(loss < 1)
    #expect(trained.err.contains("after"))
    let page = String(decoding: try command.bytes("run/index.html"), as: UTF8.self)
    #expect(page.contains("What it wrote as it learned"))

    let figures = try command.run("evaluate", "run", "--json").json()
    #expect(figures["loss"] as? Double == loss)
    let bits = try #require(figures["bits_per_character"] as? Double)
    #expect(abs(bits - loss / log(2)) < 1e-9)
    let whole = try command.run("evaluate", "run", "--data", "poem.txt", "--json").json()
    #expect(abs(try #require(whole["loss"] as? Double) - loss) < 0.5)

    let explained = try command.run("explain", "text", "run", "--length", "200", "--json").json()
    #expect(explained["cells"] as? Int == 48)
    let view = String(decoding: try command.bytes("run/cells.html"), as: UTF8.self)
    #expect(view.contains("Cells that keep track of something"))
    #expect(try command.run("predict", "run", "poem.txt").code == 65)
  }

  @Test func samples() throws {
    let command = try command()
    _ = try command.run(Self.training + ["--epochs", "2", "--out", "run", "--quiet"])
    func sample(_ arguments: String...) throws -> Command.Outcome {
      try command.run(["sample", "run", "--length", "80"] + arguments)
    }
    let first = try sample("--prime", "the ")
    #expect(first.code == 0)
    #expect(first.out.hasPrefix("the "))
    #expect(first.out.count == 85)
    #expect(try sample("--prime", "the ").out == first.out)
    #expect(try sample("--prime", "the ", "--seed", "9").out != first.out)
    let greedy = try sample("--prime", "the ", "--argmax").out
    #expect(try sample("--prime", "the ", "--temperature", "0").out == greedy)
    #expect(try sample("--prime", "the ", "--temperature", "0.00001").out == greedy)
    #expect(try sample("--prime", "the ", "--top-k", "1").out == greedy)
    #expect(try sample("--argmax").out == sample("--temperature", "0.00001").out)
    let beside = try sample("--temperature", "0.5,1")
    #expect(beside.out.contains("temperature 0.5") && beside.out.contains(" │ temperature 1"))
    let answer = try sample("--temperature", "0.5,1", "--json").json()
    #expect((answer["samples"] as? [[String: Any]])?.count == 2)
    let one = try sample("--prime", "the ", "--json").json()
    #expect((one["text"] as? String).map { $0 + "\n" } == first.out)

    let unknown = try sample("--prime", "Ünï")
    #expect(unknown.code == 65)
    #expect(unknown.err.contains("'Ü' (U+00DC)") && unknown.err.contains("'ï' (U+00EF)"))
    #expect(try sample("--temperature", "-1").code == 64)
    #expect(try sample("--top-p", "2").code == 64)
    #expect(try command.run("sample", "nowhere").code == 66)
    let weights = try command.run("sample", "run/model.safetensors")
    #expect(weights.code == 65 && weights.err.contains("--vocabulary"))
    let same = try command.run(
      "sample", "run/model.safetensors", "--vocabulary", "run/vocabulary.json", "--length", "80",
      "--prime", "the ")
    #expect(same.out == first.out)
    let byText = try command.run(
      "sample", "run/model.safetensors", "--vocabulary", "poem.txt", "--length", "80", "--prime",
      "the ")
    #expect(byText.out == first.out)
  }

  @Test(arguments: [
    ["--model", "gru", "--reset-before"], ["--model", "transformer", "--layers", "2"],
  ])
  func aKilledRunEndsWithTheSameBits(_ model: [String]) throws {
    let command = try command()
    let arguments =
      Self.training + model + ["--checkpoint-every", "3", "--dropout", "0.1", "--quiet"]
      + ["--max-iterations", "60"]
    _ = try command.run(arguments + ["--out", "whole"])
    let (cut, _, _) = command.process(arguments + ["--out", "cut"])
    try cut.run()
    while !command.exists("cut/latest") && cut.isRunning { usleep(1000) }
    usleep(50_000)
    if cut.isRunning { kill(cut.processIdentifier, SIGKILL) }
    cut.waitUntilExit()
    let last = try command.run("train", "--resume", "cut", "--json", threads: 2)
    #expect(last.code == 0, "\(last.err)")
    #expect(try last.json()["iterations"] as? Int == 60)
    for file in ["model.safetensors", "optimizer.safetensors", "best/model.safetensors"] {
      #expect(try command.bytes("cut/\(file)") == command.bytes("whole/\(file)"), "\(file)")
    }
  }

  @Test func goesOnFromAnotherRun() throws {
    let command = try command()
    _ = try command.run(Self.training + ["--epochs", "3", "--out", "run", "--quiet"])
    let more = try command.run(
      Self.training + ["--size", "99", "--init-from", "run", "--max-iterations", "1", "--json"])
    #expect(more.code == 0, "\(more.err)")
    let answer = try more.json()
    #expect(answer["size"] as? Int == 24)
    #expect(try #require(answer["train_loss"] as? Double) < 2)
    try command.write(Self.refrain + "Ünknown", to: "other.txt")
    let refused = try command.run(
      "train", "text", "other.txt", "--init-from", "run", "--quiet")
    #expect(refused.code == 65)
    #expect(refused.err.contains("'Ü'"))
    let longer = try command.run("train", "--resume", "run", "--epochs", "4", "--json").json()
    #expect(longer["epochs"] as? Double == 4)
  }

  @Test func filesThatAreNoTexts() throws {
    let command = try command()
    try command.write("", to: "empty.txt")
    try command.write("short", to: "short.txt")
    try Data((0..<9000).map { UInt8(truncatingIfNeeded: $0 * 7) }).write(to: command.file("binary"))
    for (file, words) in [
      ("empty.txt", "is empty"), ("short.txt", "shorter than one batch"), ("binary", "byte 0"),
    ] {
      let outcome = try command.run("train", "text", file)
      #expect(outcome.code == 65, "\(file)")
      #expect(outcome.err.contains(words), "\(outcome.err)")
      #expect(!command.exists("runs"))
    }
    #expect(try command.run("train", "text", "missing.txt").code == 66)
    let bytes = try command.run(
      "train", "text", "binary", "--bytes", "--batch", "5", "--seq-length", "10", "--size", "8",
      "--max-iterations", "3", "--json")
    #expect(bytes.code == 0, "\(bytes.err)")
    #expect(try bytes.json()["vocabulary"] as? Int == 256)
    for wrong in [
      ["--dropout", "1"], ["--bytes", "--words"], ["--heads", "2"], ["--batch", "0"],
    ] {
      #expect(try command.run(["train", "text", "poem.txt"] + wrong).code == 64, "\(wrong)")
    }
  }

  @Test(arguments: ["text.json", "vocabulary.json"]) func damagedRuns(_ file: String) throws {
    let command = try command()
    _ = try command.run(Self.training + ["--max-iterations", "2", "--out", "run", "--quiet"])
    let whole = String(decoding: try command.bytes("run/\(file)"), as: UTF8.self)
    for (from, to) in [
      ("24", "-24"), ("24", "99999999999"), ("\"lstm\"", "\"lstn\""), ("\"a\"", "\"b\""),
      ("\"a\",", ""), ("\"a\"", "\"aa\""), ("{", ""), ("20", "0"), ("0.05", "7"),
    ] where whole.contains(from) {
      try command.write(whole.replacingOccurrences(of: from, with: to), to: "run/\(file)")
      let outcome = try command.run("sample", "run")
      #expect(outcome.code == 65, "\(from) → \(to): \(outcome.err)")
    }
  }
}
