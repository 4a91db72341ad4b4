import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnSchemas

/// A case of ONNX's own test suite: a folder with `model.onnx` and folders `test_data_set_N` of inputs and outputs.
package struct ONNXCase: Sendable {
  package let folder: URL
  package var name: String { folder.lastPathComponent }

  package init(_ folder: URL) { self.folder = folder }

  /// What came of it.
  package enum Outcome: Sendable, Equatable {
    case passed
    /// The file needs what is not supported, and says so.
    case refused(String)
    case failed(String)
  }

  /// The cases in a folder, by name.
  package static func all(in folder: URL) throws -> [ONNXCase] {
    let entries = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    return entries.filter {
      FileManager.default.fileExists(atPath: $0.appendingPathComponent("model.onnx").path)
    }.sorted { $0.path < $1.path }.map(ONNXCase.init)
  }

  /// The operators in its file, each once.
  package func operators() throws -> [String] {
    let file = try FileBytes(mapping: folder.appendingPathComponent("model.onnx"))
    let model = try ONNXFile.model(file)
    return Set(model.graph.node.map { $0.domain.isEmpty ? $0.opType : "\($0.domain).\($0.opType)" })
      .sorted()
  }

  /// Runs it on all its data. Results may differ by `absolute` + `relative` · |expected|, as in ONNX's own runner.
  package func run(relative: Double = 1e-3, absolute: Double = 1e-7) -> Outcome {
    do {
      let model = try ONNXModel(contentsOf: folder.appendingPathComponent("model.onnx"))
      if !model.unsupported.isEmpty {
        return .refused(model.unsupported.map(\.description).joined(separator: "; "))
      }
      for number in 0... {
        let data = folder.appendingPathComponent("test_data_set_\(number)")
        guard FileManager.default.fileExists(atPath: data.path) else { break }
        if let problem = try Diagnostic.catching({
          try difference(model, data, Tolerance(relative: relative, absolute: absolute))
        }) {
          return .failed(problem)
        }
      }
      return .passed
    } catch let error as DataError where error.kind == .unsupported {
      return .refused(error.reason)
    } catch {
      return .failed("\(error)")
    }
  }

  private func difference(
    _ model: ONNXModel, _ data: URL, _ tolerance: Tolerance
  ) throws -> String? {
    var inputs: [String: ONNXValue] = [:]
    for (i, port) in model.program.graph.inputs.enumerated() {
      let file = data.appendingPathComponent("input_\(i).pb")
      guard FileManager.default.fileExists(atPath: file.path) else { continue }
      if let value = try value(file, port) { inputs[port.name] = value }
    }
    let results = try model.outputs(inputs)
    for (i, port) in model.program.graph.outputs.enumerated() {
      let file = data.appendingPathComponent("output_\(i).pb")
      guard FileManager.default.fileExists(atPath: file.path) else { continue }
      if let problem = try tolerance.difference(results[i], value(file, port)) {
        return "output '\(port.name)': \(problem)"
      }
    }
    return nil
  }

  private func value(_ file: URL, _ port: ONNXGraph.Port) throws -> ONNXValue? {
    let data = try Data(contentsOf: file)
    let reader = ONNXTensorReader(file: file.path, folder: nil)
    func tensor(_ given: ONNXTensorProto) throws -> ONNXValue {
      var proto = given
      // NumPy has no bfloat16: the suite's files say uint16.
      if port.element == .bfloat16 { proto.dataType = ONNXElement.bfloat16.rawValue }
      return .tensor(try reader.tensor(proto), try reader.element(proto))
    }
    switch port.kind {
    case .tensor: return try tensor(ONNXTensorProto(parsing: data))
    case .sequence: return .sequence(try ONNXSequenceProto(parsing: data).tensorValues.map(tensor))
    case .optional:
      let proto = try ONNXOptionalProto(parsing: data)
      if proto.hasTensorValue { return .optional(try tensor(proto.tensorValue)) }
      if proto.hasSequenceValue {
        return .optional(.sequence(try proto.sequenceValue.tensorValues.map(tensor)))
      }
      return .optional(nil)
    }
  }
}

private struct Tolerance {
  var relative: Double, absolute: Double

  func difference(_ result: ONNXValue, _ expected: ONNXValue?) throws -> String? {
    switch (result, expected) {
    case (.sequence(let a), .sequence(let b)?), (.optional(.sequence(let a)?), .sequence(let b)?),
      (.sequence(let a), .optional(.sequence(let b)?)?),
      (.optional(.sequence(let a)?), .optional(.sequence(let b)?)?):
      if a.count != b.count { return "\(a.count) tensors, not \(b.count)" }
      return try zip(a, b).lazy.compactMap { try difference($0, $1) }.first
    case (.optional(nil), .optional(nil)?), (_, nil): return nil
    default:
      guard let a = result.tensor(on: .current), let b = expected?.tensor(on: .current) else {
        return "not the same sort of value"
      }
      return difference(a, b)
    }
  }

  private func difference(_ a: Tensor, _ b: Tensor) -> String? {
    if a.shape != b.shape { return "\(a.shape), not \(b.shape)" }
    if a.dtype != b.dtype { return "of \(a.dtype.name), not \(b.dtype.name)" }
    let (x, y) = (a.array(of: Double.self), b.array(of: Double.self))
    for (i, (x, y)) in zip(x, y).enumerated() {
      if x == y || (x.isNaN && y.isNaN) { continue }
      if abs(x - y) <= absolute + relative * abs(y) { continue }
      return "element \(i) is \(x), not \(y)"
    }
    return nil
  }
}
