import Foundation
import TarnCore
import TarnData
import TarnNN
import TarnTrain
import Testing

/// Damaged and foreign run folders are refused in words that say which file, where and why.
struct CheckpointTests {
  private let scratch: Scratch
  private let run: RunFolder

  init() throws {
    scratch = try Scratch()
    run = try RunFolder(creating: scratch.url("run"))
    var model = Problem.model()
    try fit(
      &model, Classification(), train: Problem.clouds, options: Problem.options, run: run,
      callbacks: [StopAfter(9)])
  }

  private var checkpoint: URL {
    get throws {
      let name = try String(contentsOf: run.url("latest"), encoding: .utf8)
      return run.url(name.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }

  /// What going on says.
  private func resumed(
    train: TensorSource = Problem.clouds, _ change: (inout TrainingOptions) -> Void = { _ in }
  ) -> DataError? {
    var model = Problem.model()
    var options = Problem.options
    change(&options)
    do {
      try fit(&model, Classification(), train: train, options: options, run: run)
      return nil
    } catch { return error as? DataError }
  }

  private func change(_ file: String, _ body: (inout Data) -> Void) throws {
    let url = try checkpoint.appendingPathComponent(file)
    var data = try Data(contentsOf: url)
    body(&data)
    try data.write(to: url)
  }

  private static let files = [
    "model.safetensors", "optimizer.safetensors", "optimizer.json", "state.json",
    "best.safetensors", "result.safetensors",
  ]

  @Test(arguments: files.filter { $0 != "best.safetensors" })
  func truncatedFiles(_ file: String) throws {
    try change(file) { $0.removeLast(5) }
    let size = try Data(contentsOf: checkpoint.appendingPathComponent(file)).count
    let problem = try #require(resumed())
    #expect(problem.kind == .invalid)
    #expect(problem.file.hasSuffix(file))
    #expect(problem.place == .byte(size))
    #expect(problem.reason.contains("ends here"))
  }

  @Test(arguments: files)
  func flippedBits(_ file: String) throws {
    try change(file) { $0[$0.count / 2] ^= 4 }
    let problem = try #require(resumed())
    #expect(problem.file.hasSuffix(file))
    #expect(problem.reason.contains("checksum"))
  }

  @Test func missingFiles() throws {
    try FileManager.default.removeItem(at: checkpoint.appendingPathComponent("model.safetensors"))
    let problem = try #require(resumed())
    #expect(problem.kind == .missing)
    #expect(problem.file.hasSuffix("model.safetensors"))
  }

  @Test func brokenManifest() throws {
    try change("manifest.json") { $0 = $0.prefix(40) }
    let problem = try #require(resumed())
    #expect(problem.file.hasSuffix("manifest.json"))
    #expect(problem.place != nil)
  }

  @Test func manifestThatListsNothing() throws {
    try change("manifest.json") { $0 = Data(#"{"files": {}}"#.utf8) }
    let problem = try #require(resumed())
    #expect(problem.file.hasSuffix("manifest.json"))
    #expect(problem.reason.contains("state.json"))
  }

  @Test func manifestThatLeavesTheFolder() throws {
    let text = #"{"files": {"../run.json": {"size": 1, "crc32": 1}}}"#
    try change("manifest.json") { $0 = Data(text.utf8) }
    #expect(try #require(resumed()).reason.contains("outside"))
  }

  @Test(arguments: [
    "", "checkpoint-", "checkpoint--1", "../../etc", "checkpoint-99999999999999999999",
  ])
  func brokenPointer(_ text: String) throws {
    try Data(text.utf8).write(to: run.url("latest"))
    let problem = try #require(resumed())
    #expect(problem.file.hasSuffix("latest"))
  }

  @Test func otherFormatVersion() throws {
    let file = run.url("run.json")
    let text = try String(contentsOf: file, encoding: .utf8)
      .replacing("\"formatVersion\" : 1", with: "\"formatVersion\" : 2")
    try text.write(to: file, atomically: true, encoding: .utf8)
    let problem = #expect(throws: DataError.self) { _ = try RunFolder(opening: run.url) }
    #expect(problem?.kind == .unsupported)
    #expect(problem?.reason.contains("version 2") == true)
  }

  @Test func otherData() throws {
    let problem = try #require(resumed(train: Problem.otherClouds))
    #expect(problem.reason.contains("other data"))
    #expect(try run.description().data?.count == 50)
  }

  @Test func otherOptions() throws {
    let problem = try #require(
      resumed {
        $0.learningRate = 0.5
        $0.epochs = 9
      })
    #expect(problem.reason.contains("learningRate was 0.01, is 0.5"))
    #expect(!problem.reason.contains("epochs"))
  }

  @Test func otherModels() throws {
    var model = MLP(inputShape: [2], hidden: [9], classes: 3)
    let problem = #expect(throws: DataError.self) {
      try fit(&model, Classification(), train: Problem.clouds, options: Problem.options, run: run)
    }
    #expect(problem?.reason.contains("layers.0.weight") == true)
  }

  @Test func foldersThatAreTaken() throws {
    #expect(throws: DataError.self) { _ = try RunFolder(creating: run.url) }
    let empty = #expect(throws: DataError.self) { _ = try RunFolder(opening: scratch.url("none")) }
    #expect(empty?.kind == .missing)
    let next = try RunFolder.next(in: scratch.url, named: "run")
    #expect(next.url.lastPathComponent == "run-1")
  }

  @Test func foldersThatCannotBeMade() throws {
    try Data().write(to: scratch.url("file"))
    let problem = #expect(throws: DataError.self) {
      _ = try RunFolder(creating: scratch.url("file/run"))
    }
    #expect(problem?.kind == .unwritable)
  }

  private struct DiskIsFull: Error {}

  private final class Failing: Callback {
    var isFailing = false
    func didEndStep(_ step: StepReport, _ training: Training) {
      guard step.globalStep == 12 else { return }
      isFailing = true
      training.requestCheckpoint()
    }
    func save() throws -> [String: Double] {
      if isFailing { throw DiskIsFull() }
      return [:]
    }
  }

  @Test func aCheckpointThatFailsLeavesTheOneBefore() throws {
    let before = try checkpoint.lastPathComponent
    var model = Problem.model()
    #expect(throws: DiskIsFull.self) {
      try fit(
        &model, Classification(), train: Problem.clouds, options: Problem.options, run: run,
        callbacks: [Failing()])
    }
    #expect(try checkpoint.lastPathComponent == before)
    #expect(resumed() == nil)
  }

  @Test func onlyOneCheckpointIsKept() throws {
    #expect(resumed() == nil)
    let names = try FileManager.default.contentsOfDirectory(atPath: run.url.path)
    let kept = names.filter { $0.hasPrefix("checkpoint-") }
    #expect(kept == [try checkpoint.lastPathComponent])
    #expect(try run.history().epochs.count == 3)
  }
}
