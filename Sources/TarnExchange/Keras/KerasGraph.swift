import TarnCore

/// A model as a list of steps, models within it laid open.
struct KerasGraph: Sendable {
  struct Step: Sendable {
    /// A place in `operations`.
    var operation: Int
    /// Values it reads.
    var inputs: [Int]
    /// Where its result goes.
    var output: Int
  }

  struct Operation: Sendable {
    /// With the models it lies in: `encoder.dense_1`.
    var name: String
    var type: String
    var operation: any KerasOperation
    /// Where its variables begin in the model's list of tensors.
    var firstVariable = 0
  }

  private(set) var operations: [Operation] = []
  private(set) var steps: [Step] = []
  private(set) var inputs: [(name: String, input: KerasDescription.Input)] = []
  private(set) var outputs: [(name: String, value: Int)] = []
  private var valueCount = 0
  /// Calls that were looked at: models within models can describe many more than the file has.
  private var attempts = 0

  private static let mostAttempts = 200_000
  /// No result may have more elements: lengths multiply from layer to layer.
  var elementLimit = 1 << 30

  init(_ description: KerasDescription) throws {
    for reference in description.inputs {
      let layer = description.layers.first { $0.name == reference.layer }
      guard case .input(let input) = layer?.content else {
        throw KerasRefusal("its input '\(reference.layer)' is no input layer")
      }
      inputs.append((reference.layer, input))
    }
    valueCount = inputs.count
    let places = operationPlaces(description, prefix: "")
    let results = try expand(description, Array(inputs.indices), places)
    outputs = zip(description.outputs, results).map { ($0.layer, $1) }
    // A layer with several outputs has one name for all.
    if Set(outputs.map(\.name)).count < outputs.count {
      outputs = outputs.enumerated().map { ("\($1.name):\($0)", $1.value) }
    }
    var first = 0
    for i in operations.indices {
      operations[i].firstVariable = first
      first += operations[i].operation.variables.count
    }
  }

  /// Operations of a model by the names of its layers, those of models within it below.
  private indirect enum Places {
    case input
    case operation(Int)
    case model([String: Places])
  }

  private mutating func operationPlaces(
    _ description: KerasDescription, prefix: String
  ) -> [String: Places] {
    var places: [String: Places] = [:]
    for layer in description.layers {
      switch layer.content {
      case .input: places[layer.name] = .input
      case .operation(let operation):
        places[layer.name] = .operation(operations.count)
        operations.append(
          Operation(name: prefix + layer.name, type: layer.type, operation: operation))
      case .model(let inner):
        places[layer.name] = .model(operationPlaces(inner, prefix: "\(prefix)\(layer.name)."))
      }
    }
    return places
  }

  /// The steps of one call of a model whose inputs are `arguments`; the values of its outputs.
  private mutating func expand(
    _ description: KerasDescription, _ arguments: [Int], _ places: [String: Places]
  ) throws -> [Int] {
    guard arguments.count == description.inputs.count else {
      throw KerasRefusal("'\(description.name)' takes \(description.inputs.count) inputs")
    }
    var known: [KerasDescription.Reference: Int] = [:]
    for (reference, value) in zip(description.inputs, arguments) { known[reference] = value }
    var waiting = description.layers.flatMap { layer in
      layer.calls.indices.map { (layer, $0) }
    }
    while !waiting.isEmpty {
      let before = waiting.count
      var later: [(KerasDescription.Layer, Int)] = []
      for (layer, call) in waiting {
        attempts += 1
        guard attempts < Self.mostAttempts else { throw KerasRefusal("it has too many layers") }
        let values = layer.calls[call].compactMap { known[$0] }
        guard values.count == layer.calls[call].count, let place = places[layer.name] else {
          later.append((layer, call))
          continue
        }
        for (output, value) in try results(layer, values, place).enumerated() {
          known[.init(layer: layer.name, call: call, output: output)] = value
        }
      }
      waiting = later
      // Calls that lead to no output may read what is not in the model.
      if waiting.count == before { break }
    }
    return try description.outputs.map { reference in
      guard let value = known[reference] else {
        throw KerasRefusal("nothing gives the output '\(reference.layer)' of '\(description.name)'")
      }
      return value
    }
  }

  private mutating func results(
    _ layer: KerasDescription.Layer, _ values: [Int], _ place: Places
  ) throws -> [Int] {
    switch (layer.content, place) {
    case (.model(let inner), .model(let places)): return try expand(inner, values, places)
    case (.operation(let operation), .operation(let number)):
      guard operation.inputs.contains(values.count) else {
        throw KerasRefusal("'\(layer.name)' does not take \(values.count) inputs")
      }
      steps.append(Step(operation: number, inputs: values, output: valueCount))
      valueCount += 1
      return [valueCount - 1]
    default: return []
    }
  }

  /// Runs all steps.
  func callAsFunction(_ arguments: [Tensor], _ variables: [Tensor]) -> [Tensor] {
    guard arguments.count == inputs.count else {
      return Diagnostic.report(
        Diagnostic(
          operation: "KerasModel",
          reason: "it takes \(inputs.count) inputs, \(arguments.count) were given",
          facts: inputs.map { "input \($0.name)" }), giving: outputs.map { _ in Tensor.zeros([]) })
    }
    var values = zip(arguments, inputs).map {
      $0.dtype == $1.input.dtype ? $0 : $0.cast(to: $1.input.dtype)
    }
    for step in steps {
      let operation = operations[step.operation]
      let own = step.inputs.map { values[$0] }
      let value = result(operation, own, variables)
      guard value.shape.reduce(1.0, { $0 * Double($1) }) < Double(elementLimit) else {
        return tooLarge(operation, value)
      }
      values.append(value)
    }
    return outputs.map { values[$0.value] }
  }

  private func tooLarge(_ operation: Operation, _ value: Tensor) -> [Tensor] {
    Diagnostic.report(
      Diagnostic(
        operation: "\(operation.name) (\(operation.type))",
        reason: "its result has more than \(elementLimit) elements",
        facts: ["result \(value.shape)"],
        hint: "give fewer at a time, or allow more with elementLimit"),
      giving: outputs.map { _ in Tensor.zeros([]) })
  }

  private func result(
    _ operation: Operation, _ inputs: [Tensor], _ variables: [Tensor]
  ) -> Tensor {
    let range = operation.operation.ranks
    if let bad = inputs.first(where: { !range.contains($0.rank) }) {
      return Diagnostic.report(
        Diagnostic(
          operation: "\(operation.name) (\(operation.type))",
          reason: "its input has \(bad.rank) axes, it takes \(range.lowerBound)"
            + (range.count > 1 ? " or more" : ""), facts: ["input \(bad.shape)"]),
        poison: bad.shape, bad.dtype)
    }
    let first = operation.firstVariable
    let own = variables[first..<(first + operation.operation.variables.count)]
    return operation.operation(inputs, Array(own))
  }
}
