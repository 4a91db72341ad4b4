import Foundation
import Tarn
import TarnExchange
import TarnSchemas
import Testing

/// Sound files whose graphs make no sense: other operators, absurd attributes, wires crossed, tensors of other shapes and
/// types. Each is run or refused, within its limits.
@Suite struct ONNXStructureFuzzTests {
  @Test func mutations() throws {
    let cases = try ONNXGoldens().cases
    let count = ProcessInfo.processInfo.environment["TARN_FUZZ"].flatMap { Int($0) } ?? 300
    let kinds = ONNXTable.operators.filter { !$0.contains(".") }
    for number in 0..<count {
      var random = SeededGenerator(seed: UInt64(number), stream: 1)
      let item = cases[Int.random(in: 0..<cases.count, using: &random)]
      var model = try ONNXModelProto(parsing: Data(item.model))
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&model, kinds, &random) }
      let start = ContinuousClock.now
      let outcome = try attempt(Array(model.written()), item.inputs)
      if ContinuousClock.now - start > .seconds(20) {
        Issue.record("mutation \(number) of \(item.name) took long: \(outcome)")
      }
    }
  }

  private func attempt(_ bytes: [UInt8], _ inputs: [String: Tensor]) throws -> String {
    do {
      return try Diagnostic.catching {
        var model = try ONNXModel(bytes)
        model.elementLimit = 1 << 16
        model.nodeLimit = 1 << 10
        let results = try model.run(inputs)
        Tensor.evaluate(Array(results.values))
        return "\(results.mapValues(\.shape))"
      }
    } catch { return "\(error)" }
  }

  private static let numbers: [Int64] = [
    0, 1, -1, 2, 3, 7, -5, 100, 1 << 16, 1 << 31, -(1 << 31), 1 << 40, .max, .min, .max - 1,
  ]

  private func mutate(
    _ model: inout ONNXModelProto, _ kinds: [String], _ random: inout SeededGenerator
  ) {
    let nodes = model.graph.node.indices
    guard let place = nodes.randomElement(using: &random) else { return }
    let names = model.graph.node.flatMap { $0.input + $0.output } + model.graph.input.map(\.name)
    switch Int.random(in: 0..<9, using: &random) {
    case 0, 1: model.graph.node[place].opType = kinds.randomElement(using: &random) ?? ""
    case 2:
      guard let i = model.graph.node[place].input.indices.randomElement(using: &random) else {
        break
      }
      model.graph.node[place].input[i] = names.randomElement(using: &random) ?? ""
    case 3:
      let name = names.randomElement(using: &random) ?? ""
      model.graph.node[place].input.append(Bool.random(using: &random) ? name : "")
    case 4: mutate(&model.graph.node[place], &random)
    case 5: mutateTensor(&model, &random)
    case 6: model.opsetImport[0].version = Int64.random(in: 5...22, using: &random)
    case 7:
      guard !model.graph.node[place].input.isEmpty else { break }
      model.graph.node[place].input.removeLast()
    default: model.graph.node[place].output.append("more\(model.graph.node[place].output.count)")
    }
  }

  private func mutate(_ node: inout ONNXNodeProto, _ random: inout SeededGenerator) {
    let number = Self.numbers.randomElement(using: &random) ?? 0
    guard let i = node.attribute.indices.randomElement(using: &random) else {
      let name = ["axis", "keepdims", "mode", "axes", "pads", "group"].randomElement(using: &random)
      node.attribute.append(.integer(name ?? "axis", Int(number)))
      return
    }
    switch node.attribute[i].type {
    case 1: node.attribute[i].f = [0, -1, .nan, .infinity, 1e30].randomElement(using: &random) ?? 0
    case 2: node.attribute[i].i = number
    case 7 where !node.attribute[i].ints.isEmpty:
      let place = node.attribute[i].ints.indices.randomElement(using: &random) ?? 0
      if Bool.random(using: &random) {
        node.attribute[i].ints[place] = number
      } else {
        node.attribute[i].ints.remove(at: place)
      }
    default: node.attribute.remove(at: i)
    }
  }

  /// Another shape of as many elements, other numbers, or another type of the same size.
  private func mutateTensor(_ model: inout ONNXModelProto, _ random: inout SeededGenerator) {
    guard let i = model.graph.initializer.indices.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<3, using: &random) {
    case 0:
      let count = model.graph.initializer[i].dims.reduce(1, *)
      model.graph.initializer[i].dims =
        [[count], [1, count], [count, 1, 1], [0], []]
        .randomElement(using: &random) ?? []
      if model.graph.initializer[i].dims == [0] { model.graph.initializer[i].rawData = Data() }
    case 1:
      guard model.graph.initializer[i].dataType == 7 else { break }
      let count = Int(model.graph.initializer[i].dims.reduce(1, *))
      let values = (0..<count).map { _ in Self.numbers.randomElement(using: &random) ?? 0 }
      model.graph.initializer[i].rawData = values.withUnsafeBytes { Data($0) }
    default:
      let type = model.graph.initializer[i].dataType
      let others: [Int32: [Int32]] = [
        1: [6, 12], 7: [11, 13], 2: [3, 9], 3: [2, 9], 6: [1, 12],
      ]
      model.graph.initializer[i].dataType = others[type]?.randomElement(using: &random) ?? type
    }
  }
}
