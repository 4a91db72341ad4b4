import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN

extension Loop {
  /// Takes up the run in its folder, or keeps the state before the first step of a new one.
  func begin() throws {
    guard training.stepsPerEpoch > 0 else {
      throw TrainingError(
        reason: "there is nothing to train on: an epoch has no batches",
        hints: ["look whether the data is empty, or smaller than a batch while dropLast is set"])
    }
    try checkNames()
    guard let run = training.run else { return }
    if run.hasCheckpoint {
      try resume(from: run.checkpoints.latest())
    } else {
      try AtomicWrite.write(try learner.model.configuration(), to: run.url("model.json"))
      try describe(run)
      try save(result: learner.result)
    }
  }

  /// Two callbacks under one name would take each other's state.
  private func checkNames() throws {
    let names = callbacks.map(\.name)
    guard let twice = names.first(where: { name in names.count { $0 == name } > 1 }) else { return }
    throw TrainingError(
      reason: "two callbacks are named '\(twice)'", hints: ["give one of them another name"])
  }

  /// Writes or completes `run.json`.
  private func describe(_ run: RunFolder) throws {
    let isDescribed = FileManager.default.fileExists(
      atPath: run.url(RunFolder.descriptionFile).path)
    let task = String("\(Task.self)".prefix { $0 != "<" })
    var description =
      isDescribed
      ? try run.description() : RunDescription(options: training.options, task: task)
    if description.data == nil { description.data = dataDescription }
    try run.describe(description)
  }

  /// Writes one whole checkpoint.
  func save(result: Task.Model) throws {
    guard let run = training.run else { return }
    let state = try state()
    try run.checkpoints.write { folder, previous in
      let new = Checkpoint(url: folder)
      var names = [Checkpoint.stateFile, Checkpoint.modelFile, Checkpoint.resultFile]
      try JSONFile.write(state, to: new.url(Checkpoint.stateFile))
      try learner.model.weights.write(to: new.url(Checkpoint.modelFile))
      try result.weights.write(to: new.url(Checkpoint.resultFile))
      names += try write(learner.optimizer, Checkpoint.optimizer, new)
      if let average = learner.average { names += try write(average, Checkpoint.average, new) }
      if !carried.isEmpty {
        names.append(Checkpoint.carriedFile)
        let all = carried.enumerated().map { (name: "\($0.offset)", tensor: $0.element) }
        try Weights(all).write(to: new.url(Checkpoint.carriedFile))
      }
      if let best {
        names.append(Checkpoint.bestFile)
        try writeBest(best.model, to: new, previous: previous)
      }
      return names
    }
    savedBestStep = training.history.bestStep
  }

  private func write(
    _ structure: any TensorStructure, _ name: String, _ checkpoint: Checkpoint
  ) throws -> [String] {
    let names = ["\(name).json", "\(name).safetensors"]
    try AtomicWrite.write(try structure.configuration(), to: checkpoint.url(names[0]))
    try structure.weights.write(to: checkpoint.url(names[1]))
    return names
  }

  private func writeBest(
    _ model: Task.Model, to new: Checkpoint, previous: Checkpoint?
  ) throws {
    let file = new.url(Checkpoint.bestFile)
    if let previous, savedBestStep == training.history.bestStep, previous.has(Checkpoint.bestFile) {
      try Folders.link(previous.url(Checkpoint.bestFile), to: file)
    } else {
      try model.weights.write(to: file)
    }
  }

  private func state() throws -> RunState {
    var state = RunState()
    state.position = training.position
    state.step = training.globalStep
    state.totals = totals.read()
    state.epochSeconds = epochClock.seconds
    state.stepSeconds = epochClock.stepSeconds
    state.learningRate = training.learningRate
    state.history = training.history
    state.bestValue = best?.value
    for callback in callbacks { state.callbacks[callback.name] = try callback.save() }
    state.options = training.options
    state.dataDigest = dataDescription?.digestText
    return state
  }

  /// Makes everything as it was when the checkpoint was written.
  private func resume(from checkpoint: Checkpoint) throws {
    let state = try checkpoint.state()
    try check(state, checkpoint)
    learner.model = try learner.model.filled(from: checkpoint.url(Checkpoint.modelFile))
    learner.optimizer = try reread(learner.optimizer, Checkpoint.optimizer, checkpoint)
    if let average = learner.average {
      learner.average = try reread(average, Checkpoint.average, checkpoint)
    }
    if checkpoint.has(Checkpoint.carriedFile) {
      let weights = try Weights(contentsOf: checkpoint.url(Checkpoint.carriedFile))
      carried = try weights.names.indices.map { try weights.tensor("\($0)") }
    }
    if let value = state.bestValue {
      best = (try learner.model.filled(from: checkpoint.url(Checkpoint.bestFile)), value)
    }
    training.position = state.position
    training.globalStep = state.step
    training.learningRate = state.learningRate
    training.history = state.history
    training.history.stopReason = nil
    training.isResumed = true
    totals = LazyTotals(state.totals)
    epochClock = EpochClock(seconds: state.epochSeconds, stepSeconds: state.stepSeconds)
    savedBestStep = state.history.bestStep
    for callback in callbacks {
      if let state = state.callbacks[callback.name] { try callback.restore(state) }
    }
  }

  private func reread<Structure: TensorStructure>(
    _ old: Structure, _ name: String, _ checkpoint: Checkpoint
  ) throws -> Structure {
    try Structure(contentsOf: checkpoint.url, name: name)
  }

  /// Refuses to go on with other options or data than the run began with.
  private func check(_ state: RunState, _ checkpoint: Checkpoint) throws {
    let file = checkpoint.url(Checkpoint.stateFile).path
    if let conflict = training.options.conflict(with: state.options) {
      throw DataError(
        .invalid, file: file, reason: "the run was begun with other options: \(conflict)",
        hint: "go on with the run's own options, or begin a new run")
    }
    if let own = dataDescription, let old = state.dataDigest, own.digestText != old {
      throw DataError(
        .invalid, file: file,
        reason: "the run was begun with other data: its digest was \(old), "
          + "that of '\(own.name)' is \(own.digestText)",
        hint: "give the data the run was begun with, or begin a new run")
    }
    let known = training.stepsPerEpoch
    guard state.position.epoch >= 0, (0...known).contains(state.position.step),
      (0...TrainingOptions.mostSteps).contains(state.step)
    else {
      throw DataError(
        .invalid, file: file,
        reason: "says that step \(state.position.step) of an epoch comes next, which has \(known)")
    }
  }
}
