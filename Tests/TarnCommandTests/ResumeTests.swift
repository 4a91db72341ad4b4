import Foundation
import Testing

/// Runs that are cut, and what is left of them.
@Suite struct ResumeTests {
  private static let training = [
    "train", "images", "digits", "--model", "lenet", "--epochs", "3", "--checkpoint-every", "7",
    "--ema", "0.9", "--schedule", "cosine", "--quiet",
  ]

  private func start(_ command: Command, _ arguments: [String], threads: Int = 1) throws -> (
    process: Process, out: URL, err: URL
  ) {
    let started = command.process(arguments, threads: threads)
    try started.process.run()
    return started
  }

  private func signal(_ process: Process, _ number: Int32) {
    if process.isRunning { kill(process.processIdentifier, number) }
  }

  @Test(arguments: [1, 2])
  func aKilledRunEndsWithTheSameBits(threads: Int) throws {
    let command = try Command()
    let whole = try start(command, Self.training + ["--out", "whole"], threads: threads)
    whole.process.waitUntilExit()
    #expect(whole.process.terminationStatus == 0)
    var random = SystemRandomNumberGenerator()
    let cut = try start(command, Self.training + ["--out", "cut"], threads: threads)
    while !command.exists("cut/latest") && cut.process.isRunning { usleep(1000) }
    usleep(UInt32.random(in: 0..<200_000, using: &random))
    signal(cut.process, SIGKILL)
    cut.process.waitUntilExit()
    for _ in 0..<3 {
      let next = try start(command, ["train", "--resume", "cut", "--quiet"], threads: threads)
      usleep(UInt32.random(in: 20_000..<300_000, using: &random))
      signal(next.process, SIGKILL)
      next.process.waitUntilExit()
    }
    let last = try command.run("train", "--resume", "cut", "--json", threads: threads)
    #expect(last.code == 0, "\(last.err)")
    #expect(try last.json()["epochs"] as? Int == 3)
    for file in ["model.safetensors", "optimizer.safetensors"] {
      #expect(try command.bytes("cut/\(file)") == command.bytes("whole/\(file)"), "\(file)")
    }
  }

  @Test func threadsDoNotChangeTheBits() throws {
    let command = try Command()
    for threads in [1, 2] {
      let run = try start(
        command, Self.training + ["--out", "run-\(threads)"], threads: threads)
      run.process.waitUntilExit()
    }
    #expect(
      try command.bytes("run-1/model.safetensors") == command.bytes("run-2/model.safetensors"))
  }

  @Test func aLongerRunIsTheSameAsOneExtended() throws {
    let command = try Command()
    let arguments = ["train", "images", "digits", "--hidden", "16", "--dropout", "0.2", "--quiet"]
    try start(command, arguments + ["--epochs", "4", "--out", "long"]).process.waitUntilExit()
    try start(command, arguments + ["--epochs", "2", "--out", "short"]).process.waitUntilExit()
    let more = try command.run("train", "--resume", "short", "--epochs", "4", "--json")
    #expect(try more.json()["epochs"] as? Int == 4)
    #expect(try more.json()["seed"] as? Int == 1)
    #expect(try command.bytes("long/model.safetensors") == command.bytes("short/model.safetensors"))
  }

  @Test func interruptSavesAndSaysHowToGoOn() throws {
    let command = try Command()
    let run = try start(
      command, ["train", "images", "digits", "--epochs", "100000", "--out", "run", "--json"])
    while !command.exists("run/log.csv") && run.process.isRunning { usleep(2000) }
    usleep(100_000)
    signal(run.process, SIGINT)
    // A run that does not end is a failure, not a test that never does.
    for _ in 0..<3000 where run.process.isRunning { usleep(10_000) }
    #expect(!run.process.isRunning)
    signal(run.process, SIGKILL)
    run.process.waitUntilExit()
    let outcome = try command.outcome(run.process, run.out, run.err)
    #expect(outcome.code == 1)
    #expect(outcome.err.contains("tarn train --resume run"))
    #expect(try outcome.json()["stop_reason"] as? String == "interrupted")
    let epochs = try #require(try outcome.json()["epochs"] as? Int)
    let rest = try command.run("train", "--resume", "run", "--epochs", "\(epochs + 1)", "--json")
    #expect(rest.code == 0, "\(rest.err)")
    #expect(try rest.json()["epochs"] as? Int == epochs + 1)
  }

  @Test func aTakenFolderIsRefused() throws {
    let command = try Command()
    let arguments = ["train", "images", "digits", "--epochs", "1", "--out", "run", "--quiet"]
    try start(command, arguments).process.waitUntilExit()
    let second = try start(command, arguments)
    second.process.waitUntilExit()
    let outcome = try command.outcome(second.process, second.out, second.err)
    #expect(outcome.code == 1)
    #expect(outcome.err.contains("holds a run already"))
  }

  @Test func aDamagedRunIsBadData() throws {
    let command = try Command()
    try start(
      command, ["train", "images", "digits", "--epochs", "1", "--out", "run", "--quiet"]
    ).process.waitUntilExit()
    for file in ["run.json", "setup.json", "model.safetensors"] {
      let bytes = try command.bytes("run/\(file)")
      try bytes.prefix(bytes.count / 2).write(to: command.file("run/\(file)"))
      let outcome = try command.run("evaluate", "run", "--json")
      #expect(outcome.code == 65, "\(file): \(outcome.err)")
      #expect(outcome.err.contains(file), "\(outcome.err)")
      #expect(outcome.out.isEmpty)
      try bytes.write(to: command.file("run/\(file)"))
    }
    #expect(try command.run("evaluate", "run").code == 0)
    let latest = String(decoding: try command.bytes("run/latest"), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let folder = command.file("run/\(latest)")
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let url = folder.appendingPathComponent(file)
      let bytes = try Data(contentsOf: url)
      // A new file: others may be links to the old one.
      try FileManager.default.removeItem(at: url)
      try bytes.prefix(bytes.count / 2).write(to: url)
      let outcome = try command.run("train", "--resume", "run", "--epochs", "2")
      #expect(outcome.code == 65, "\(file): \(outcome.err)")
      try FileManager.default.removeItem(at: url)
      try bytes.write(to: url)
    }
  }
}
