import Foundation
import Tarn
import TarnExchange

// Runs the cases of ONNX's own test suite: TarnONNXCheck FOLDER [--filter TEXT] [--table FILE] [--verbose]
// FOLDER holds a folder for each case, as onnx/backend/test/data/node of ONNX's Python package does.

struct Arguments {
  var folder: String?
  var filter = ""
  var table: String?
  var isVerbose = false

  init(_ arguments: [String]) {
    var rest = arguments.dropFirst()
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

func check(_ arguments: Arguments) throws {
  guard let folder = arguments.folder else {
    print("usage: TarnONNXCheck FOLDER [--filter TEXT] [--table FILE] [--verbose]")
    exit(64)
  }
  var table = ONNXTable()
  for item in try ONNXCase.all(in: URL(fileURLWithPath: folder))
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

do { try check(Arguments(CommandLine.arguments)) } catch {
  print("\(error)")
  exit(1)
}
