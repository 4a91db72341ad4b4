import TarnCore
import TarnData
import TarnNN

/// A task's figures on some data, `loss` among them: the model answers, it does not train.
///
/// ```swift
/// let figures = try evaluate(model, Classification(), on: test)
/// print(figures["accuracy"] ?? 0)
/// ```
public func evaluate<Task: TrainingTask>(
  _ model: Task.Model, _ task: Task, on data: Batches<Task.Examples>
) throws -> [String: Double] {
  var totals = LazyTotals()
  var carried: [Tensor] = []
  let batches = data.epoch(0).prefetched()
  while let batch = try batches.next() {
    let (loss, sums) = Phase.inference {
      let (output, state) = task.output(model, batch, following: carried)
      carried = state
      return (task.loss(output, batch), task.sums(output, batch))
    }
    Tensor.evaluate([loss] + sums.values + carried)
    totals.add(loss: loss, sums, count: task.count(batch))
  }
  return task.figures(totals.read())
}

/// As ``evaluate(_:_:on:)`` for examples.
public func evaluate<Task: TrainingTask>(
  _ model: Task.Model, _ task: Task, on data: some Source<Example>, batchSize: Int = 256
) throws -> [String: Double] where Task.Examples == Batch {
  try evaluate(model, task, on: data.batched(batchSize))
}

/// What a model makes of examples, [n, ...], in their order.
public func predict<Model: Layer>(
  _ model: Model, on data: some Source<Example>, batchSize: Int = 256
) throws -> Tensor {
  var outputs: [Tensor] = []
  let batches = data.batched(batchSize).epoch(0).prefetched()
  while let batch = try batches.next() {
    outputs.append(Phase.inference { model(batch.features) }.evaluate())
  }
  return joined(outputs)
}

/// What a model makes of features, [n, ...]; `batchSize` of them are held in its layers at once.
public func predict<Model: Layer>(
  _ model: Model, features: Tensor, batchSize: Int = 256
) -> Tensor {
  let count = features.shape.first ?? 0
  let outputs = stride(from: 0, to: count, by: max(1, batchSize)).map { start in
    Phase.inference { model(features[start..<min(count, start + max(1, batchSize))]) }.evaluate()
  }
  return joined(outputs)
}

/// How often examples of each class were taken for each.
///
/// - Parameter classes: their names.
public func confusion<Model: Layer>(
  _ model: Model, on data: some Source<Example>, classes: [String], batchSize: Int = 256
) throws -> ConfusionMatrix {
  var matrix = ConfusionMatrix(classes: classes)
  let batches = data.batched(batchSize).epoch(0).prefetched()
  while let batch = try batches.next() {
    let predicted = Phase.inference { model(batch.features) }.argMax(axis: -1)
    matrix.add(predicted: predicted.array(of: Int.self), actual: batch.labels.array(of: Int.self))
  }
  return matrix
}

private func joined(_ outputs: [Tensor]) -> Tensor {
  guard let first = outputs.first else { return .zeros([0]) }
  return outputs.count == 1 ? first : Tensor.concatenated(outputs, axis: 0).evaluate()
}
