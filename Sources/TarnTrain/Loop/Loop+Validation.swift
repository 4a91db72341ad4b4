import TarnData

/// Validation between the ends of epochs, for epochs that are long, and the end at a number of steps.
extension Loop {
  /// The task's figures on the validation data, `validation_` before their names; none where there is no such data.
  func validationFigures() throws -> [String: Double] {
    guard let validation else { return [:] }
    let figures = try evaluate(learner.result, task, on: validation)
    return Dictionary(uniqueKeysWithValues: figures.map { ("validation_" + $0.key, $0.value) })
  }

  /// Validates after every so many steps. At the end of an epoch it is done anyway.
  func validateIfDue() throws {
    guard let every = training.options.validateEvery, training.globalStep % every == 0,
      training.step < training.stepsPerEpoch
    else { return }
    try validateNow()
  }

  /// A run that ends at its last step within an epoch is validated there.
  func validateAtLimit() throws {
    guard training.stopReason == .stepLimit, training.step > 0,
      training.history.checks.last?.step != training.globalStep
    else { return }
    try validateNow()
  }

  func stopAtLimit() {
    guard let most = training.options.maxSteps, training.globalStep >= most else { return }
    training.requestStop(.stepLimit)
  }

  private func validateNow() throws {
    let values = try validationFigures()
    guard !values.isEmpty else { return }
    let record = ValidationRecord(step: training.globalStep, values: values)
    if let value = values[training.monitor.name] { keepIfBest(value) }
    training.history.checks.append(record)
    try tell { try $0.didValidate(record, training) }
  }
}
