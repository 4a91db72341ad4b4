import Foundation
import Tarn
import TarnExchange
import TarnSchemas

/// Sound ONNX files whose graphs make no sense: other operators, absurd attributes, crossed wires, tensors of another shape.
enum GraphMutation {
  private static let kinds = ONNXTable.operators.filter { !$0.contains(".") }.sorted()
  private static let numbers: [Int64] = [
    0, 1, -1, 2, 3, 7, -5, 100, 1 << 16, 1 << 31, -(1 << 31), 1 << 40, .max, .min, .max - 1,
  ]

  static func changed(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8]? {
    guard var model = try? ONNXModelProto(parsing: Data(bytes)), !model.graph.node.isEmpty else {
      return nil
    }
    for _ in 0...random.integer(below: 2) { change(&model.graph, &random) }
    return (try? model.written()).map { Array($0) }
  }

  private static func change(_ graph: inout ONNXGraphProto, _ random: inout SeededGenerator) {
    func pick<Items: RandomAccessCollection>(_ items: Items) -> Items.Element? {
      items.randomElement(using: &random)
    }
    guard let place = pick(graph.node.indices) else { return }
    let names = graph.node.flatMap(\.output) + graph.input.map(\.name) + [""]
    switch random.integer(below: 7) {
    case 0: graph.node[place].opType = pick(kinds) ?? ""
    case 1:
      guard let i = pick(graph.node[place].input.indices) else { return }
      graph.node[place].input[i] = pick(names) ?? ""
    case 2: graph.node[place].input.append(pick(names) ?? "")
    case 3: _ = graph.node[place].input.popLast()
    case 4: graph.node[place].output.append("more")
    case 5: change(&graph.node[place], pick(numbers) ?? 0, &random)
    default: changeTensor(in: &graph, &random)
    }
  }

  private static func change(
    _ node: inout ONNXNodeProto, _ number: Int64, _ random: inout SeededGenerator
  ) {
    guard let i = node.attribute.indices.randomElement(using: &random) else { return }
    if !node.attribute[i].ints.isEmpty {
      let place = random.integer(below: node.attribute[i].ints.count)
      if random.chance(0.5) {
        node.attribute[i].ints[place] = number
      } else {
        node.attribute[i].ints.remove(at: place)
      }
    } else if random.chance(0.8) {
      node.attribute[i].i = number
      node.attribute[i].f = [0, -1, .nan, .infinity, 1e30][random.integer(below: 5)]
    } else {
      node.attribute.remove(at: i)
    }
  }

  private static func changeTensor(
    in graph: inout ONNXGraphProto, _ random: inout SeededGenerator
  ) {
    guard let i = graph.initializer.indices.randomElement(using: &random) else { return }
    let count = Int(clamping: graph.initializer[i].dims.reduce(1, &*))
    if graph.initializer[i].dataType == 7 && (0...64).contains(count) && random.chance(0.7) {
      let values = (0..<count).map { _ in numbers[random.integer(below: numbers.count)] }
      graph.initializer[i].rawData = values.withUnsafeBytes { Data($0) }
    } else {
      let shapes: [[Int64]] = [[Int64(count)], [1, Int64(count)], [Int64(count), 1, 1], [0], []]
      graph.initializer[i].dims = shapes[random.integer(below: shapes.count)]
    }
  }
}
