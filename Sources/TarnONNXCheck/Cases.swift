import Foundation
import Tarn
import TarnExchange

struct CaseArguments {
  var folder: String?
  var filter = ""
  var table: String?
  var isVerbose = false

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--filter": filter = rest.popFirst() ?? ""
      case "--table": table = rest.popFirst()
      case "--verbose": isVerbose = true
      default: folder = argument
      }
    }
  }
}

func checkCases(_ arguments: CaseArguments) throws {
  let folder = URL(fileURLWithPath: arguments.folder ?? ".")
  var table = ONNXTable()
  for item in try ONNXCase.all(in: folder)
  where arguments.filter.isEmpty || item.name.contains(arguments.filter) {
    if arguments.isVerbose { FileHandle.standardError.write(Data("\(item.name)\n".utf8)) }
    let outcome = item.run()
    table.add(item, outcome)
    if case .failed(let reason) = outcome { print("FAILED  \(item.name): \(reason)") }
    if case .refused(let reason) = outcome { print("refused \(item.name): \(reason)") }
  }
  print(table.summary)
  if let file = arguments.table {
    try Data(table.markdown.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
  }
}

/// Runs a file on tensors by name.
func run(_ files: [String]) throws {
  guard files.count == 3 else {
    throw DataError(.missing, file: "run", reason: "wants three files")
  }
  let model = try ONNXModel(contentsOf: URL(fileURLWithPath: files[0]))
  let given = try Weights(contentsOf: URL(fileURLWithPath: files[1]))
  let outputs = try model.run(Dictionary(given.all.map { ($0.name, $0.tensor) }) { $1 })
  try Weights(outputs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    .write(to: URL(fileURLWithPath: files[2]))
}

/// Seconds of a run, the best of several, and of Tarn's own ResNet-50 on the same shape.
func time(_ file: String) throws {
  let model = try ONNXModel(contentsOf: URL(fileURLWithPath: file))
  let inputs = model.inputs.map { port in
    let shape = (port.shape ?? []).map { $0 ?? 1 }
    return (port.name, Tensor.uniform(shape, key: RandomKey(seed: 1)).evaluate())
  }
  let given = Dictionary(inputs) { $1 }
  print("the file: \(best { Tensor.evaluate(Array(model(given).values)) }) s")
  let native = ResNet<Bottleneck>.resNet50()
  if let x = inputs.first?.1, x.rank == 4, x.shape[1] == 3 {
    print("ResNet-50 in Swift: \(best { _ = native(x).evaluate() }) s")
  }
}

private func best(_ body: () -> Void) -> Double {
  let clock = ContinuousClock()
  return (0..<8).map { _ in
    let duration = clock.measure(body).components
    return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
  }.min() ?? 0
}
